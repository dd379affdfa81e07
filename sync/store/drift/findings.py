"""What comparisons found, from when to when, and what was decided about it (G4).

A finding is open, or accepted by a person for as long as it stays as it is; it ends repaired or gone. At most one
of a subject, attribute and key is open or accepted at a time. Whoever writes findings of accounts has locked these
before (rule: account-before-finding).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

from sqlalchemy import ColumnElement, RowMapping, and_, case, func, or_, select, update

from mappings.drift import Reaction
from sync.domain.access import cause
from sync.domain.access.cause import Cause
from sync.domain.access.granted import Granted, GrantedAccount
from sync.domain.drift.kinds import Drift, Kind, kind_of
from sync.domain.drift.undone import Undone
from sync.domain.provisioning.aspect import Aspect
from sync.domain.work.claimed import ClaimedAccount, ClaimedJob
from sync.store.database.batches import batches
from sync.store.database.ids import new_id
from sync.store.database.tables import DriftState, run_row
from sync.store.database.tables import drift as table
from sync.store.database.transactions import Tx

LIVE: Final[tuple[DriftState, ...]] = ("open", "accepted")
STATES: Final[tuple[DriftState, ...]] = get_args(DriftState)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom or what a finding is about. `key` is unique among all of them, `who` is its name for people."""

    key: str
    who: str
    account_id: str | None = None
    idp_user_id: str | None = None

    @classmethod
    def of_user(cls, idp_user_id: str, username: str) -> Subject:
        """A user of the realm that is not ours."""
        return cls(f"user {idp_user_id}", username, None, idp_user_id)

    @classmethod
    def of_group(cls, path: str) -> Subject:
        return cls(f"group {path}", path)


@dataclass(frozen=True, slots=True)
class Finding:
    """`key`: which attribute of a company's, where it is one. `repair_asked_at`: when it was handed to the
    workers. `anew_at`: when a person, or a run that was let go, had the missing user made anew. `decision`: of
    whoever accepted it, had it repaired, or left it to a person. `undone`: repairs of it do not hold."""

    id: str
    attribute: Kind
    key: str
    subject: Subject
    wanted: str | None
    found: str | None
    reaction: Reaction
    state: DriftState
    first_seen_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    repair_asked_at: datetime | None
    anew_at: datetime | None
    decision: Cause | None
    decided_at: datetime | None
    undone: Undone | None

    @property
    def what(self) -> str:
        """What differs, for people."""
        return self.key or self.attribute.value


def found(
    tx: Tx,
    _claimed: ClaimedJob,
    subject: Subject,
    drift: Drift,
    reaction: Reaction,
    seen_at: datetime,
    undone: Undone | None = None,
) -> Finding:
    """Note it. Found again, only the time moves; no longer as it was accepted, it is open again. What a later look
    said of it stands."""
    known = live(tx, subject, drift)
    if known is not None and known.last_seen_at > seen_at:
        return known
    if known is not None:
        changed = (known.wanted, known.found) != (drift.wanted, drift.found)
        if not (changed and known.state == "accepted"):
            _set(
                tx,
                [known.id],
                last_seen_at=seen_at,
                wanted=drift.wanted,
                found=drift.found,
                reaction=reaction,
                who=subject.who,
                idp_user_id=subject.idp_user_id,
                **_undone(undone),
            )
            return _one(tx, known.id)
        _set(tx, [known.id], state="gone", closed_at=seen_at)
    finding_id = new_id(seen_at)
    tx.connection.execute(
        table.insert().values(
            id=finding_id,
            attribute=drift.attribute.value,
            key=drift.key,
            subject=subject.key,
            who=subject.who,
            account_id=subject.account_id,
            idp_user_id=subject.idp_user_id,
            wanted=drift.wanted,
            found=drift.found,
            reaction=reaction,
            state="open",
            first_seen_at=seen_at,
            last_seen_at=seen_at,
            **_undone(undone),
        )
    )
    return _one(tx, finding_id)


