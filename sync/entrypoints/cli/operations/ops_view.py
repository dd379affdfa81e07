"""How `fsm-identity ops` prints: one screen of status, queues, quarantine and a timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sync.domain.operations import RECENT, LockedOut
from sync.domain.wording import counted
from sync.domain.work.lane import Lane
from sync.entrypoints.cli.terminal.output import print_table, screen, shown
from sync.store.audit.timeline import TimelineEntry
from sync.store.operations.figures import Figures
from sync.store.operations.troubles import Trouble
from sync.store.provisioning.stuck import Quarantined
from sync.views.operations.quarantine import QuarantineGroup
from sync.views.operations.status import OperationsView

READING_LATE = timedelta(minutes=3)
"""Events are read every 30 s; so old, the count of failed logins may lack some."""

Depths = Mapping[Lane, int] | None
"""Wakes in the queues of the broker; None: it does not answer."""


def print_status(found: Sequence[Trouble], seen: OperationsView, depths: Depths) -> None:
    """Whether people can log in, what is wrong, each with its remedy, then the numbers."""
    figures = seen.figures
    for text in login_lines(seen):
        line(text)
    if found:
        print_troubles(found, figures.at)
    else:
        line("✓ nothing is wrong", color="green")
    screen.line()
    print_queues(figures, depths)
    if counts := numbers(figures):
        print_table(["beside the lanes", "how many"], counts)
    print_workers(seen)


def login_lines(seen: OperationsView) -> tuple[str, ...]:
    """Can people log in? Keycloak and since when, who is locked out, what failed lately."""
    return _keycloak(seen.figures), _locked_out(seen.figures.locked_out), _failures(seen.figures)


def _keycloak(figures: Figures) -> str:
    probe = figures.login_probe
    if probe is None:
        return "Keycloak: nobody has asked yet whether it answers"
    asked = f"asked {span(probe.asked_at, figures.at)} ago"
    since = f"since {probe.since:%Y-%m-%d %H:%M:%S} UTC ({span(probe.since, figures.at)})"
    if probe.is_old(figures.at):
        return f"Keycloak: not known whether it answers, {asked}"
    if not probe.answers:
        return f"Keycloak: does not answer {since}, {asked}"
    if not figures.keycloak_serves_workers:
        return f"Keycloak: answers {since}, {asked}, but the workers cannot use it"
    return f"Keycloak: answers {since}, {asked}"


def _locked_out(found: LockedOut) -> str:
    if not (found.for_a_time or found.for_good):
        return "Locked out: nobody, as last seen"
    number = counted(found.for_a_time + found.for_good, "person")
    return f"Locked out: {number}, as last seen: {found.for_a_time} for a time, {found.for_good} for good"


def _failures(figures: Figures) -> str:
    minutes = f"in the last {RECENT.total_seconds() / 60:.0f} minutes"
    found = figures.login_failures
    said = (
        f"{found.attempts} {minutes}, of {counted(found.users, 'user')}" if found.attempts else f"none {minutes}"
    )
    late = figures.logins_read_until
    behind = late is not None and figures.at - late > READING_LATE
    return f"Failed logins: {said}" + (f"; read to {shown(late)} UTC" if behind else "")


def print_troubles(found: Sequence[Trouble], now: datetime | None = None) -> None:
    """Each with its remedy; `now` None: since when is not said."""
    for each in found:
        since = "" if each.since is None or now is None else f" (for {span(each.since, now)})"
        line(f"✗ {each.what}{since}", color="red")
        line(f"  → {each.remedy}")


def print_queues(figures: Figures, depths: Depths) -> None:
    print_table(
        ["lane", "due", "being worked on", "later", "failing", "oldest waits", "paused by", "wakes"],
        [
            [
                each.lane,
                each.due,
                each.leased,
                each.later,
                each.failing,
                None if each.oldest_due_at is None else span(each.oldest_due_at, figures.at),
                None if each.pause is None else each.pause.paused_by,
                None if depths is None else depths[each.lane],
            ]
            for each in figures.lanes
        ],
    )


def print_runs(figures: Figures) -> None:
    if figures.runs:
        print_table(
            ["run", "kind", "source", "state", "for", "rows pending"],
            [
                [each.id[-8:], each.kind, each.source, each.state, span(each.since, figures.at), each.pending]
                for each in figures.runs
            ],
        )


def print_jobs(figures: Figures) -> None:
    if figures.jobs:
        print_table(
            ["job", "last run ended (UTC)", "next (UTC)", "failures in a row", "last error"],
            [
                [each.name, each.finished_at, each.due_at, each.attempts, each.error and each.error[1]]
                for each in figures.jobs
            ],
        )


def print_workers(seen: OperationsView) -> None:
    figures = seen.figures
    print_table(
        ["worker", "lanes", "host", "process", "seen", "doing"],
        [
            [
                each.name,
                ", ".join(each.lanes),
                each.host,
                each.pid,
                "gone" if each in seen.silent else f"{span(each.seen_at, figures.at)} ago",
                each.doing,
            ]
            for each in figures.workers
        ],
    )


def numbers(figures: Figures) -> list[list[object]]:
    """What waits, beside the lanes; nothing that is 0."""
    by_state: dict[str, int] = {}
    for run in figures.runs:
        by_state[run.state] = by_state.get(run.state, 0) + 1
    rows: list[list[object]] = [
        ["deactivations held", figures.held],
        ["… past their deadline", figures.overdue],
        ["work orders that need another technician", figures.stranded],
        *[[f"in quarantine: {code}", count] for code, count in figures.quarantined.items()],
        *[[f"runs {state}", count] for state, count in sorted(by_state.items())],
        *[[f"mails {state}", count] for state, count in figures.mails.items()],
        *[[f"acts {state}", count] for state, count in figures.acts.items()],
    ]
    for lane, each in figures.latency.items():
        if each.count:
            rows.append([f"{lane.value}: changes brought about", each.count])
            rows.append(["… each in seconds, on average", f"{each.seconds / each.count:.2f}"])
    return [row for row in rows if row[1]]


def print_groups(groups: Sequence[QuarantineGroup], now: datetime, *, as_csv: bool) -> None:
    print_table(
        ["accounts", "kind", "code", "reason", "for", "such as"],
        [
            [
                group.count,
                group.kind,
                group.code,
                group.reason,
                None if group.since is None else span(group.since, now),
                ", ".join(each.username for each in group.accounts),
            ]
            for group in groups
        ],
        as_csv=as_csv,
    )


def print_quarantined(found: Sequence[Quarantined], now: datetime, *, as_csv: bool) -> None:
    """One account a row, with what could not be made."""
    print_table(
        ["username", "kind", "reason", "for", "not as wanted"],
        [
            [
                each.username,
                each.kind,
                each.reason,
                span(each.since, now),
                "\n".join(f"{one.what}: wanted {one.wanted}, found {one.found}" for one in each.differences),
            ]
            for each in found
        ],
        as_csv=as_csv,
    )


def print_timeline(entries: Sequence[TimelineEntry], title: str | None = None, *, as_csv: bool = False) -> None:
    print_table(
        ["time (UTC)", "what", "who and why", "details"],
        [
            [
                entry.at,
                entry.title,
                f"{entry.actor} ({entry.door}): {entry.reason}" if entry.actor else None,
                "\n".join(entry.details),
            ]
            for entry in entries
        ],
        title=title,
        as_csv=as_csv,
    )


def status_json(found: Sequence[Trouble], seen: OperationsView, depths: Depths) -> dict[str, Any]:
    login = {
        "keycloak": seen.figures.login_probe,
        "locked_out": seen.figures.locked_out,
        "failures": seen.figures.login_failures,
    }
    return {
        "login": login,
        "troubles": list(found),
        "figures": figures_json(seen.figures),
        "wakes": wakes_json(depths),
    }


def figures_json(figures: Figures) -> dict[str, Any]:
    """The figures by their names, without the token of a probe."""
    hidden = {"circuits", "latency", "login_probe", "login_failures"}
    plain = {name: getattr(figures, name) for name in figures.__slots__ if name not in hidden}
    latency = {lane.value: each for lane, each in figures.latency.items()}
    circuits = {each.name.value: each.state.value for each in figures.circuits}
    return plain | {"circuits": circuits, "latency": latency}


def wakes_json(depths: Depths) -> dict[str, int] | None:
    return None if depths is None else {lane.value: count for lane, count in depths.items()}


def span(since: datetime, now: datetime) -> str:
    """How long ago, as people say it: in the two largest units."""
    seconds = max(0, int((now - since).total_seconds()))
    for size, unit, rest, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            left = seconds % size // rest
            return f"{seconds // size} {unit} {left} {smaller}" if left else f"{seconds // size} {unit}"
    return f"{seconds} s"


def line(text: str, color: str | None = None) -> None:
    screen.line(shown(text), color=color)
