"""`fsm-identity technician`: link technician records with accounts, and see who can be given work (B2-B4)."""

from __future__ import annotations

from typing import Annotated

import typer

from sync.commands.accounts.technician import link_technician
from sync.domain.access.scope import Scope
from sync.entrypoints.cli.accounts.person import Who, the_account
from sync.entrypoints.cli.output import AsJson, Reason, actor, failures_shown, print_json, print_table, say
from sync.entrypoints.cli.waiting import Timeout, Wait, wait_for
from sync.views.accounts.assignability import assignability
from sync.wiring.doors import open_desk

app = typer.Typer(help="Technician records and their accounts.", no_args_is_help=True)


@app.command("list")
def list_(
    only_unlinked: Annotated[bool, typer.Option("--unlinked", help="Only those without an account.")] = False,
    as_json: AsJson = False,
) -> None:
    """List technicians with their accounts, who can be given work, and why not."""
    with failures_shown():
        rows = [each for each in assignability(open_desk(), Scope.all()) if not (only_unlinked and each.account)]
        if as_json:
            print_json(rows)
            return
        print_table(
            ["technician", "name", "team", "account", "can be given work"],
            [
                [
                    each.technician.id,
                    each.technician.name,
                    each.technician.team,
                    each.account.username if each.account else None,
                    "no: " + "; ".join(each.reasons) if each.reasons else "yes",
                ]
                for each in rows
            ],
        )


@app.command()
def link(
    technician: Annotated[str, typer.Argument(help="Technician id of the FSM system.")],
    who: Who,
    reason: Reason,
    wait: Wait = True,
    timeout: Timeout = 60,
) -> None:
    """Link a technician record with an account."""
    with failures_shown():
        desk = open_desk()
        account = link_technician(desk, the_account(desk, who).id, technician, actor(reason))
        say(f"{technician} is linked with {account.username}")
        if wait:
            wait_for(desk, account, timeout)


@app.command()
def unlink(who: Who, reason: Reason, wait: Wait = True, timeout: Timeout = 60) -> None:
    """Take the technician link from an account. Refused while work orders are open."""
    with failures_shown():
        desk = open_desk()
        before = the_account(desk, who)
        account = link_technician(desk, before.id, None, actor(reason))
        if before == account:
            say(f"{account.username} has no technician link")
            return
        say(f"{before.technician_id} is no longer linked with {account.username}")
        if wait:
            wait_for(desk, account, timeout)
