"""What is wrong, from the figures: each trouble with its remedy and the section of docs/operations.md on it (H3).

Pure. `ops status` prints it; deploy/prometheus/alerts.yml asks the same questions of the metrics, with patience.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sync.domain.circuit import CircuitState
from sync.domain.lane import Lane
from sync.store.figures import Figures, LaneFigures

TOO_OLD: Final[Mapping[Lane, timedelta]] = {
    Lane.INTERACTIVE: timedelta(minutes=1),
    Lane.BULK: timedelta(minutes=30),
    Lane.MAIL: timedelta(minutes=10),
    Lane.RECONCILE: timedelta(minutes=15),
}
"""How long the oldest work of a lane may wait. A big import takes its time; a click does not."""

COMMANDS_TOO_OLD = timedelta(minutes=5)

FAST_CLOCK = timedelta(seconds=30)
"""A heartbeat from the future: leases and due times of a machine whose clock is that far ahead are wrong."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`section` is the heading in docs/operations.md, `what` a fact, `remedy` what to do next."""

    section: str
    what: str
    remedy: str


def troubles(figures: Figures) -> tuple[Trouble, ...]:
    """The worst first: what stops everything, what stops something, what waits for a person."""
    return (
        *_circuits(figures),
        *_workers(figures),
        *_lanes(figures),
        *_waiting(figures),
        *_jobs(figures),
        *_commands(figures),
        *_people(figures),
    )


def _circuits(figures: Figures) -> Iterator[Trouble]:
    for each in figures.circuits:
        if each.state is not CircuitState.CLOSED:
            since = "" if each.opened_at is None else f" for {span(figures.at - each.opened_at)}"
            yield Trouble(
                "A circuit is open",
                f"circuit {each.name.value} is {each.state.value}{since}: {each.reason}",
                f"work waits and goes on by itself; once mended, at once with: "
                f"fsm-identity ops circuit probe {each.name.value} --reason …",
            )


def _workers(figures: Figures) -> Iterator[Trouble]:
    alive = [each for each in figures.workers if not each.is_gone(figures.at)]
    for lane in Lane:
        if not any(lane.value in each.lanes for each in alive):
            yield Trouble(
                "No worker serves a lane",
                f"no worker serves the lane {lane.value}",
                f"start one: celery -A workers.app worker -Q {lane.value}",
            )
    for each in figures.workers:
        if each.is_gone(figures.at):
            yield Trouble(
                "No worker serves a lane",
                f"worker {each.name} was last seen {span(figures.at - each.seen_at)} ago",
                f"look at process {each.pid} on {each.host}; what it held is taken over after its lease",
            )
        elif each.seen_at - figures.at > FAST_CLOCK:
            yield Trouble(
                "A worker cannot work",
                f"the clock of {each.host} is {span(each.seen_at - figures.at)} ahead of this one",
                "let both follow a time server",
            )
        if each.trouble is not None:
            yield Trouble(
                "A worker cannot work",
                f"worker {each.name} touches no account: {each.trouble}",
                "mend it; the worker tries again at every wake",
            )


def _lanes(figures: Figures) -> Iterator[Trouble]:
    for each in figures.lanes:
        if each.pause is not None:
            yield Trouble(
                "A lane is paused",
                f"{each.lane.value} is paused since {span(figures.at - each.pause.paused_at)} by "
                f"{each.pause.paused_by}: {each.pause.reason}",
                f"fsm-identity ops resume {each.lane.value} --reason …",
            )
        elif is_late(each, figures.at):
            yield Trouble(
                "Work waits too long",
                f"the oldest of {each.due} in the lane {each.lane.value} waits for "
                f"{span(age(each.oldest_due_at, figures.at))}",
                "see above for what stops it; if nothing does, add workers",
            )


def is_late(lane: LaneFigures, now: datetime) -> bool:
    return age(lane.oldest_due_at, now) > TOO_OLD[lane.lane]


def _waiting(figures: Figures) -> Iterator[Trouble]:
    for each in figures.waiting:
        if each.system == "configuration":
            yield Trouble(
                "Bad input",
                f"{counted(each.accounts, 'account')} cannot be brought about: {each.reason}",
                "mend it; they are looked at again by themselves",
            )


def _jobs(figures: Figures) -> Iterator[Trouble]:
    for each in figures.jobs:
        if each.error is not None:
            kind, text = each.error
            yield Trouble(
                "A periodic job fails",
                f"the job {each.name} failed {counted(each.attempts, 'time')} in a row ({kind}): {text}",
                "it runs again by itself; see the section on jobs if it goes on",
            )


def _commands(figures: Figures) -> Iterator[Trouble]:
    waited = age(figures.oldest_command_at, figures.at)
    if waited > COMMANDS_TOO_OLD:
        yield Trouble(
            "Commands wait",
            f"{counted(sum(figures.commands.values()), 'act')} on accounts not carried out, the oldest asked for "
            f"{span(waited)} ago",
            "see above for what stops the lane; then the account's timeline",
        )


def _people(figures: Figures) -> Iterator[Trouble]:
    for run in figures.runs:
        if run.state == "held":
            why = f": {'; '.join(run.held_reasons)}" if run.held_reasons else ""
            yield Trouble(
                "A run is held",
                f"{run.kind} of {run.source} waits for an approval since {span(figures.at - run.since)}{why}",
                f"fsm-identity runs show {run.id[-8:]}, then approve or cancel it",
            )
    if figures.overdue:
        yield Trouble(
            "A deactivation waits past its deadline",
            f"{counted(figures.overdue, 'deactivation')} held past the deadline",
            "fsm-identity account list --held; move the work orders, or force it",
        )
    for kind, count in figures.quarantined.items():
        yield Trouble(
            "Accounts in quarantine",
            f"{counted(count, 'account')} in quarantine ({kind})",
            f"fsm-identity ops quarantine --kind {kind}",
        )
    if figures.stranded:
        yield Trouble(
            "A deactivation waits past its deadline",
            f"{counted(figures.stranded, 'open work order')} of technicians who lost access",
            "fsm-identity work-orders list",
        )
    if figures.undelivered:
        yield Trouble(
            "A mail failed",
            f"{counted(figures.undelivered, 'person')} got no mail and never logged in",
            "fsm-identity ops mails; then send it again or hand over a password",
        )


def age(since: datetime | None, now: datetime) -> timedelta:
    return timedelta() if since is None else now - since


def span(time: timedelta) -> str:
    """As people say it: the two largest units."""
    seconds = max(0, int(time.total_seconds()))
    for size, unit, rest, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            left = seconds % size // rest
            return f"{seconds // size} {unit} {left} {smaller}" if left else f"{seconds // size} {unit}"
    return f"{seconds} s"


def counted(number: int, noun: str) -> str:
    plural = {"person": "people"}.get(noun, f"{noun}s")
    return f"1 {noun}" if number == 1 else f"{number} {plural}"