def close_unseen(
    tx: Tx,
    _claimed: ClaimedJob,
    attributes: Collection[Kind],
    since: datetime,
    left_out: Collection[str],
    now: datetime,
) -> int:
    """End what a comparison that began at `since` did not find any more, except of the subjects it could not
    judge: repaired, if a repair was asked for, or gone. Returns how many ended."""
    rows = tx.connection.execute(select(table.c.id, table.c.subject).where(_unseen(attributes, since))).all()
    over = [row.id for row in rows if row.subject not in left_out]
    _close(tx, over, now)
    return len(over)


def close_of_account(
    tx: Tx,
    _claimed: ClaimedJob,
    account_id: str,
    still: Collection[tuple[Kind, str]],
    unknown: Collection[Kind],
    begun: datetime,
    now: datetime,
) -> None:
    """End what a look at the one account did not find any more; of what is unknown it says nothing, nor of what
    was seen after the look had `begun`."""
    rows = tx.connection.execute(
        select(table.c.id, table.c.attribute, table.c.key).where(
            table.c.account_id == account_id, table.c.state.in_(LIVE), table.c.last_seen_at <= begun
        )
    ).all()
    over = [row.id for row in rows if (row.attribute, row.key) not in still and row.attribute not in unknown]
    _close(tx, over, now)


def end_of_user(
    tx: Tx, _claimed: ClaimedJob | ClaimedAccount, idp_user_id: str, attribute: Kind, now: datetime
) -> None:
    """What was found of a user who was not ours is mended: it has an account now."""
    live = (
        table.c.subject == Subject.of_user(idp_user_id, "").key,
        table.c.attribute == attribute.value,
        table.c.state.in_(LIVE),
    )
    tx.connection.execute(update(table).where(*live).values(state="repaired", closed_at=now))


def end_accepted(tx: Tx, granted: GrantedAccount, attributes: Collection[Kind], now: datetime) -> None:
    """What is wanted of the account is decided anew: these are not left as they are any more."""
    accepted = and_(
        table.c.account_id == granted.after.id,
        table.c.attribute.in_(sorted(each.value for each in attributes)),
        table.c.state == "accepted",
    )
    tx.connection.execute(update(table).where(accepted).values(state="gone", closed_at=now))


def accounts_with(tx: Tx, attributes: Collection[Kind]) -> frozenset[str]:
    """The accounts that have an open or accepted finding of one of these."""
    return frozenset(
        tx.connection.scalars(
            select(table.c.account_id).where(
                table.c.state.in_(LIVE),
                table.c.account_id.is_not(None),
                table.c.attribute.in_(sorted(each.value for each in attributes)),
            )
        )
    )


def any_of_users(tx: Tx, idp_user_ids: Collection[str]) -> bool:
    """Whether one of these users, who are not ours, has an open or accepted finding."""
    return any(
        tx.connection.scalar(
            select(table.c.id)
            .where(table.c.subject.in_([Subject.of_user(each, "").key for each in some]), table.c.state.in_(LIVE))
            .limit(1)
        )
        for some in batches(idp_user_ids)
    )


def users_with(tx: Tx, attribute: Kind) -> Mapping[str, str]:
    """The users who are not ours and have an open finding of this: id to name."""
    rows = tx.connection.execute(
        select(table.c.idp_user_id, table.c.who).where(
            table.c.state == "open", table.c.attribute == attribute.value, table.c.account_id.is_(None)
        )
    )
    return {row.idp_user_id: row.who for row in rows if row.idp_user_id is not None}


