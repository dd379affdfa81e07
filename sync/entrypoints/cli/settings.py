"""`fsm-identity settings`: all that is wrong with them at once, before anything is written; a new key (J3).

Reads settings and nothing else: no database, no Keycloak.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from sync.entrypoints.cli.terminal.output import AsJson, errors, print_json, print_table, say
from sync.settings import (
    BESIDE,
    KEY_BYTES,
    PROCESSES,
    Settings,
    SettingsError,
    checked,
    every_setting,
    needing,
    no_setting,
)

app = typer.Typer(no_args_is_help=True)


@app.command()
def check(
    process: Annotated[
        list[str] | None,
        typer.Option("--for", help=f"With the secrets of this process: {', '.join(PROCESSES)}. Several times."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Name all that is missing or wrong at once. Exit code 1 if something is.

    What only some processes need is an error for those that --for names, and a table without it.
    """
    unknown = [each for each in process or () if each not in PROCESSES]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: one of {', '.join(PROCESSES)}", param_hint="--for")
    secrets = [secret for each in process or () for secret in PROCESSES[each]]
    problems = [*_wrong(secrets), *_unknown()]
    lacking = {name: _wrong(needs) for name, needs in PROCESSES.items()}
    if as_json:
        print_json({"problems": problems, "processes": {name: wrong == [] for name, wrong in lacking.items()}})
    else:
        for each in problems:
            errors.marked("✗", "red", each)
        if not problems:
            say("the settings are complete")
            print_table(["process", "starts", "lacks"], [_row(*each) for each in lacking.items()])
    if problems:
        raise typer.Exit(1)


@app.command()
def key() -> None:
    """Make a key for FSM_SECRET_KEYS and print it. Nothing is stored: keep it where your secrets are."""
    typer.echo(urlsafe_b64encode(os.urandom(KEY_BYTES)).decode())


def _row(name: str, wrong: list[str]) -> list[object]:
    return [name, "no" if wrong else "yes", "\n".join(each.partition(":")[0] for each in wrong)]


def _wrong(secrets: list[str] | tuple[str, ...]) -> list[str]:
    try:
        settings = checked(needing(secrets))
    except SettingsError as error:
        return list(error.problems)
    folders = {
        "FSM_MAPPINGS_FOLDER": settings.mappings_folder,
        "FSM_MAIL__TEMPLATES_FOLDER": settings.mail.templates_folder,
    }
    return [
        f"{name}: {folder} is not a folder"
        for name, folder in folders.items()
        if folder is not None and not folder.is_dir()
    ]


def _unknown() -> list[str]:
    """A misspelt variable is read by nobody, and its setting has its default in silence."""
    known = [name for name, _ in every_setting(Settings)] + list(BESIDE)
    tables = tuple(f"FSM_{name.upper()}__" for name in ("keycloak", "mail"))
    return [
        no_setting(name, known) for name in sorted(_named()) if name not in known and not name.startswith(tables)
    ]


def _named() -> Iterator[str]:
    """Variables that look like ours, and files of secrets."""
    yield from (name for name in os.environ if name.startswith("FSM_"))
    folder = os.environ.get("FSM_SECRETS_DIR")
    if folder and Path(folder).is_dir():
        yield from (path.name for path in Path(folder).iterdir() if path.name.startswith("FSM_"))
