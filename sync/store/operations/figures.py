"""The numbers an operator looks at, read in one transaction (H3). `ops status` and the metrics show the same ones.

Each query reads what is unfinished, through a partial index, and never all accounts: with a million of them and
nothing to do it reads a few rows. No name, address or other personal value is in here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import and_, func, literal, or_, select
from sqlalchemy import case as when

from sync.domain.accounts.account import Life
from sync.domain.deactivation.request import DeactivationState
from sync.domain.errors import Failure, FailureCode, Transient
from sync.domain.logins.event_reading import Gap
from sync.domain.operations import RECENT, LockedOut, LoginProbe, RecentFailures
from sync.domain.wording import run_title
from sync.domain.work.circuit import Circuit, CircuitName
from sync.domain.work.lane import Lane
from sync.store import logins
from sync.store import schedule as jobs
from sync.store.audit import chain
from sync.store.audit.chain import Waiting
from sync.store.database.columns import UtcDateTime
from sync.store.database.tables import (
    NOT_SENT,
    OPEN_ACT,
    OPEN_DEACTIVATION,
    OPEN_REASSIGNMENT,
    PENDING_ROW,
    STRANDED,
    account,
    act,
    deactivation,
    drift,
    mail,
    reassignment,
    run,
    run_row,
    stranded_work_order,
)
from sync.store.database.tables import login_activity as activity
from sync.store.database.tables import provisioning as work
from sync.store.database.transactions import Tx
from sync.store.drift.findings import LIVE
from sync.store.mail import unreachable
from sync.store.mail.unreachable import Why
from sync.store.operations import heartbeats, latency, lockouts, login_probe, troubles
from sync.store.operations.heartbeats import Worker
from sync.store.operations.latency import Histogram
from sync.store.provisioning import stuck
from sync.store.provisioning.stuck import StuckGroup
from sync.store.schedule import JobState
from sync.store.work import circuits, lanes, processes
from sync.store.work.lanes import Pause

FIRST = ""
"""Before every key: a range over all of a partial index; SQLite would read the whole table without one."""

GAPS_SHOWN = timedelta(days=1)
"""A gap in the logins that were read cannot be mended; later it is only told with the accounts it touches."""

EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Logins before the first that Keycloak had kept are a gap from here, and no trouble."""

LOGIN_JOB = "login-events"

UNFINISHED_RUNS = ("asked", "held", "confirmed", "applying", "paused")


@dataclass(frozen=True, slots=True)
class LaneFigures:
    """`due` waits to be claimed, the oldest since `oldest_due_at`; `leased` is being worked on; `later` waits for
    a time to come, and `failing` of all these failed at the last look."""

    lane: Lane
    due: int = 0
    leased: int = 0
    later: int = 0
    failing: int = 0
    oldest_due_at: datetime | None = None
    pause: Pause | None = None


REPAIRING: Final = "repairing"
COMES_BACK: Final = "coming-back"


@dataclass(frozen=True, slots=True)
class DriftFigures:
    """Findings that are open, accepted, handed out to be repaired, or coming back after each repair; of the open
    ones those with the reaction "report" wait for a person. A repaired one stays handed out until the next
    comparison has seen it. `since` is when the oldest of them was found; `undone_by` is the program that makes all
    of them come back, None: not known."""

    attribute: str
    state: str
    reaction: str
    count: int
    since: datetime
    undone_by: str | None = None


@dataclass(frozen=True, slots=True)
class RunFigures:
    """A run that has not ended. `since` is when it came to where it is; `pending` rows are not applied yet, and
    `moved_at` is when rows of it were applied last, or could have been first."""

    id: str
    kind: str
    state: str
    source: str
    since: datetime
    pending: int
    moved_at: datetime
    held_reasons: tuple[str, ...] = ()

    @property
    def should_move(self) -> bool:
        return self.state == "asked" or (self.state in ("confirmed", "applying") and self.pending > 0)

    @property
    def title(self) -> str:
        return run_title(self.kind, self.source)


