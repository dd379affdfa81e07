"""Showing an import on the command line: what was decided, how far it is, what became of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from mappings.guard import KINDS
from sync.desk import Desk
from sync.domain.access.scope import Scope
from sync.domain.imports.verdict import findings
from sync.domain.runs.guard import WORDS
from sync.domain.wording import counted, how_long
from sync.entrypoints.cli.runs.run_view import SHORT, happening, row_json
from sync.entrypoints.cli.terminal.output import errors, print_table, say, screen, shown, warn
from sync.store.runs.progress import Progress
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run
from sync.views.imports import what_is_wrong
from sync.views.runs import RunView, run_progress, run_view

LOOK_EVERY_SECONDS = 0.25


def print_review(run: Run, rows: Sequence[RunRow], *, everything: bool) -> None:
    """The rows that want to be looked at (errors, warnings, whoever gains or loses access), or all of them; then
    what kinds of change there are, and the counts."""
    options = run.options
    read_as = f"{options['read_as']}, titles in row {options['header_row']}, {len(rows)} rows"
    screen.line(f"{run.source}  {read_as}", bold=True)
    titles = options["titles"]
    known = ", ".join(f"{titles[letters]} → {name}" for name, letters in options["fields"].items())
    screen.line(f"columns: {known}")
    if options["ignored"]:
        left_out = [titles[address.rstrip("0123456789")] for address in options["ignored"]]
        screen.line(f"not used: {', '.join(left_out)} (use --map to say what they are)")
    picked = [row for row in rows if everything or _tells(row)]
    if picked:
        print_table(
            ["row", "who", "verdict", "what"],
            [[row.number, row.messages["who"], row.verdict, "\n".join(lines(row))] for row in picked],
        )
    print_counts(run)


def _tells(row: RunRow) -> bool:
    return row.verdict == "error" or bool(row.messages["warnings"] or row.messages.get("effects"))


def print_counts(run: Run) -> None:
    happens = run.options.get("effects", {})
    if happens:
        print_table(
            ["accounts that would be", "how many"],
            [[WORDS[kind], happens[kind]] for kind in KINDS if kind in happens],
        )
    print_table(list(run.counts), [list(run.counts.values())])
    if run.state == "reviewed":
        for reason in run.options.get("will_be_held", ()):
            warn(f"needs an approval after the confirmation: {reason}")
    screen.line(f"run         {run.id}  ({run.state})")
    screen.line(f"fingerprint {run.fingerprint[:16]}")


def print_asked_for(run: Run, now: datetime) -> None:
    """What is confirmed: of which file, by whom and when it was reviewed, who is mailed; then the counts."""
    age, mails = how_long(now - run.created_at), run.counts["create"]
    screen.line(f"{run.source}  reviewed by {run.by.name} {age} ago", bold=True)
    if not run.options["welcome_mail"]:
        mailed = "nobody: joiners have no password until an administrator gives them one"
    elif mails:
        mailed = f"{counted(mails, 'joiner')}, with a temporary password, as soon as Keycloak has them"
    else:
        mailed = "nobody"
    screen.line(f"mailed      {mailed}")
    print_counts(run)


def say_it_goes_on(run: Run, after: int | None = None) -> None:
    """Who stops watching stops nothing. `after`: so many seconds there were to wait."""
    short = run.id[-SHORT:]
    why = "no longer watched" if after is None else f"not finished after {after} s"
    warn(f"{run.source}: {why}; it goes on by itself")
    errors.line(f"watch it: fsm-identity import show {short}")
    errors.line(f"stop it:  fsm-identity import cancel {short}  (what was applied stays)")


def lines(row: RunRow) -> list[str]:
    """What a person has to know about a row: errors, warnings, differences."""
    told = [str(finding) for finding in findings(row.messages, "errors")]
    told += [f"warning: {finding}" for finding in findings(row.messages, "warnings")]
    told += happening(row)
    for name, (before, after) in row.changes.get("change", {}).items():
        told.append(f"{name}: {shown(before)} → {shown(after)}")
    return told


def print_outcome(desk: Desk, run_id: str) -> Progress:
    """The result table, and every row that failed. Returns the progress it was made from."""
    seen = _seen(desk, run_id)
    run, progress, places = seen.run, seen.progress, seen.places
    print_table(
        ["applied", *progress.places, "refused", "to apply", "errors", "unchanged"],
        [
            [
                progress.applied,
                *progress.places.values(),
                progress.refused,
                progress.pending,
                run.counts["error"],
                run.counts["unchanged"],
            ]
        ],
        title=f"{run.source}: {run.state}",
    )
    failed = [
        [row.number, row.messages["who"], "; ".join(what_is_wrong(run, row, places.get(row.number)))]
        for row in seen.rows
        if row.result in {"refused", "failed"} or places.get(row.number, ("", None))[0] == "quarantined"
    ]
    if failed:
        print_table(["row", "who", "why it is not in Keycloak"], failed, on=errors)
    return progress


def as_json(desk: Desk, run_id: str) -> dict[str, Any]:
    """The run, its progress and all its rows, for programs."""
    seen = _seen(desk, run_id)
    places = seen.places
    return {
        "run": seen.run,
        "progress": seen.progress,
        "rows": [
            row_json(row) | {"place": places[row.number][0] if row.number in places else None} for row in seen.rows
        ],
    }


def follow(desk: Desk, run_id: str, timeout: int) -> bool:
    """Show the bar until every row is in Keycloak, held or quarantined. False: the time was up before."""
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as Bar

    until = time.monotonic() + timeout
    with Bar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=errors.console,
        transient=True,
    ) as bar:
        task = bar.add_task("applying", total=None)
        while True:
            with desk.db.read() as tx:
                now = run_progress(tx, Scope.all(), run_id)
            bar.update(task, total=now.total, completed=now.settled, description=_stage(now))
            if now.finished:
                return True
            if time.monotonic() > until:
                return False
            time.sleep(LOOK_EVERY_SECONDS)


def _stage(now: Progress) -> str:
    stored = f"{now.applied} stored, {now.places['in Keycloak']} in Keycloak"
    rest = [
        f"{count} {place}" for place, count in now.places.items() if count and place in {"held", "quarantined"}
    ]
    return ", ".join([stored, *rest])


def say_next(run: Run) -> None:
    """The command that follows a review."""
    if run.counts["create"] or run.counts["update"]:
        say(f"nothing is changed yet; to apply it: fsm-identity import confirm {run.id[-SHORT:]}")
    else:
        say("there is nothing to apply")


def _seen(desk: Desk, run_id: str) -> RunView:
    with desk.db.read() as tx:
        return run_view(tx, Scope.all(), run_id)
