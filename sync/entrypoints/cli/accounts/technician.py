"""`fsm-identity technician`: link technician records with accounts, and see who can be given work (B2-B4)."""

from __future__ import annotations

from typing import Annotated

import typer

from sync.commands.accounts.change import Changed
from sync.commands.accounts.technician import link_technician
from sync.desk import Desk
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.deactivation.gate import GatePolicy
from sync.entrypoints.cli.accounts.open_work import Policy, Yes, confirm_force
from sync.entrypoints.cli.accounts.person import Who, the_account
from sync.entrypoints.cli.terminal.output import (
    AsCsv,
    AsJson,
    Reason,
    actor,
    failures_shown,
    print_json,
    print_table,
    print_work_orders,
    say,
)
from sync.entrypoints.cli.waiting import Timeout, Wait, wait_for
from sync.views.accounts.assignability import assignability
from sync.wiring.doors import open_desk

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(
    only_unlinked: Annotated[bool, typer.Option("--unlinked", help="Only those without an account.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
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
            least=("team", "name"),
            as_csv=as_csv,
        )


@app.command()
def link(
    technician: Annotated[str, typer.Argument(help="Technician id of the FSM system.")],
    who: Who,
    reason: Reason,
    policy: Policy = GatePolicy.REFUSE,
    yes: Yes = False,
    wait: Wait = True,
    timeout: Timeout = 60,
) -> None:
    """Link a technician record with an account. The policy is for the work orders of the one that it had."""
    with failures_shown():
        desk = open_desk()
        before = the_account(desk, who)
        changed = _link(desk, before, technician, reason, policy, yes=yes)
        say(f"{technician} is linked with {changed.account.username}")
        _wait(desk, changed, timeout if wait else None)


@app.command()
def unlink(
    who: Who,
    reason: Reason,
    policy: Policy = GatePolicy.REFUSE,
    yes: Yes = False,
    wait: Wait = True,
    timeout: Timeout = 60,
) -> None:
    """Take the technician link from an account. While work orders are open: refused, held until they are done, or
    forced."""
    with failures_shown():
        desk = open_desk()
        before = the_account(desk, who)
        changed = _link(desk, before, None, reason, policy, yes=yes)
        if not changed.stored:
            say(f"{before.username} has no technician link")
            return
        whose = before.technician_id or "the technician it had"
        waits = "it is stored that " if changed.work_orders and policy is GatePolicy.HOLD else ""
        say(f"{waits}{whose} is no longer linked with {before.username}")
        _wait(desk, changed, timeout if wait else None)


def _link(
    desk: Desk, before: Account, technician: str | None, reason: str, policy: GatePolicy, *, yes: bool
) -> Changed:
    if policy is GatePolicy.FORCE:
        whose = before.technician_id or "the technician"
        confirm_force(desk, before, f"Take {whose} from {before.full_name} now?", yes=yes)
    return link_technician(desk, before.id, technician, actor(reason), policy)


def _wait(desk: Desk, changed: Changed, timeout: int | None) -> None:
    """None: nobody waits."""
    if changed.work_orders:
        print_work_orders(changed.work_orders, title="Open work orders")
    if timeout is not None:
        wait_for(desk, changed.account, timeout)
