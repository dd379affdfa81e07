"""The command line `fsm-identity`: one module a noun, each with its own `app`; this one puts them together."""

from __future__ import annotations

import typer

app = typer.Typer(
    name="fsm-identity",
    help="Accounts, profiles and technician links of a field service system, carried into Keycloak.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 refused or failed, 2 wrong usage."""
    app()