@dataclass(frozen=True, slots=True)
class Figures:
    """`waiting` are accounts that wait for a circuit or "configuration", by reason; `noted` how many troubles
    workers met. `not_disabled` people are wanted inactive and Keycloak refuses to disable them. `quarantined` by
    code. `held` deactivations and changes of the technician, of which `overdue` are past their deadline.
    `reassignments` are wishes whose work orders are not moved yet, the oldest asked for then. `mails` by state,
    without those that were sent; `undelivered` people have no other mail since the one that failed;
    `unreachable` people have an address that was refused, or that mails came back from.
    `logins_kept_seconds` is how long Keycloak keeps logins; 0: for ever, or nobody has asked yet. `login_probe`
    is the last answer to whether people can log in, `login_failures` are those of the last minutes. `beat_at`
    is when the beat ticked last; None: not in the last hour. `unchained` are audit entries without a number."""

    at: datetime
    lanes: tuple[LaneFigures, ...]
    circuits: tuple[Circuit, ...]
    waiting: tuple[StuckGroup, ...]
    noted: int
    not_disabled: int
    locked_out: LockedOut
    quarantined: Mapping[str, int]
    drift: tuple[DriftFigures, ...]
    held: int
    overdue: int
    oldest_held_at: datetime | None
    stranded: int
    reassignments: int
    oldest_reassignment_at: datetime | None
    runs: tuple[RunFigures, ...]
    mails: Mapping[str, int]
    undelivered: int
    unreachable: Mapping[Why, int]
    acts: Mapping[str, int]
    oldest_act_at: datetime | None
    jobs: tuple[JobState, ...]
    logins_read_until: datetime | None
    logins_kept_seconds: float
    login_gaps: tuple[Gap, ...]
    workers: tuple[Worker, ...]
    latency: Mapping[Lane, Histogram]
    login_probe: LoginProbe | None
    login_failures: RecentFailures
    beat_at: datetime | None
    unchained: Waiting

    @property
    def runs_still_seconds(self) -> float:
        """How long no row of the run was applied that waits the longest for it."""
        return max((self.age(run.moved_at) for run in self.runs if run.should_move), default=0.0)

    @property
    def missed(self) -> tuple[Worker, ...]:
        """Workers that fell silent and whom nobody has replaced: another one of their lanes, started since."""
        alive = [each for each in self.workers if not each.is_gone(self.at)]
        return tuple(
            gone
            for gone in self.workers
            if gone.is_gone(self.at)
            and not set(gone.lanes)
            <= {lane for each in alive if each.started_at > gone.seen_at for lane in each.lanes}
        )

    @property
    def logins_late(self) -> bool:
        """Half of the time that Keycloak keeps logins has passed since they were read: soon some are lost."""
        return 0 < self.logins_kept_seconds < 2 * self.age(self.logins_read_until)

    @property
    def keycloak_serves_workers(self) -> bool:
        """No circuit to it is open, and its logins could be read: for that it needs its own database."""
        reading = [each.error for each in self.jobs if each.name == LOGIN_JOB]
        failing = any(error is not None and error[0] == Transient.kind for error in reading)
        return not failing and all(each.closed for each in self.circuits if each.name is CircuitName.KEYCLOAK)

    def age(self, since: datetime | None) -> float:
        """Seconds from then until these figures; 0 for a time to come and for None."""
        return 0.0 if since is None else max(0.0, (self.at - since).total_seconds())


def read(tx: Tx, now: datetime) -> Figures:
    """All of it, at one moment. Raises what the database raises."""
    held, overdue, oldest_held_at = _holds(tx, now)
    reassigning, oldest_reassignment_at = _reassignments(tx)
    by_state, oldest_act_at = _commands(tx, now)
    mails = _mails(tx)
    found = jobs.all_jobs(tx)
    read_until, kept_seconds = _logins(found)
    waiting = stuck.waiting_groups(tx)
    return Figures(
        at=now,
        lanes=_lanes(tx, now),
        circuits=circuits.every(tx),
        waiting=waiting,
        not_disabled=sum(each.count for each in waiting if Failure.code_of(each.code) == FailureCode.NOT_DISABLED),
        locked_out=lockouts.locked_out(tx, now),
        noted=len(troubles.noted(tx, now)),
        quarantined=_quarantined(tx),
        drift=_drift(tx),
        held=held,
        overdue=overdue,
        oldest_held_at=oldest_held_at,
        stranded=tx.connection.scalar(
            select(func.count())
            .select_from(stranded_work_order)
            .where(STRANDED, stranded_work_order.c.technician_id > FIRST)
        )
        or 0,
        reassignments=reassigning,
        oldest_reassignment_at=oldest_reassignment_at,
        runs=_runs(tx),
        mails=mails,
        undelivered=_undelivered(tx) if mails.get("failed") or mails.get("expired") else 0,
        unreachable=unreachable.counted(tx),
        acts=by_state,
        oldest_act_at=oldest_act_at,
        jobs=found,
        logins_read_until=read_until,
        logins_kept_seconds=kept_seconds,
        login_gaps=tuple(each for each in logins.gaps(tx, now - GAPS_SHOWN) if each.begins > EVER),
        workers=heartbeats.seen(tx),
        latency=latency.read(tx),
        login_probe=login_probe.of_jobs(found),
        login_failures=logins.recent_failures(tx, now - RECENT),
        beat_at=processes.last_tick(tx),
        unchained=chain.waiting(tx),
    )


