"""`fsm-identity import`: review a staff file, confirm exactly what was reviewed, watch it reach Keycloak.

Exit code 1: the file was refused, rows are errors (`review`), the run is held for an approval or rows did not
reach Keycloak (`confirm`). 130: Ctrl-C ended the watching, and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from sync.commands.imports.confirm import cancel as cancel_import
from sync.commands.imports.confirm import confirm as confirm_import
from sync.commands.imports.review import ImportOptions
from sync.commands.imports.review import review as review_import
from sync.desk import Desk
from sync.domain.access.scope import Scope
from sync.domain.errors import Problem, Refused
from sync.entrypoints.cli.imports.import_view import (
    as_json,
    follow,
    print_asked_for,
    print_outcome,
    print_review,
    say_it_goes_on,
    say_next,
)
from sync.entrypoints.cli.machine import this_machine
from sync.entrypoints.cli.runs.run_view import SHORT, say_held
from sync.entrypoints.cli.terminal.files import new_file
from sync.entrypoints.cli.terminal.output import (
    AsCsv,
    AsJson,
    Limit,
    actor,
    failures_shown,
    first_of,
    lines_wanted,
    one_more,
    print_json,
    print_table,
    say,
)
from sync.spreadsheet.reading import load_file
from sync.spreadsheet.template import template as template_file
from sync.spreadsheet.writing import FileKind
from sync.store.runs.runs import Run
from sync.views.imports import error_file
from sync.views.runs import find_run, recent_runs, run_progress, run_view
from sync.wiring.doors import open_desk

app = typer.Typer(no_args_is_help=True)

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, the end of it, or 'last': your own.")]
INTERRUPTED = 130
"""What a shell says of a command that was ended by Ctrl-C."""

ON_SCREEN = 20
"""So many imports are listed for people who name no limit."""

Everything = Annotated[bool, typer.Option("--all", help="Show every row, not only errors and warnings.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="The file to write.", show_default=False)]


@app.command()
def review(
    file: Annotated[Path, typer.Argument(help="A staff file: .xlsx or .csv.", show_default=False)],
    by_hand: Annotated[
        list[str] | None,
        typer.Option("--map", help="Say what a column is: 'Title=field' or 'F=field'; 'Title=' leaves it out."),
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="The sheet to read; else the first that is not empty.")] = None,
    welcome_mail: Annotated[bool, typer.Option(help="Mail joiners their temporary password.")] = True,
    all_or_nothing: Annotated[bool, typer.Option(help="Apply no row if one cannot be applied.")] = False,
    reason: Annotated[str, typer.Option(help="Why; it is kept in the history.")] = "staff import",
    everything: Everything = False,
    json: AsJson = False,
) -> None:
    """Show what a staff file would change. Nothing is changed. Exit code 1 if a row is an error."""
    with failures_shown():
        desk = open_desk()
        options = ImportOptions(_columns(by_hand or []), sheet, welcome_mail, all_or_nothing)
        found = review_import(desk, load_file(file), file.name, actor(reason), options)
        if json:
            print_json(as_json(desk, found.run.id))
        else:
            print_review(found.run, found.rows, everything=everything)
            say_next(found.run)
        if found.run.counts["error"]:
            raise typer.Exit(1)


@app.command()
def confirm(
    run: RunArgument,
    fingerprint: Annotated[
        str | None, typer.Option(help="The review's fingerprint, or its beginning: only that plan is applied.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="The file: refused if it is not the one reviewed.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    reason: Annotated[str, typer.Option(help="Why; it is kept in the history.")] = "confirmed after review",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until Keycloak has every row.")] = True,
    timeout: Annotated[int, typer.Option(min=1, help="Seconds to wait at most.")] = 600,
    json: AsJson = False,
) -> None:
    """Apply exactly what was reviewed. Exit code 1 if it is held or a row did not reach Keycloak."""
    with failures_shown():
        desk = open_desk()
        found = _the_run(desk, run)
        content = load_file(file) if file is not None else None
        if not yes and found.state == "reviewed":
            print_asked_for(found, desk.clock.now())
            typer.confirm("Apply this?", abort=True)
        confirmed = confirm_import(desk, found.id, actor(reason), fingerprint=fingerprint, content=content)
        if confirmed.state == "held":
            if json:
                print_json(as_json(desk, found.id))
            else:
                say_held(confirmed)
            raise typer.Exit(1)
        if not json:
            say(f"{found.source}: confirmed; the workers are at it")
        try:
            finished = not wait or follow(desk, found.id, timeout)
        except KeyboardInterrupt:
            say_it_goes_on(found)
            raise typer.Exit(INTERRUPTED) from None
        if json:
            print_json(as_json(desk, found.id))
        elif wait and finished:
            print_outcome(desk, found.id)
        if not finished:
            say_it_goes_on(found, after=timeout)
            raise typer.Exit(1)
        with desk.db.read() as tx:
            progress = run_progress(tx, Scope.all(), found.id)
        if progress.refused or progress.places["quarantined"] or progress.state == "refused":
            raise typer.Exit(1)


@app.command()
def show(run: RunArgument, everything: Everything = False, json: AsJson = False) -> None:
    """Show what was reviewed and how far it is."""
    with failures_shown():
        desk = open_desk()
        found = _the_run(desk, run)
        if json:
            print_json(as_json(desk, found.id))
            return
        with desk.db.read() as tx:
            rows = run_view(tx, Scope.all(), found.id).rows
        print_review(found, rows, everything=everything)
        if found.state == "held":
            say_held(found)
        if found.confirmed_at is not None:
            print_outcome(desk, found.id)


@app.command("list")
def list_(limit: Limit = None, json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List imports, the newest first."""
    with failures_shown():
        desk = open_desk()
        limit = lines_wanted(limit, ON_SCREEN, for_program=json or as_csv)
        with desk.db.read() as tx:
            found = recent_runs(tx, Scope.all(), one_more(limit), "import")
        found = first_of(found, limit)
        if json:
            print_json(found)
            return
        print_table(
            ["run", "file", "state", "reviewed", "by", "create", "update", "errors"],
            [
                [
                    run.id[-SHORT:],
                    run.source,
                    run.state,
                    run.created_at,
                    run.by.name,
                    run.counts["create"],
                    run.counts["update"],
                    run.counts["error"],
                ]
                for run in found
            ],
            least=("by", "reviewed"),
            as_csv=as_csv,
        )


