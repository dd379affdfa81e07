"""`fsm-identity database`: bring our database to this version, take it back, say where it stands (J4).

Needs no other setting than the database's URL: it runs before the rest of the system is set up.
"""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from sync.entrypoints.cli.terminal.output import AsJson, failures_shown, print_json, say, screen
from sync.settings import Settings, checked
from sync.store.database import schema
from sync.store.database.schema import SchemaStatus

app = typer.Typer(no_args_is_help=True)


class DatabaseSettings(BaseSettings):
    """`FSM_DATABASE_URL` alone, from wherever `Settings` would take it; the other settings may be missing."""

    model_config = SettingsConfigDict(env_prefix="FSM_", extra="ignore", frozen=True)

    database_url: SecretStr

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return Settings.settings_customise_sources(
            settings_cls, init_settings, env_settings, dotenv_settings, file_secret_settings
        )


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Create the tables, or bring those of an older version up to this one. Safe to run again."""
    with failures_shown():
        _show(schema.upgrade(_url()), as_json=as_json)


@app.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help='The revision to go back to; "base" removes every table.')],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Go back to an older version. What only the newer tables held is lost."""
    with failures_shown():
        url = _url()
        if not yes:
            typer.confirm(f"Go back to {revision}, and lose what only newer tables hold?", abort=True)
        _show(schema.downgrade(url, revision), as_json=as_json)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say at which revision the database is. Exit code 1 when an upgrade is needed."""
    with failures_shown():
        found = schema.status(_url())
        _show(found, as_json=as_json)
        if found.waiting:
            raise typer.Exit(1)


def _show(found: SchemaStatus, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    elif not found.waiting:
        say(f"our database is at revision {found.current}, the newest")
    else:
        at = f"at revision {found.current}" if found.current else "without tables"
        screen.line(f"our database is {at}; still to run: {', '.join(found.waiting)}")


def _url() -> str:
    return checked(DatabaseSettings).database_url.get_secret_value()