def _lanes(tx: Tx, now: datetime) -> tuple[LaneFigures, ...]:
    pauses = {each.lane: each for each in lanes.paused(tx)}
    found = {
        **lanes_of_accounts(tx, now),
        Lane.MAIL: _lane_of_mails(tx, now),
        Lane.RECONCILE: _lane_of_jobs(tx, now),
    }
    return tuple(
        LaneFigures(lane, *found.get(lane, (0, 0, 0, 0, None)), pause=pauses.get(lane)) for lane in sorted(Lane)
    )


Counted = tuple[int, int, int, int, datetime | None]
"""In the order of `LaneFigures`."""


def lanes_of_accounts(tx: Tx, now: datetime) -> dict[Lane, Counted]:
    """Of what is due, in the index of it; a lane with nothing is left out."""
    leased = work.c.lease_token.is_not(None)
    due = and_(work.c.due_at <= now, ~leased)
    rows = tx.connection.execute(
        select(
            work.c.lane,
            func.count().filter(due).label("due"),
            func.count().filter(leased).label("leased"),
            func.count().filter(and_(work.c.due_at > now, ~leased)).label("later"),
            func.count().filter(work.c.attempts > 0).label("failing"),
            func.min(work.c.due_at).filter(due).label("oldest"),
        )
        .where(work.c.due_at.is_not(None), work.c.quarantine_kind.is_(None))
        .group_by(work.c.lane)
    )
    return {Lane(row.lane): (row.due, row.leased, row.later, row.failing, row.oldest) for row in rows}


def _lane_of_mails(tx: Tx, now: datetime) -> Counted:
    leased = mail.c.lease_token.is_not(None)
    due = and_(mail.c.due_at <= now, ~leased, or_(account.c.life == Life.ACTIVE.value, account.c.expected))
    row = tx.connection.execute(
        select(
            func.count().filter(due),
            func.count().filter(leased),
            func.count().filter(mail.c.due_at > now),
            func.count().filter(mail.c.attempts > 0),
            func.min(mail.c.due_at).filter(due),
        )
        .select_from(mail)
        .join(account, account.c.id == mail.c.account_id)
        .where(NOT_SENT, mail.c.state.in_(("due", "sending")))
    ).one()
    return tuple(row)


def _lane_of_jobs(tx: Tx, now: datetime) -> Counted:
    found = jobs.all_jobs(tx)
    leased = [each for each in found if each.leased_until is not None]
    due = [each.due_at for each in found if each.due_at <= now and each not in leased]
    failing = sum(each.error is not None for each in found)
    return len(due), len(leased), len(found) - len(due) - len(leased), failing, min(due, default=None)


def _logins(found: Iterable[JobState]) -> tuple[datetime | None, float]:
    for each in found:
        if each.name == LOGIN_JOB and "until" in each.state:
            return datetime.fromisoformat(each.state["until"]), each.state["expires_after_seconds"] or 0.0
    return None, 0.0


def _quarantined(tx: Tx) -> Mapping[str, int]:
    rows = tx.connection.execute(
        select(work.c.quarantine_code, func.count())
        .where(work.c.quarantine_kind.is_not(None))
        .group_by(work.c.quarantine_code)
        .order_by(work.c.quarantine_code)
    )
    counted: Counter[str] = Counter()
    for cause, many in rows:
        counted[cause.partition(" ")[0]] += many
    return counted