def live(tx: Tx, subject: Subject, drift: Drift) -> Finding | None:
    """What is known of the same difference, open or accepted."""
    row = (
        tx.connection.execute(
            tx.locking(
                select(table).where(
                    table.c.subject == subject.key,
                    table.c.attribute == drift.attribute.value,
                    table.c.key == drift.key,
                    table.c.state.in_(LIVE),
                )
            )
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else _finding(row)


def ask_repair(tx: Tx, granted: Granted, ids: Collection[str], now: datetime) -> None:  # noqa: ARG001 - it was asked
    _set(tx, ids, repair_asked_at=now)


def let_make_anew(tx: Tx, granted: Granted, account_id: str, idp_user_id: str, now: datetime) -> None:
    """The worker that is told by Keycloak that this user of the account is gone makes it anew, on this word."""
    tx.connection.execute(
        update(table)
        .where(
            table.c.account_id == account_id,
            table.c.attribute == Aspect.MISSING.value,
            table.c.idp_user_id == idp_user_id,
            table.c.state == "open",
        )
        .values(anew_at=now, repair_asked_at=now, **_decided(granted.by, now))
    )


def decided(tx: Tx, account_ids: Collection[str]) -> Mapping[str, tuple[Finding, ...]]:
    """What a worker has to know of findings of these accounts: what is accepted, and whom to make anew."""
    known: dict[str, tuple[Finding, ...]] = {}
    for some in batches(account_ids):
        rows = tx.connection.execute(
            select(table).where(
                table.c.account_id.in_(some),
                or_(table.c.state == "accepted", and_(table.c.state == "open", table.c.anew_at.is_not(None))),
            )
        )
        for row in rows.mappings():
            known[row["account_id"]] = (*known.get(row["account_id"], ()), _finding(row))
    return known


def end(
    tx: Tx, _claimed: ClaimedJob | ClaimedAccount, ids: Collection[str], state: DriftState, now: datetime
) -> None:
    """A worker's own look says so: it is repaired, or gone."""
    _set(tx, ids, state=state, closed_at=now)


def take_back(tx: Tx, granted: Granted, run_id: str, asked_at: datetime, now: datetime) -> None:
    """What a run asked for will not be done: its findings are open again, with who said so and why. What a person
    has asked for since stays asked."""
    of_the_run = select(run_row.c.account_id).where(run_row.c.run_id == run_id)
    tx.connection.execute(
        update(table)
        .where(table.c.state == "open", table.c.repair_asked_at == asked_at, table.c.account_id.in_(of_the_run))
        .values(repair_asked_at=None, **_decided(granted.by, now))
    )


def leave_open(tx: Tx, _claimed: ClaimedJob, ids: Collection[str], by: Cause, now: datetime) -> None:
    """For a person to decide, with the reason why nobody else did: nothing else is wanted."""
    _set(tx, ids, **_decided(by, now))


def decide(tx: Tx, granted: Granted, finding_id: str, state: DriftState, now: datetime) -> Finding:
    """A decision about it. `state` open: it shall be repaired; the comparison says when it is, and whether that
    holds is found out anew. Returns the finding as it is now."""
    closed_at = now if state not in LIVE else None
    _set(tx, [finding_id], state=state, closed_at=closed_at, **_undone(None), **_decided(granted.by, now))
    return _one(tx, finding_id)


def _decided(by: Cause, now: datetime) -> dict[str, object]:
    return {"decision": cause.record(by), "decided_at": now}


def account_of(tx: Tx, finding_id: str) -> str | None:
    """Whose it is, which does not change. None: there is no such finding, or it is of no account."""
    return tx.connection.scalar(select(table.c.account_id).where(table.c.id == finding_id))


def accounts_unseen(tx: Tx, attributes: Collection[Kind], since: datetime) -> frozenset[str]:
    """Whose findings `close_unseen` may end."""
    return frozenset(
        tx.connection.scalars(
            select(table.c.account_id).where(_unseen(attributes, since), table.c.account_id != "")
        )
    )


def accounts_of_run(tx: Tx, run_id: str) -> frozenset[str]:
    """Whose findings `take_back` may open again."""
    rows = select(run_row.c.account_id).where(run_row.c.run_id == run_id)
    return frozenset(
        tx.connection.scalars(
            select(table.c.account_id).where(table.c.state == "open", table.c.account_id.in_(rows))
        )
    )


def get(tx: Tx, finding_id: str) -> Finding | None:
    row = tx.connection.execute(tx.locking(select(table).where(table.c.id == finding_id))).mappings().one_or_none()
    return None if row is None else _finding(row)


def ending_in(tx: Tx, ending: str) -> tuple[Finding, ...]:
    """Findings whose id ends like this: the last characters are what people type."""
    rows = tx.connection.execute(
        select(table).where(table.c.id.endswith(ending, autoescape=True)).order_by(table.c.id)
    )
    return tuple(_finding(row) for row in rows.mappings())


def listed(
    tx: Tx,
    *,
    states: Collection[DriftState],
    account_id: str | None = None,
    limit: int | None = None,
    after: str | None = None,
) -> tuple[Finding, ...]:
    """The oldest first; `limit` None: all of them. `after`: only those after the finding with this id."""
    wanted = and_(table.c.state.in_(sorted(states)), *([table.c.account_id == account_id] if account_id else []))
    if after is not None:
        seen = select(table.c.first_seen_at).where(table.c.id == after).scalar_subquery()
        wanted = and_(
            wanted,
            or_(table.c.first_seen_at > seen, and_(table.c.first_seen_at == seen, table.c.id > after)),
        )
    rows = tx.connection.execute(
        select(table).where(wanted).order_by(table.c.first_seen_at, table.c.id).limit(limit)
    )
    return tuple(_finding(row) for row in rows.mappings())


def open_by_attribute(tx: Tx) -> Mapping[str, int]:
    """How many findings are open, for status and metrics."""
    rows = tx.connection.execute(
        select(table.c.attribute, func.count())
        .where(table.c.state == "open")
        .group_by(table.c.attribute)
        .order_by(table.c.attribute)
    )
    return {row[0]: row[1] for row in rows}


def _unseen(attributes: Collection[Kind], since: datetime) -> ColumnElement[bool]:
    return and_(
        table.c.state.in_(LIVE),
        table.c.last_seen_at < since,
        table.c.attribute.in_(sorted(each.value for each in attributes)),
    )


def _close(tx: Tx, ids: Collection[str], now: datetime) -> None:
    ended = case((table.c.repair_asked_at.is_not(None), "repaired"), else_="gone")
    _set(tx, ids, state=ended, closed_at=now)


def _set(tx: Tx, ids: Collection[str], **values: object) -> None:
    for some in batches(ids):
        tx.connection.execute(update(table).where(table.c.id.in_(some)).values(values))


def _one(tx: Tx, finding_id: str) -> Finding:
    return _finding(tx.connection.execute(select(table).where(table.c.id == finding_id)).mappings().one())


def _finding(row: RowMapping) -> Finding:
    return Finding(
        id=row["id"],
        attribute=kind_of(row["attribute"]),
        key=row["key"],
        subject=Subject(row["subject"], row["who"], row["account_id"], row["idp_user_id"]),
        wanted=row["wanted"],
        found=row["found"],
        reaction=row["reaction"],
        state=row["state"],
        first_seen_at=row["first_seen_at"],
        last_seen_at=row["last_seen_at"],
        closed_at=row["closed_at"],
        repair_asked_at=row["repair_asked_at"],
        anew_at=row["anew_at"],
        decision=None if row["decision"] is None else cause.from_record(row["decision"]),
        decided_at=row["decided_at"],
        undone=_undone_of(row),
    )


def _undone(undone: Undone | None) -> dict[str, object]:
    if undone is None:
        return {"undone": None, "undone_by": None}
    return {"undone": [at.isoformat() for at in undone.at], "undone_by": undone.by}


def _undone_of(row: RowMapping) -> Undone | None:
    times = row["undone"]
    return None if times is None else Undone(tuple(map(datetime.fromisoformat, times)), row["undone_by"])
