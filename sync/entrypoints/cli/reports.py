"""`fsm-identity report`: what is to be looked at over all accounts (D8), and who had access when (G2)."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated

import typer

from sync.domain.access.scope import Scope
from sync.domain.logins.unused import Patience
from sync.domain.reports.access import AccessRow, KeycloakAccess, WantedAccess
from sync.domain.reports.past import Word
from sync.entrypoints.cli.accounts.person import account_in
from sync.entrypoints.cli.terminal.output import (
    AsCsv,
    AsJson,
    Limit,
    failures_shown,
    lines_wanted,
    print_json_list,
    print_table,
    say_more,
    shown,
    stop,
)
from sync.store.reports import AccessQuery
from sync.views.reports import Unused
from sync.views.reports import access as access_of_all
from sync.views.reports import unused as unused_accounts
from sync.wiring.doors import open_desk, open_operator_desk

app = typer.Typer(no_args_is_help=True)

ON_SCREEN = 100
AT_ONCE = 500
NOT_KNOWN = "not known"


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


@app.command()
def access(
    at: Annotated[
        str | None,
        typer.Option(
            "--at", help="When, with a zone: 2026-03-31T18:00+02:00. Now, if left out.", show_default=False
        ),
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", help="Only this account.", show_default=False)
    ] = None,
    branch: Annotated[
        str | None, typer.Option("--branch", help="Only of this branch then.", show_default=False)
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", help="Only with this profile then.", show_default=False)
    ] = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="Also people to whom neither side gave anything then.")
    ] = False,
    limit: Limit = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Who had access to what at a moment, since when and why: what was wanted, and what Keycloak held. A leaver
    has access until it is gone there. Features are those of the mapping files in force then."""
    with failures_shown():
        desk = open_operator_desk()
        moment = desk.clock.now() if at is None else _moment(at)
        account_id = None
        if account is not None:
            with desk.db.read() as tx:
                account_id = account_in(tx, account).id
        query = AccessQuery(moment, account_id, profile, branch, limit=AT_ONCE)
        rows = access_of_all(desk, Scope.all(), query, everybody=everybody or account is not None)
        found = (row for _, row in rows)
        limit = lines_wanted(limit, ON_SCREEN, for_program=as_json or as_csv)
        listed = islice(found, limit)
        if as_json:
            print_json_list(listed)
        else:
            print_table(
                [
                    "username",
                    "access",
                    "wanted",
                    "since",
                    "by",
                    "reason",
                    "in Keycloak",
                    "there since",
                    "features",
                ],
                map(_access_cells, listed),
                least=("features", "reason", "by", "there since"),
                as_csv=as_csv,
            )
        if limit is not None and next(found, None) is not None:
            say_more(limit)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        stop(f"--at: {text!r} is no time; write it like 2026-03-31T18:00+02:00, or with Z for UTC")
    if moment.tzinfo is None:
        stop(f"--at: {text!r} has no zone, and could be meant anywhere; add one, such as +02:00, or Z for UTC")
    return moment


def _access_cells(row: AccessRow) -> list[object]:
    wanted, there = row.wanted, row.keycloak
    last = None if wanted is None else _last_word(wanted)
    features = there.features if there is not None else None if wanted is None else wanted.features
    return [
        row.username,
        row.access,
        NOT_KNOWN if wanted is None else _wanted(wanted),
        None if last is None else last.at,
        None if last is None else f"{last.by} ({last.door})",
        None if last is None else last.reason,
        _in_keycloak(there, known=row.keycloak_known),
        None if there is None else there.since,
        NOT_KNOWN if features is None else ", ".join(features),
    ]


def _last_word(wanted: WantedAccess) -> Word:
    """Of what was given and of being active or not."""
    return max(filter(None, (wanted.given, wanted.life_given)), key=lambda word: word.at)


def _wanted(wanted: WantedAccess) -> str:
    return _listed(
        wanted.life or f"active or not: {NOT_KNOWN}",
        wanted.profile,
        wanted.branch,
        wanted.team,
        f"data access {wanted.data_access or NOT_KNOWN}",
        wanted.technician_id,
    )


def _in_keycloak(there: KeycloakAccess | None, *, known: bool) -> str:
    if there is None:
        return "no user" if known else NOT_KNOWN
    state = "enabled" if there.enabled else "disabled"
    return _listed(
        f"{state}, sessions may go on" if there.sessions_may_go_on else state,
        " and ".join(there.profiles) or "no profile",
        *there.branches,
        *there.teams,
        f"data access {' and '.join(there.data_access) or 'none'}",
        there.technician_id,
        *there.roles,
        f"drift: {', '.join(there.drift)}" if there.drift else None,
    )


def _listed(*parts: str | None) -> str:
    return ", ".join(shown(part) for part in parts if part)