def _drift(tx: Tx) -> tuple[DriftFigures, ...]:
    handed_out = and_(drift.c.state == "open", drift.c.repair_asked_at.is_not(None))
    comes_back = and_(drift.c.state == "open", drift.c.undone.is_not(None))
    state = when((comes_back, COMES_BACK), (handed_out, REPAIRING), else_=drift.c.state).label("shown")
    key = (drift.c.attribute, state, drift.c.reaction)
    one = func.min(drift.c.undone_by) == func.max(drift.c.undone_by)
    whoever = and_(one, func.count(drift.c.undone_by) == func.count())
    rows = tx.connection.execute(
        select(*key, func.count(), func.min(drift.c.first_seen_at), when((whoever, func.min(drift.c.undone_by))))
        .where(drift.c.state.in_(LIVE))
        .group_by(*key)
        .order_by(*key)
    )
    return tuple(DriftFigures(*row) for row in rows)


def _holds(tx: Tx, now: datetime) -> tuple[int, int, datetime | None]:
    held, overdue, oldest = tx.connection.execute(
        select(
            func.count(),
            func.count().filter(deactivation.c.deadline < literal(now, UtcDateTime())),
            func.min(deactivation.c.held_at),
        )
        .select_from(deactivation)
        .where(
            OPEN_DEACTIVATION,
            deactivation.c.account_id > FIRST,
            deactivation.c.state == DeactivationState.HELD.value,
        )
    ).one()
    return held, overdue, oldest


def _reassignments(tx: Tx) -> tuple[int, datetime | None]:
    waiting, oldest = tx.connection.execute(
        select(func.count(), func.min(reassignment.c.asked_at)).where(
            OPEN_REASSIGNMENT, reassignment.c.technician_id > FIRST
        )
    ).one()
    return waiting, oldest


def _runs(tx: Tx) -> tuple[RunFigures, ...]:
    pending = (
        select(func.count())
        .select_from(run_row)
        .where(run_row.c.run_id == run.c.id, PENDING_ROW)
        .scalar_subquery()
    )
    rows = tx.connection.execute(
        select(run, pending.label("rows_pending"))
        .where(run.c.state.in_(UNFINISHED_RUNS))
        .order_by(run.c.created_at, run.c.id)
    )
    return tuple(
        RunFigures(
            row.id,
            row.kind,
            row.state,
            row.source,
            row.confirmed_at or row.created_at,
            row.rows_pending,
            row.turn_at or row.confirmed_at or row.created_at,
            row.held_reasons or (),
        )
        for row in rows
    )


def _mails(tx: Tx) -> Mapping[str, int]:
    rows = tx.connection.execute(
        select(mail.c.state, func.count()).where(NOT_SENT).group_by(mail.c.state).order_by(mail.c.state)
    )
    return {row[0]: row[1] for row in rows}


def _undelivered(tx: Tx) -> int:
    """People who are still expected, got no mail, and for whom nothing was tried since."""
    later = mail.alias("later")
    tried = select(later.c.id).where(
        later.c.account_id == mail.c.account_id, later.c.created_at > mail.c.created_at
    )
    asked = select(act.c.id).where(
        act.c.account_id == mail.c.account_id,
        act.c.requested_at > mail.c.created_at,
        act.c.kind.in_(("reset-password", "set-password-mail")),
    )
    logged_in = select(activity.c.idp_user_id).where(
        activity.c.idp_user_id == account.c.idp_user_id, activity.c.last_login_at.is_not(None)
    )
    return (
        tx.connection.scalar(
            select(func.count())
            .select_from(mail)
            .join(account, account.c.id == mail.c.account_id)
            .where(
                NOT_SENT,
                mail.c.state.in_(("failed", "expired")),
                or_(account.c.life == Life.ACTIVE.value, account.c.expected),
                ~or_(tried.exists(), asked.exists(), logged_in.exists()),
            )
        )
        or 0
    )


def _commands(tx: Tx, now: datetime) -> tuple[Mapping[str, int], datetime | None]:
    """What is planned for a time to come, such as the end of a temporary password, waits for nobody."""
    since = when((act.c.due_at > act.c.requested_at, act.c.due_at), else_=act.c.requested_at)
    rows = tx.connection.execute(
        select(act.c.state, func.count(), func.min(since))
        .where(OPEN_ACT, act.c.account_id > FIRST, act.c.due_at <= now)
        .group_by(act.c.state)
        .order_by(act.c.state)
    ).all()
    return {row[0]: row[1] for row in rows}, min((row[2] for row in rows), default=None)
