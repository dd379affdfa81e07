"""Everything that is wrong, the worst first, each with its remedy: for `ops status` (H3).

`problems` knows what stands in rows of its own; added here is what follows from the figures, which is pure.
deploy/prometheus/alerts.yml asks the same questions of the metrics, with patience.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from sync.domain.access.scope import Scope
from sync.domain.drift.anomaly import GIVE_ACCOUNT_BACK, Anomaly
from sync.domain.drift.undone import MOST
from sync.domain.operations import TICKS_MISSED
from sync.domain.wording import counted
from sync.domain.work.lane import Lane, worker_command
from sync.domain.work.takeovers import JOB_TOLD_AFTER
from sync.store.database.transactions import Tx
from sync.store.mail.unreachable import Why
from sync.store.operations.figures import COMES_BACK, DriftFigures, Figures, LaneFigures, RunFigures
from sync.store.operations.heartbeats import Worker
from sync.store.operations.troubles import Trouble
from sync.store.work.lanes import Pause
from sync.views.operations.problems import problems

TOO_OLD: Final[Mapping[Lane, timedelta]] = {
    Lane.INTERACTIVE: timedelta(minutes=1),
    Lane.BULK: timedelta(minutes=30),
    Lane.MAIL: timedelta(minutes=10),
    Lane.RECONCILE: timedelta(minutes=15),
}
"""How long the oldest work of a lane may wait. A big import takes its time; a click does not."""

ACTS_TOO_OLD = timedelta(minutes=5)
RUN_STILL = timedelta(minutes=30)
"""So long no row of a run may be applied while it has any: with hundreds of accounts due in front of it, and then
it moves again."""
UNCHAINED_TOO_LONG = timedelta(minutes=1)
"""As the alert AuditNotChained."""
REPAIR_TOO_OLD = timedelta(minutes=15)
"""As the alert Drift."""

NOBODY: Final = "Nobody can log in"
"""The section for the first question at night."""


def troubles(
    tx: Tx, scope: Scope, figures: Figures, heard_until: datetime, but: Collection[str] = ()
) -> tuple[Trouble, ...]:
    """What keeps commands waiting, what stops everything, what stops something, what waits for a person.
    Workers and beat could be heard of until then, see `silent`; what was noted under the names `but` is not told.
    Raises Refused for a scope of one branch."""
    return (
        *_paused(figures, waited_for=True),
        *_workers(figures, silent(figures, heard_until)),
        *_beat(figures, heard_until),
        *problems(tx, scope, figures.at, but),
        *of_figures(figures),
    )


def silent(figures: Figures, heard_until: datetime) -> tuple[Worker, ...]:
    """Workers to look for. Without Redis none gives a heartbeat, and those that did when it went just wait for it:
    then that is until when they could be heard of, else it is now."""
    return tuple(each for each in figures.missed if each.is_gone(heard_until))


def login_troubles(figures: Figures) -> tuple[Trouble, ...]:
    """Why nobody can log in, or why nobody knows: the first question at night."""
    probe = figures.login_probe
    if probe is None or probe.is_old(figures.at):
        silence = _trouble(
            NOBODY,
            "nobody asks whether Keycloak answers: whether people can log in is not known",
            None if probe is None else probe.asked_at,
            "see that Redis, the beat and workers run",
        )
    elif not probe.answers:
        silence = _trouble(
            NOBODY,
            f"nobody can log in: Keycloak does not answer ({probe.reason})",
            probe.since,
            "see that it runs, that its database does, and that the workers' machines reach it",
        )
    else:
        return ()
    return (silence,)


def of_figures(figures: Figures) -> tuple[Trouble, ...]:
    """What is wrong beside the login, workers and `problems`."""
    return (
        *_paused(figures, waited_for=False),
        *_late(figures),
        *_jobs(figures),
        *_logins(figures),
        *_commands(figures),
        *_audit(figures),
        *_people(figures),
    )


def _workers(figures: Figures, silent: Collection[Worker]) -> Iterator[Trouble]:
    for lane in Lane:
        if not any(lane.value in each.lanes for each in figures.workers if each not in silent):
            yield _trouble(
                "No worker serves a lane",
                f"no worker serves the lane {lane.value}",
                None,
                f"start one: {worker_command(lane)}",
            )
    for each in figures.workers:
        if each in silent:
            yield _trouble(
                "No worker serves a lane",
                f"worker {each.name} fell silent",
                each.seen_at,
                f"look at process {each.pid} on {each.host}; what it held is taken over by others",
            )
        if each.trouble is not None:
            yield _trouble(
                "A worker cannot work",
                f"worker {each.name} touches no account: {each.trouble}",
                None,
                "mend it; the worker tries again at every wake",
            )


def _beat(figures: Figures, heard_until: datetime) -> Iterator[Trouble]:
    """Without sweeps single changes go on, for their doors wake workers; what comes again by itself does not."""
    if figures.beat_at is None or heard_until - figures.beat_at > TICKS_MISSED:
        yield _trouble(
            "The beat is away",
            "the beat does not tick: nothing comes again by itself",
            figures.beat_at,
            "start it: celery -A workers.app beat",
        )


def _paused(figures: Figures, *, waited_for: bool) -> Iterator[Trouble]:
    """`waited_for`: those in which something is due, which a command may be waiting for."""
    for each in figures.lanes:
        if each.pause is not None and (each.due > 0) == waited_for:
            waits = f"; {each.due} due in it" if waited_for else ""
            yield _trouble(
                "A lane is paused",
                f"{pause_told(each.pause)}{waits}",
                each.pause.paused_at,
                f"fsm-identity ops resume {each.lane.value} --reason …",
            )


def pause_told(pause: Pause) -> str:
    return f"{pause.lane.value} is paused by {pause.paused_by}: {pause.reason}"


def _late(figures: Figures) -> Iterator[Trouble]:
    for each in figures.lanes:
        if each.pause is None and is_late(each, figures):
            yield _trouble(
                "Work waits too long",
                f"the oldest of {each.due} in the lane {each.lane.value} waits too long",
                each.oldest_due_at,
                "see above for what stops it; if nothing does, add workers",
            )


def is_late(lane: LaneFigures, figures: Figures) -> bool:
    return figures.age(lane.oldest_due_at) > TOO_OLD[lane.lane].total_seconds()


def _jobs(figures: Figures) -> Iterator[Trouble]:
    for each in figures.jobs:
        if each.takeovers >= JOB_TOLD_AFTER:
            yield _trouble(
                "A periodic job fails",
                f"{each.takeovers} workers in a row ended over the job {each.name}",
                each.started_at,
                "see whether workers are killed for want of memory, or crash; it is tried again by itself",
            )
        if each.error is not None:
            kind, text = each.error
            yield _trouble(
                "A periodic job fails",
                f"the job {each.name} failed {counted(each.attempts, 'time')} in a row ({kind}): {text}",
                each.finished_at,
                "it runs again by itself",
            )


def _audit(figures: Figures) -> Iterator[Trouble]:
    if figures.age(figures.unchained.since) > UNCHAINED_TOO_LONG.total_seconds():
        yield _trouble(
            "The audit trail is not chained",
            f"{counted(figures.unchained.count, 'audit entry')} not chained yet",
            figures.unchained.since,
            "see that workers and the beat run; it goes on by itself",
        )


def _logins(figures: Figures) -> Iterator[Trouble]:
    if figures.logins_late:
        yield _trouble(
            "Login events may have been missed",
            "logins were not read for half of the time that Keycloak keeps them",
            figures.logins_read_until,
            "let the job login-events run before they are lost: fsm-identity ops queues",
        )
    for gap in figures.login_gaps:
        span = f"{gap.begins:%Y-%m-%d %H:%M} to {gap.ends:%Y-%m-%d %H:%M}"
        yield _trouble(
            "Login events may have been missed",
            f"logins from {span} UTC may be missing: {gap.reason}",
            gap.ends,
            "mend the reason; what was missed is told with each account",
        )


def _commands(figures: Figures) -> Iterator[Trouble]:
    if figures.age(figures.oldest_act_at) > ACTS_TOO_OLD.total_seconds():
        yield _trouble(
            "Acts wait",
            f"{counted(sum(figures.acts.values()), 'act')} on accounts not carried out",
            figures.oldest_act_at,
            "see above for what stops the lane; then fsm-identity ops timeline of the account",
        )


def _people(figures: Figures) -> Iterator[Trouble]:
    for run in figures.runs:
        if run.should_move and figures.age(run.moved_at) > RUN_STILL.total_seconds():
            yield _trouble(
                "An import or a mass change is slow",
                f"the {run.kind} of {run.source} stands still, {_what_is_left(run)}",
                run.moved_at,
                f"see above for what stops the lane {_lane_of(run)}; if nothing does, see the workers' log",
            )
        if run.state == "held":
            why = f": {'; '.join(run.held_reasons)}" if run.held_reasons else ""
            yield _trouble(
                "A run is held",
                f"{run.title} waits for an approval{why}",
                run.since,
                f"fsm-identity runs show {run.id[-8:]}, then approve or reject it",
            )
    yield from _coming_back(figures)
    waiting: Counter[str] = Counter()
    for each in figures.drift:
        if _for_a_person(each, figures.at):
            waiting[each.attribute] += each.count
    unreadable = waiting.pop(Anomaly.UNREADABLE, 0)
    if unreadable:
        yield _trouble(
            "Drift",
            f"{counted(unreadable, 'user')} in Keycloak cannot be read, while others can",
            None,
            "fsm-identity drift list says why; mend or delete the user there, then fsm-identity drift compare",
        )
    lost = waiting.pop(Anomaly.LOST_ACCOUNT, 0)
    if lost:
        yield _trouble(
            "After our database was restored from a backup",
            f"{counted(lost, 'user')} in Keycloak with a login and no account: our database lost it",
            None,
            f"give it back: {GIVE_ACCOUNT_BACK}",
        )
    if waiting:
        listed = ", ".join(f"{attribute} {count}" for attribute, count in sorted(waiting.items()))
        number = sum(waiting.values())
        wait = "waits" if number == 1 else "wait"
        yield _trouble(
            "Drift",
            f"{counted(number, 'finding')} in Keycloak {wait} for a decision: {listed}",
            None,
            "fsm-identity drift list, then repair or accept each",
        )
    if figures.overdue:
        yield _trouble(
            "A deactivation waits past its deadline",
            f"{counted(figures.overdue, 'hold')} past the deadline: open work orders keep somebody's access",
            figures.oldest_held_at,
            "fsm-identity account list --held; move the work orders, or force it",
        )
    if figures.stranded:
        yield _trouble(
            "A deactivation waits past its deadline",
            f"{counted(figures.stranded, 'open work order')} of technicians who lost access",
            None,
            "fsm-identity work-orders list, then give them to somebody else: fsm-identity work-orders reassign",
        )
    if figures.undelivered:
        yield _trouble(
            "A mail failed",
            f"{counted(figures.undelivered, 'person')} got no mail and never logged in",
            None,
            "fsm-identity ops mails; then send it again, or give a new password",
        )
    if figures.unreachable[Why.BOUNCED]:
        yield _trouble(
            "Mails come back",
            f"mails to {counted(figures.unreachable[Why.BOUNCED], 'person')} come back; none is sent there",
            None,
            "fsm-identity ops mails refused; then give each the right address",
        )


def _coming_back(figures: Figures) -> Iterator[Trouble]:
    """Once for each attribute, however many accounts: what writes it is one thing."""
    for attribute in sorted({each.attribute for each in figures.drift if each.state == COMES_BACK}):
        found = [each for each in figures.drift if (each.attribute, each.state) == (attribute, COMES_BACK)]
        by = {each.undone_by for each in found}
        [program] = by if len(by) == 1 else [None]
        writer = f": {program} writes it" if program else "; no event tells who writes it"
        number = counted(sum(each.count for each in found), "account")
        yield _trouble(
            "Drift that comes back",
            f"Keycloak does not keep {attribute} of {number}: repaired {MOST} times, and it comes back{writer}",
            min(each.since for each in found),
            "stop what writes it, then fsm-identity drift repair; fsm-identity drift list says of whom",
        )


def _what_is_left(run: RunFigures) -> str:
    return "not planned yet" if run.state == "asked" else f"with {counted(run.pending, 'row')} to apply"


def _lane_of(run: RunFigures) -> Lane:
    return Lane.RECONCILE if run.kind == "adoption" else Lane.BULK


def _for_a_person(drift: DriftFigures, now: datetime) -> bool:
    """A repair that is handed to nobody waits for one too: the user was switched off, on purpose. So does what the
    file would accept, and the guard or our own rules did not."""
    overdue = now - drift.since > REPAIR_TOO_OLD
    return drift.state == "open" and (drift.reaction == "report" or overdue)


def _trouble(section: str, what: str, since: datetime | None, remedy: str) -> Trouble:
    """`section` is a heading of docs/operations.md."""
    return Trouble(what, since, f"{remedy}; docs/operations.md, '{section}'")
