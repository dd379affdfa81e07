"""`fsm-identity mappings`: check mapping files, see what they would change, bring them into force (E7).

The files of a machine are a proposal: what every process decides by is in our database.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from mappings import load
from mappings.loading import FILES, read_texts
from sync.commands.mappings import adopt as adopt_mappings
from sync.commands.mappings import plan as plan_mappings
from sync.commands.mappings.in_force import adopt_first
from sync.commands.mappings.plan import Proposal
from sync.desk import Desk
from sync.domain.mappings import needs_realm_apply
from sync.domain.wording import counted
from sync.entrypoints.cli.mappings.mappings_view import plan_json, print_plan
from sync.entrypoints.cli.runs.run_view import say_held
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
    stop,
)
from sync.settings import load_settings
from sync.views.mappings import adoption, adoptions
from sync.wiring.doors import open_desk, open_desk_with_policy, open_operator_desk

ON_SCREEN = 100
"""So many policies are listed for people who name no limit."""

app = typer.Typer(no_args_is_help=True)


@app.command()
def check(
    folder: Annotated[Path | None, typer.Argument(help="Folder of files that replace the shipped ones.")] = None,
) -> None:
    """Check the files; each problem is told with its file, line and the nearest valid value."""
    with failures_shown():
        policy = load(folder)
        print_table(
            ["what", "how many"],
            [
                ["profiles", len(policy.profiles)],
                ["features", len(policy.features)],
                ["branches", len(policy.branches)],
                ["teams", len(policy.teams)],
                ["data access levels", len(policy.data_access)],
                ["HR rules", len(policy.hr_rules)],
                ["import columns", len(policy.import_columns)],
                ["closed work-order statuses", len(policy.work_orders.closed_statuses)],
            ],
        )
        say(f"the mapping files {_of(folder)} are good; fingerprint {policy.fingerprint[:12]}")


def _of(folder: Path | None) -> str:
    """Which were looked at: whoever has FSM_MAPPINGS_FOLDER in mind is not to take the shipped ones for those."""
    if folder is not None:
        return f"of {folder}"
    return "of this version (those of a folder: fsm-identity mappings check FOLDER)"


Folder = Annotated[
    Path | None,
    typer.Argument(help="Folder of the new files; else FSM_MAPPINGS_FOLDER, or those of this version."),
]


@app.command()
def plan(
    folder: Folder = None,
    limit: Annotated[int, typer.Option(min=0, help="List so many of the accounts.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show what other files would change, for which accounts. Changes nothing."""
    with failures_shown():
        desk, proposal = _proposed(folder)
        found = plan_mappings.plan(desk, proposal, limit)
        if as_json:
            print_json(plan_json(found))
            return
        print_plan(found)
        say(f"nothing is changed yet; to adopt it: {_command(folder, found.fingerprint)}")


@app.command()
def adopt(
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the history.")] = "",
    folder: Folder = None,
    first: Annotated[
        bool, typer.Option("--first", help="The files of a new database; does nothing if some are in force.")
    ] = False,
    reviewed: Annotated[
        str | None,
        typer.Option("--plan", help="Fingerprint of the plan that was looked at; refused if changed."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Bring other files into force, for every process on every machine. Exit code 1 if it is held."""
    with failures_shown():
        if first:
            _adopt_first(folder, reason)
            return
        desk, proposal = _proposed(folder)
        if reviewed is None and not yes:
            found = plan_mappings.plan(desk, proposal)
            print_plan(found)
            typer.confirm("Bring these files into force?", abort=True)
            reviewed = found.fingerprint
        done = adopt_mappings.adopt(desk, proposal, actor(reason), reviewed)
        if done.number is None and done.run is not None:
            say_held(done.run)
            raise typer.Exit(1)
        say(f"policy {done.number} is in force; {counted(done.plan.for_workers, 'account')} for the workers")
        if needs_realm_apply(proposal.in_force.policy, proposal.policy):
            say("now bring the realm to it, with the same files: fsm-identity realm apply")


@app.command()
def history(limit: Limit = None, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List the policies that were adopted, the newest, which is in force, first."""
    with failures_shown():
        limit = lines_wanted(limit, ON_SCREEN, for_program=as_json or as_csv)
        found = first_of(adoptions(open_desk().db, one_more(limit)), limit)
        if as_json:
            print_json([{name: getattr(each, name) for name in SHOWN} for each in found])
            return
        print_table(
            ["policy", "fingerprint", "adopted", "by", "reason"],
            [
                [each.number, each.fingerprint[:12], each.adopted_at, each.adopted_by, each.reason]
                for each in found
            ],
            as_csv=as_csv,
        )


def _adopt_first(folder: Path | None, reason: str) -> None:
    desk = open_operator_desk()
    by = actor(reason or "first start: there were none in force")
    found = adopt_first(desk.db, folder or desk.settings.mappings_folder, by, desk.clock.now())
    say(f"policy {found.number} is in force; fingerprint {found.policy.fingerprint[:12]}")


def _files(*, in_force: bool, number: int | None) -> Mapping[str, str]:
    if number is None:
        return open_desk_with_policy(load_settings())[1].files if in_force else read_texts()
    return adoption(open_operator_desk().db, number).files


SHOWN = ("number", "fingerprint", "adopted_at", "adopted_by", "reason")


def _proposed(folder: Path | None) -> tuple[Desk, Proposal]:
    settings = load_settings()
    desk, in_force = open_desk_with_policy(settings)
    return desk, plan_mappings.propose(in_force, folder or settings.mappings_folder)


def _command(folder: Path | None, fingerprint: str) -> str:
    named = f" {folder}" if folder is not None else ""
    return f"fsm-identity mappings adopt{named} --plan {fingerprint[:16]} --reason …"


@app.command()
def copy(
    folder: Annotated[Path, typer.Argument(help="An empty or new folder.")],
    in_force: Annotated[
        bool, typer.Option("--in-force", help="The files in force, instead of those this version ships.")
    ] = False,
    number: Annotated[
        int | None, typer.Option("--policy", help="Those of an earlier policy, as `history` numbers it.")
    ] = None,
) -> None:
    """Copy the shipped files, those in force, or earlier ones into a folder, to edit or adopt them there."""
    with failures_shown():
        files = _files(in_force=in_force, number=number)
        folder.mkdir(parents=True, exist_ok=True)
        taken = [name for name in FILES if (folder / name).exists()]
        if taken:
            stop(f"{folder} has {', '.join(taken)} already; nothing was copied")
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")
        say(f"{len(files)} files are in {folder}; FSM_MAPPINGS_FOLDER={folder} makes them those of this machine")
