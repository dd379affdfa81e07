"""One-shot acts as rows: asked for, started, put off, finished. What they mean is said in `sync.domain.acts`.

A password that an act carries is sealed and leaves the row with its delivery, by mail or to who asks for it first,
with its failure, with a newer one in its place, or with its time (rule: secrets-go).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, select, update

from sync.domain.access import cause
from sync.domain.access.granted import GrantedAccount
from sync.domain.acts import Act, ActKind, ActState, Found
from sync.domain.provisioning.observed import LockState
from sync.domain.work.claimed import ClaimedAccount, ClaimedMail
from sync.domain.work.lane import Lane
from sync.store.database.tables import OPEN_ACT, SEALED_ACT, provisioning
from sync.store.database.tables import act as acts
from sync.store.database.transactions import Tx


@dataclass(frozen=True, slots=True)
class SealedPassword:
    """The password an act carries, opened."""

    password: str = field(repr=False)
    expires_at: datetime


def add(tx: Tx, granted: GrantedAccount, act: Act, password: str | None = None) -> None:
    """Store a new act on the account that was judged, and the password it carries sealed."""
    sealed = None if password is None else tx.sealer.seal(password)
    tx.connection.execute(acts.insert().values(_row(granted, act) | {"sealed": sealed}))


def add_many(tx: Tx, many: Sequence[tuple[GrantedAccount, Act]]) -> None:
    """Store new acts that carry no password."""
    tx.connection.execute(acts.insert(), [_row(granted, act) for granted, act in many])


def _row(granted: GrantedAccount, act: Act) -> dict[str, object]:
    return {
        "id": act.id,
        "account_id": granted.after.id,
        "kind": act.kind.value,
        "state": act.state.value,
        "lane": act.lane.value,
        "requested_at": act.requested_at,
        "cause": cause.record(granted.by),
        "options": _options(act),
        "expires_at": act.expires_at,
        "due_at": act.due_at,
        "attempts": 0,
    }


def supersede(tx: Tx, granted: GrantedAccount, kind: ActKind, outcome: str, now: datetime) -> None:
    """Those of this kind that nobody has started end, for a new one takes their place."""
    tx.connection.execute(
        update(acts)
        .where(
            acts.c.account_id == granted.after.id,
            acts.c.kind == kind.value,
            acts.c.state == ActState.WAITING.value,
        )
        .values(state=ActState.FAILED.value, outcome=outcome, finished_at=now, due_at=None, sealed=None)
    )


def get(tx: Tx, act_id: str) -> Act | None:
    row = tx.connection.execute(select(acts).where(acts.c.id == act_id)).one_or_none()
    return None if row is None else _from_row(row)


def of_account(tx: Tx, account_id: str) -> tuple[Act, ...]:
    """Every act of the account there ever was, the oldest first."""
    query = select(acts).where(acts.c.account_id == account_id).order_by(acts.c.id)
    return tuple(_from_row(row) for row in tx.connection.execute(query))


def open_for_many(tx: Tx, account_ids: Collection[str]) -> Mapping[str, tuple[Act, ...]]:
    """The open acts of these accounts by account id, each in the order in which they were asked for."""
    query = select(acts).where(OPEN_ACT, acts.c.account_id.in_(list(account_ids))).order_by(acts.c.id)
    found: dict[str, list[Act]] = {}
    for row in tx.connection.execute(query):
        found.setdefault(row.account_id, []).append(_from_row(row))
    return {account_id: tuple(each) for account_id, each in found.items()}


def start(tx: Tx, claimed: ClaimedAccount, act_id: str, found: Found, now: datetime) -> Act:
    """From now on it may have been carried out. One that was started before keeps its time and what was found."""
    tx.connection.execute(
        update(acts)
        .where(acts.c.account_id == claimed.row, acts.c.id == act_id, acts.c.state == ActState.WAITING.value)
        .values(state=ActState.STARTED.value, started_at=now, found=_found(found))
    )
    return _existing(tx, act_id)


def put_off(
    tx: Tx,
    claimed: ClaimedAccount,
    act_id: str,
    due_at: datetime,
    why: str,
    *,
    certainly_not_done: bool,
    burns: bool = True,
) -> None:
    """Again later; `burns` says whether it counts as an attempt. One that was certainly not done waits as before;
    any other stays started, to be verified."""
    started = {} if not certainly_not_done else {"state": "waiting", "started_at": None, "found": None}
    tx.connection.execute(
        update(acts)
        .where(acts.c.account_id == claimed.row, acts.c.id == act_id, OPEN_ACT)
        .values(due_at=due_at, attempts=acts.c.attempts + int(burns), outcome=why, **started)
    )


def finish(
    tx: Tx,
    claimed: ClaimedAccount,
    act_id: str,
    state: ActState,
    outcome: str,
    now: datetime,
    *,
    mail_id: str | None = None,
    to_be_shown: bool = False,
) -> bool:
    """Write down the end of an open act. Its password goes, unless `mail_id` is the mail that will carry it, or it
    is `to_be_shown`. False: it was not open."""
    changed = tx.connection.execute(
        update(acts)
        .where(acts.c.account_id == claimed.row, acts.c.id == act_id, OPEN_ACT)
        .values(
            {"state": state.value, "outcome": outcome, "finished_at": now, "due_at": None, "mail_id": mail_id}
            | ({} if mail_id or to_be_shown else {"sealed": None})
        )
    )
    return changed.rowcount == 1


def password_of(tx: Tx, act_id: str) -> SealedPassword | None:
    """Open the password and leave it where it is. None: it is gone."""
    return _password(tx, acts.c.id == act_id)


def take_password(tx: Tx, granted: GrantedAccount, now: datetime) -> str | None:
    """The password of a reset that is in place and waits for whoever asks for it; with this it is gone. None:
    there is none, or its time is up."""
    waiting = select(acts.c.sealed).where(_to_be_shown(granted.after.id), acts.c.expires_at > now)
    sealed = tx.connection.scalar(tx.locking(waiting))
    if sealed is None:
        return None
    password = tx.sealer.open(sealed)
    tx.connection.execute(update(acts).where(_to_be_shown(granted.after.id)).values(sealed=None))
    return password


def password_of_mail(tx: Tx, mail_id: str) -> SealedPassword | None:
    """The password that this mail carries."""
    return _password(tx, acts.c.mail_id == mail_id)


def erase_password_of_mail(tx: Tx, claimed: ClaimedMail) -> None:
    """The mail has left: nobody needs the password any more."""
    tx.connection.execute(update(acts).where(acts.c.mail_id == claimed.row).values(sealed=None))


def erase_not_shown(tx: Tx, claimed: ClaimedAccount) -> None:
    """Another password is in place: those that nobody has asked for open nothing any more."""
    tx.connection.execute(update(acts).where(_to_be_shown(claimed.row)).values(sealed=None))


def erase_expired(tx: Tx, now: datetime) -> int:
    """Passwords whose time is up, of acts that have ended; an open one ends by itself. Returns how many."""
    return tx.connection.execute(
        update(acts)
        .where(SEALED_ACT, acts.c.expires_at <= now, acts.c.finished_at.is_not(None))
        .values(sealed=None)
    ).rowcount


def overlooked(tx: Tx, now: datetime, limit: int) -> Mapping[str, Lane]:
    """Accounts with an act whose time has come and which nobody is going to look at, and the act's lane; at
    most `limit`. Those in quarantine are claimed in a way of their own."""
    query = (
        select(acts.c.account_id, acts.c.lane)
        .join(provisioning, provisioning.c.account_id == acts.c.account_id)
        .where(OPEN_ACT, acts.c.due_at <= now)
        .where(provisioning.c.due_at.is_(None), provisioning.c.quarantine_kind.is_(None))
        .order_by(acts.c.due_at)
        .limit(limit)
    )
    lanes: dict[str, Lane] = {}
    for row in tx.connection.execute(query):
        lane = Lane(row.lane)
        lanes[row.account_id] = Lane.INTERACTIVE if lane is Lane.INTERACTIVE else lanes.get(row.account_id, lane)
    return lanes


def _to_be_shown(account_id: str) -> ColumnElement[bool]:
    return and_(
        SEALED_ACT, acts.c.account_id == account_id, acts.c.state == ActState.DONE.value, acts.c.mail_id.is_(None)
    )


def _password(tx: Tx, condition: Any) -> SealedPassword | None:  # noqa: ANN401 - SQLAlchemy's condition
    row = tx.connection.execute(
        select(acts.c.sealed, acts.c.expires_at).where(condition, SEALED_ACT)
    ).one_or_none()
    return None if row is None else SealedPassword(tx.sealer.open(row.sealed), row.expires_at)


def _existing(tx: Tx, act_id: str) -> Act:
    return _from_row(tx.connection.execute(select(acts).where(acts.c.id == act_id)).one())


def _options(act: Act) -> dict[str, object]:
    options: dict[str, object] = {}
    if act.keep_sessions:
        options["keep_sessions"] = True
    if act.by_mail:
        options["by_mail"] = True
    if act.welcomes:
        options["welcomes"] = True
    if act.identity_check is not None:
        options["identity_check"] = act.identity_check
    if act.idp_user_id is not None:
        options["idp_user_id"] = act.idp_user_id
    if act.stamp is not None:
        options["stamp"] = act.stamp.isoformat()
    return options


def _found(found: Found) -> dict[str, object]:
    created = found.password_created_at
    return {
        "lock": {
            "temporary": found.lock.temporary,
            "permanent": found.lock.permanent,
            "failures": found.lock.failures,
        },
        "password_created_at": None if created is None else created.isoformat(),
        "credentials": list(found.credentials),
    }


def _from_row(row: Row[Any]) -> Act:
    options, found = row.options, row.found
    return Act(
        id=row.id,
        account_id=row.account_id,
        kind=ActKind(row.kind),
        requested_at=row.requested_at,
        by=cause.from_record(row.cause),
        lane=Lane(row.lane),
        state=ActState(row.state),
        due_at=row.due_at,
        keep_sessions=options.get("keep_sessions", False),
        by_mail=options.get("by_mail", False),
        welcomes=options.get("welcomes", False),
        identity_check=options.get("identity_check"),
        mail_id=row.mail_id,
        expires_at=row.expires_at,
        stamp=_time(options.get("stamp")),
        idp_user_id=options.get("idp_user_id"),
        attempts=row.attempts,
        started_at=row.started_at,
        found=None
        if found is None
        else Found(LockState(**found["lock"]), _time(found["password_created_at"]), tuple(found["credentials"])),
        finished_at=row.finished_at,
        outcome=row.outcome,
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
