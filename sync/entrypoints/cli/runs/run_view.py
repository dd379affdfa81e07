"""Showing a run of any kind on the command line: why it is held, what it would change, who approved it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from mappings.guard import KINDS
from sync.domain.runs.guard import WORDS
from sync.entrypoints.cli.terminal.output import errors, print_table, shown
from sync.store.runs.progress import Progress
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run

SHORT = 8
"""The last characters of a run's id that are shown to be typed: the first ones are the time."""
FINGERPRINT = 16


def print_runs(runs: Iterable[Run], *, as_csv: bool) -> None:
    print_table(
        ["run", "kind", "source", "state", "made", "by", "changes"],
        [
            [run.id[-SHORT:], run.kind, run.source, run.state, run.created_at, run.by.name, _changes(run)]
            for run in runs
        ],
        least=("by", "made"),
        as_csv=as_csv,
    )


def print_run(run: Run, rows: Iterable[RunRow], progress: Progress) -> None:
    print_table(
        [run.title, ""],
        [
            ["run", run.id],
            ["state", run.state],
            ["made", f"{shown(run.created_at)} by {run.by}"],
            ["plan", run.fingerprint[:FINGERPRINT]],
            *([["confirmed", f"{shown(run.confirmed_at)} by {run.confirmation}"]] if run.confirmed_at else []),
            *([["approved", f"{shown(run.approved_at)} by {run.approval}"]] if run.approved_at else []),
            ["rows", _counted(run) or "none"],
            ["applied", f"{progress.applied} of {progress.total}, {progress.refused} refused"],
        ],
    )
    listed = [
        [row.number, row.messages.get("who"), _verdict(run, row.verdict), "\n".join(_lines(row))] for row in rows
    ]
    if listed:
        print_table(["row", "who", "verdict", "what"], listed)
    if run.state == "held":
        say_held(run)


def say_held(run: Run) -> None:
    """Why nothing is applied, and the two commands that end it."""
    errors.marked("held", "yellow", f"nothing of {run.title} is applied before somebody approves it:")
    for reason in run.held_reasons or ():
        errors.line(f"  {reason}")
    short, plan = run.id[-SHORT:], run.fingerprint[:FINGERPRINT]
    errors.line(f"look:    fsm-identity runs show {short} --all")
    errors.line(f"approve: fsm-identity runs approve {short} --plan {plan} --reason …")
    errors.line(f"or:      fsm-identity runs reject {short} --reason …")


def plain(run: Run) -> dict[str, Any]:
    """The run for programs, without the mapping files it may carry."""
    values = {each.name: getattr(run, each.name) for each in fields(run)}
    return values | {"options": {name: value for name, value in run.options.items() if name != "files"}}


def run_json(run: Run, rows: Iterable[RunRow], progress: Progress) -> dict[str, Any]:
    return {
        "run": plain(run),
        "progress": progress,
        "rows": [row_json(row) for row in rows],
    }


def row_json(row: RunRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "verdict": row.verdict,
        **row.messages,
        **row.changes,
        "account_id": row.account_id,
        "result": row.result,
        "result_message": row.result_message,
    }


def tells(row: RunRow) -> bool:
    """True for a row that gives, takes or moves something: what the guard looks at."""
    return bool(row.messages.get("effects")) or bool(_GRANTS & row.changes.get("change", {}).keys())


_GRANTS = frozenset({"profile", "branch", "team", "data_access", "technician_id"})


def _changes(run: Run) -> int:
    return run.counts.get("create", 0) + run.counts.get("update", 0)


def _counted(run: Run) -> str:
    return ", ".join(f"{count} {_verdict(run, name)}" for name, count in run.counts.items() if count)


def _verdict(run: Run, verdict: str) -> str:
    """A row of mapping files that needs no worker is no row without a change: `realm apply` changes the roles of
    its groups, for all members at once."""
    return "by realm apply" if run.kind == "mappings" and verdict == "unchanged" else verdict


def _lines(row: RunRow) -> list[str]:
    told = happening(row)
    if row.messages.get("does") and "new" in row.changes:
        told.append(row.messages["does"])
    for name, (before, after) in row.changes.get("change", {}).items():
        told.append(f"{name}: {_text(before)} → {_text(after)}")
    if row.result_message:
        told.append(f"{row.result}: {row.result_message}")
    return told


def happening(row: RunRow) -> list[str]:
    """What the guard looks at, in words, and for somebody new what it is because of."""
    effects = row.messages.get("effects", ())
    told = [WORDS[kind] for kind in KINDS if kind in effects]
    new = row.changes.get("new", {}) if effects else {}
    return told + [f"{name}: {shown(new[name])}" for name in ("profile", "data_access") if name in new]


def _text(value: object) -> str:
    return ", ".join(map(str, value)) or "–" if isinstance(value, list) else shown(value)
