"""The nouns of the command line put together: a noun's module is imported when the noun is used, and one command
does not wait for the libraries of the others."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperGroup
from typer.main import get_group

from sync.entrypoints.cli import ABOUT, NOUNS, overview


class Nouns(TyperGroup):
    """Finds a noun's commands in its module."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer's own copy of click
        return list(NOUNS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002
        if cmd_name not in NOUNS:
            return None
        where, about = NOUNS[cmd_name]
        command = get_group(cast(typer.Typer, import_module(f"sync.entrypoints.cli.{where}").app))
        command.name, command.help = cmd_name, about
        return command

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002
        formatter.write(overview())


app = typer.Typer(
    name="fsm-identity", help=ABOUT, no_args_is_help=True, pretty_exceptions_show_locals=False, cls=Nouns
)


@app.callback()
def nouns() -> None:
    """Accounts, profiles and technician links of a field service system, carried into Keycloak."""
    import_module("sync.entrypoints.cli.terminal.output").log_to_errors()
