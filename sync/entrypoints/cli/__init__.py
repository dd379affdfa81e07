"""The command line `fsm-identity`: one module a noun, each with its own `app`; this one puts them together.

A noun's module is imported when the noun is used: one command does not wait for the libraries of the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperGroup
from typer.main import get_group

NOUNS = {
    "account": "accounts.account",
    "technician": "accounts.technician",
    "work-orders": "deactivation",
    "import": "imports.imports",
    "drift": "drift",
    "adopt": "adoption",
    "runs": "runs.runs",
    "ops": "operations.ops",
    "realm": "realm",
    "mappings": "mappings.mappings",
    "settings": "settings",
    "database": "database",
    "dev": "dev",
}
"""Noun to the module that holds its commands, in the order of the help."""


class Nouns(TyperGroup):
    """Finds a noun's commands in its module."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer's own copy of click
        return list(NOUNS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002
        if cmd_name not in NOUNS:
            return None
        module = import_module(f"{__name__}.{NOUNS[cmd_name]}")
        command = get_group(cast(typer.Typer, module.app))
        command.name = cmd_name
        return command


app = typer.Typer(
    name="fsm-identity",
    help="Accounts, profiles and technician links of a field service system, carried into Keycloak.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    cls=Nouns,
)


@app.callback()
def nouns() -> None:
    """Accounts, profiles and technician links of a field service system, carried into Keycloak."""
    import_module(f"{__name__}.output").log_to_errors()


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 refused or failed, 2 wrong usage."""
    app()