@app.command()
def errors(run: RunArgument, output: Output) -> None:
    """Write the rows that were not applied, with what is wrong; mend them and import the file."""
    with failures_shown():
        kind = _kind(output)
        desk = open_desk()
        found = _the_run(desk, run)
        _write(output, error_file(desk, Scope.all(), found, kind))


@app.command()
def template(
    output: Output,
    language: Annotated[str, typer.Option(help="Of the column titles.")] = "en",
) -> None:
    """Write an empty staff file (.xlsx) with the titles and drop-downs of the mapping files in force."""
    with failures_shown():
        if _kind(output) != "xlsx":
            raise Refused([Problem("output", "a template has drop-downs", "name it .xlsx")])
        _write(output, template_file(open_desk().policy, language))


@app.command()
def cancel(
    run: RunArgument, reason: Annotated[str, typer.Option(help="Why; it is kept in the history.")] = "cancelled"
) -> None:
    """Apply nothing more of an import; what was applied stays."""
    with failures_shown():
        desk = open_desk()
        ended = cancel_import(desk, _the_run(desk, run).id, actor(reason))
        say(f"{ended.source}: nothing more of it is applied")


def _the_run(desk: Desk, named: str) -> Run:
    """`last` is the last that was reviewed at this login: nobody confirms another one's by it."""
    return find_run(desk, Scope.all(), named, "import", whose=this_machine())


def _columns(by_hand: list[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for each in by_hand:
        title, sign, name = each.rpartition("=")
        if not sign or not title.strip():
            raise Refused([Problem("map", f"{each!r} is not understood", "write it like 'Title=field'")])
        columns[title.strip()] = name.strip()
    return columns


def _kind(output: Path) -> FileKind:
    suffix = output.suffix.lower().lstrip(".")
    for kind in get_args(FileKind):
        if suffix == kind:
            return kind  # type: ignore[no-any-return]
    raise Refused([Problem("output", f"{output.name} is neither .xlsx nor .csv", "name the file so")])


def _write(output: Path, content: bytes) -> None:
    with new_file(output) as file:
        file.write(content)
    say(f"wrote {output}")
