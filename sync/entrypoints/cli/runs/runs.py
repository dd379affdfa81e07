"""`fsm-identity runs`: reviewed batches of any kind; approve or reject those the mass-change guard holds (E7)."""

from __future__ import annotations

from typing import Annotated

import typer

from sync.commands import run_kinds
from sync.domain.access.scope import Scope
from sync.entrypoints.cli.runs.run_view import plain, print_run, print_runs, run_json, tells
from sync.entrypoints.cli.terminal.output import (
    AsCsv,
    AsJson,
    Limit,
    Reason,
    actor,
    failures_shown,
    first_of,
    lines_wanted,
    one_more,
    print_json,
    say,
)
from sync.store.database.tables import RunKind
from sync.views.runs import find_run, recent_runs, run_view
from sync.wiring.doors import open_desk

ON_SCREEN = 20
"""So many runs are listed for people who name no limit."""

app = typer.Typer(no_args_is_help=True)

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, the end of it, or 'last'.")]


@app.command("list")
def list_(
    held: Annotated[bool, typer.Option("--held", help="Only those that wait for an approval.")] = False,
    kind: Annotated[RunKind | None, typer.Option(help="Only runs of this kind.")] = None,
    limit: Limit = None,
    json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List runs, the newest first."""
    with failures_shown():
        desk = open_desk()
        limit = lines_wanted(limit, ON_SCREEN, for_program=json or as_csv)
        with desk.db.read() as tx:
            found = recent_runs(tx, Scope.all(), one_more(limit), kind, "held" if held else None)
        found = first_of(found, limit)
        if json:
            print_json([plain(run) for run in found])
            return
        print_runs(found, as_csv=as_csv)


@app.command()
def show(
    run: RunArgument,
    everything: Annotated[
        bool, typer.Option("--all", help="List every row, not only those that give, take or move something.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Show what a run changes, why it is held, who approved it."""
    with failures_shown():
        desk = open_desk()
        found = find_run(desk, Scope.all(), run, kind=None)
        with desk.db.read() as tx:
            seen = run_view(tx, Scope.all(), found.id)
        if json:
            print_json(run_json(seen.run, seen.rows, seen.progress))
            return
        print_run(seen.run, [row for row in seen.rows if everything or tells(row)], seen.progress)


@app.command()
def approve(
    run: RunArgument,
    plan: Annotated[
        str, typer.Option("--plan", help="The plan's fingerprint, or its beginning: what was looked at.")
    ],
    reason: Reason,
) -> None:
    """Let a held run go on. Refused if the plan is no longer the one that is named."""
    with failures_shown():
        desk = open_desk()
        approved = run_kinds.approve(desk, find_run(desk, Scope.all(), run, kind=None).id, actor(reason), plan)
        say(f"{approved.title}: approved; the workers are at it")
        if approved.kind == "mappings":
            say("now bring the realm to it, with the same files: fsm-identity realm apply")


@app.command()
def reject(run: RunArgument, reason: Reason) -> None:
    """End a held run; nothing of it is applied."""
    with failures_shown():
        desk = open_desk()
        rejected = run_kinds.reject(desk, find_run(desk, Scope.all(), run, kind=None).id, actor(reason))
        say(f"{rejected.title}: rejected; nothing of it is applied")
