"""`fsm-identity work-orders`: what is open, what nobody can do any more, and reassigning it (D1, D4, D5)."""

from __future__ import annotations

from typing import Annotated

import typer

from sync.commands.accounts.technician import require_technician
from sync.commands.deactivation.reassign import reassign_work_orders
from sync.domain.access.scope import Scope
from sync.entrypoints.cli.output import (
    WORK_ORDER,
    AsJson,
    Reason,
    actor,
    counted,
    failures_shown,
    print_json,
    print_table,
    print_work_orders,
    say,
    work_order_cells,
)
from sync.store.deactivation import deactivations
from sync.wiring.doors import open_desk

app = typer.Typer(help="Open work orders and who takes them over.", no_args_is_help=True)

Technician = Annotated[str, typer.Argument(help="Technician id of the FSM system.")]


@app.command("list")
def list_(
    technician: Annotated[
        str | None, typer.Argument(help="Technician id; without it, all that are stranded.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List a technician's open work orders, or those left behind by forced deactivations."""
    with failures_shown():
        desk = open_desk()
        if technician is None:
            with desk.db.read() as tx:
                stranded = deactivations.stranded(tx, Scope.all())
            if as_json:
                print_json(stranded)
                return
            print_table(
                ["technician", *WORK_ORDER],
                [[each.technician_id, *work_order_cells(each.work_order)] for each in stranded],
                title="Work orders that need a new technician",
            )
            return
        require_technician(desk, technician)
        work_orders = desk.field_service.open_work_orders(technician)
        if as_json:
            print_json(work_orders)
            return
        print_work_orders(work_orders, title=f"Open work orders of {technician}")


@app.command()
def reassign(
    technician: Technician,
    to: Annotated[str, typer.Option(help="Technician id of who takes them over.")],
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Move all open work orders of one technician to another, in one step."""
    with failures_shown():
        moved = reassign_work_orders(open_desk(), technician, to, actor(reason))
        if as_json:
            print_json(moved)
            return
        say(f"{counted(len(moved), 'work order')} moved from {technician} to {to}")
        print_work_orders(moved)
