"""`fsm-identity adopt`: users that were in Keycloak before us become users of accounts, after a review (G4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from sync.domain.access.scope import Scope
from sync.domain.wording import counted
from sync.entrypoints.cli.accounts.person import Who, the_account
from sync.entrypoints.cli.output import (
    AsJson,
    Reason,
    actor,
    failures_shown,
    print_json,
    print_table,
    say,
)
from sync.entrypoints.cli.runs.run_view import FINGERPRINT, SHORT
from sync.jobs import adoption
from sync.store.runs.runs import RunRow
from sync.views.runs import find_run
from sync.wiring.workers import open_systems

app = typer.Typer(help="Users of Keycloak that were there before us.", no_args_is_help=True)


@app.command()
def plan(
    reason: Reason,
    employee_number_attribute: Annotated[
        str | None,
        typer.Option(help="The user attribute that holds the employee number; reads all attributes, slowly."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Propose an account for each user that is not ours: matches, and conflicts. Changes nothing."""
    with failures_shown():
        planned = adoption.plan(open_systems(), actor(reason), employee_number_attribute)
        if as_json:
            print_json(planned)
            return
        _print(planned.rows)
        stay = "user matches no account and stays as it is"
        more = "users match no account and stay as they are"
        typer.echo(f"{planned.foreign} {stay if planned.foreign == 1 else more}")
        run, fingerprint = planned.run.id[-SHORT:], planned.run.fingerprint[:FINGERPRINT]
        say(
            "nothing is changed yet; to adopt them: "
            f"fsm-identity adopt apply {run} --plan {fingerprint} --reason …"
        )


@app.command()
def apply(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, the end of it, or 'last'.")],
    reviewed: Annotated[str, typer.Option("--plan", help="Fingerprint of the plan that was looked at.")],
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Adopt every match of the plan. The workers then bring these users to what is wanted of their accounts."""
    with failures_shown():
        desk = open_systems()
        rows = adoption.apply(desk, find_run(desk, Scope.all(), run, kind="adoption").id, reviewed, actor(reason))
        if as_json:
            print_json(rows)
            return
        _print(rows)
        say(f"{counted(sum(row.result == 'applied' for row in rows), 'user')} adopted")


@app.command()
def release(who: Who, reason: Reason, as_json: AsJson = False) -> None:
    """Let go of a user that was adopted by mistake: it loses our groups, our mark and the link to the account. Its
    names stay as they are. The account gets a user of its own, and an active one a new password by mail."""
    with failures_shown():
        desk = open_systems()
        account = the_account(desk, who)
        user = adoption.release(desk, account.id, actor(reason))
        if as_json:
            print_json({"account_id": account.id, "username": account.username, "released": user})
            return
        say(f"Keycloak user {user} is no longer that of {account.username}")


def _print(rows: Iterable[RunRow]) -> None:
    print_table(
        ["user", "e-mail", "matches by", "account", "what"],
        [
            [
                row.original["username"],
                row.original["email"],
                ", ".join(row.messages["matched_by"]),
                row.account_id,
                row.result_message or row.result or "; ".join(row.messages["errors"]) or "to adopt",
            ]
            for row in rows
        ],
    )
