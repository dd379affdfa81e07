"""`fsm-identity mappings`: check the mapping files before they are used, and copy them out to edit them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from mappings import load
from mappings.loading import FILES
from sync.entrypoints.cli.output import failures_shown, print_table, say, stop

app = typer.Typer(help="The files that say who gets what.", no_args_is_help=True)


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
        say(f"the mapping files are good; fingerprint {policy.fingerprint[:12]}")


@app.command()
def copy(folder: Annotated[Path, typer.Argument(help="An empty or new folder.")]) -> None:
    """Copy the shipped files into a folder, to edit them there; FSM_MAPPINGS_FOLDER then names it."""
    with failures_shown():
        folder.mkdir(parents=True, exist_ok=True)
        taken = [name for name in FILES if (folder / name).exists()]
        if taken:
            stop(f"{folder} has {', '.join(taken)} already; nothing was copied")
        for name in FILES:
            (folder / name).write_text(files("mappings").joinpath(name).read_text("utf-8"), "utf-8")
        say(f"{len(FILES)} files are in {folder}; set FSM_MAPPINGS_FOLDER={folder} to use them")
