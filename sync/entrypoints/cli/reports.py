"""`fsm-identity report`: what is to be looked at over all accounts (D8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from sync.domain.access.scope import Scope
from sync.domain.logins.unused import Patience
from sync.entrypoints.cli.output import AsCsv, AsJson, failures_shown, print_json_list, print_table
from sync.views.reports import Unused
from sync.views.reports import unused as unused_accounts
from sync.wiring.doors import open_desk

app = typer.Typer(no_args_is_help=True)


@app.callback()
def report() -> None:
    """Reports over all accounts."""


@app.command()
def unused(
    days: Annotated[int, typer.Option("--days", min=1, help="Not used for so many days.")] = 90,
    never: Annotated[int, typer.Option("--never", min=1, help="Never used, and made so many days ago.")] = 30,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Active accounts that nobody uses: no login and no token refresh. "unknown": logins may have been missed, so
    nobody can say; account show tells when. Nothing is done about them."""
    with failures_shown():
        desk = open_desk()
        patience = Patience(timedelta(days=days), timedelta(days=never))
        found = unused_accounts(desk, Scope.all(), patience, desk.clock.now())
        if as_json:
            print_json_list(found)
            return
        print_table(
            ["username", "profile", "branch", "use", "last used", "made"],
            map(_cells, found),
            least=("made", "branch"),
            as_csv=as_csv,
        )


def _cells(found: Unused) -> list[object]:
    account = found.account
    last = found.last_used_at
    return [account.username, account.profile, account.branch, found.use, last, account.created_at]
