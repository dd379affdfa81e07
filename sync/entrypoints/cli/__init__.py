"""The command line `fsm-identity`: one module a noun, each with its own `app`; this one puts them together."""

from __future__ import annotations

import typer

from sync.entrypoints.cli import account, database, dev, imports, mappings, realm, technician, work_orders

app = typer.Typer(
    name="fsm-identity",
    help="Accounts, profiles and technician links of a field service system, carried into Keycloak.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.add_typer(account.app, name="account")
app.add_typer(imports.app, name="import")
app.add_typer(technician.app, name="technician")
app.add_typer(work_orders.app, name="work-orders")
app.add_typer(mappings.app, name="mappings")
app.add_typer(database.app, name="database")
app.add_typer(realm.app, name="realm")
app.add_typer(dev.app, name="dev")


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 refused or failed, 2 wrong usage."""
    app()
