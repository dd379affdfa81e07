"""`fsm-identity work-orders`: what is open, what nobody can do any more, and reassigning it (D1, D4, D5)."""

from __future__ import annotations

from typing import Annotated

import typer

from sync.commands.accounts.technician_record import require_technician
from sync.commands.deactivation.reassign import reassign_work_orders
from sync.domain.access.scope import Scope
from sync.domain.wording import counted
from sync.entrypoints.cli.terminal.output import (
    WORK_ORDER,
    AsCsv,
    AsJson,
    Limit,
    Reason,
    actor,
    failures_shown,
    first_of,
    lines_wanted,
    one_more,
    print_json,
    print_table,
    print_work_orders,
    say,
    stop,
    work_order_cells,
)
from sync.entrypoints.cli.waiting import Timeout, wait_for_reassignment
from sync.views.deactivation import recent_reassignments, stranded
from sync.wiring.doors import open_desk

app = typer.Typer(no_args_is_help=True)

ON_SCREEN = 20
"""So many wishes are listed for people who name no limit."""

Technician = Annotated[str, typer.Argument(help="Technician id of the FSM system.")]


@app.command("list")
def list_(
    technician: Annotated[
        str | None, typer.Argument(help="Technician id; without it, all that are stranded.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List a technician's open work orders, or those left behind by forced deactivations."""
    with failures_shown():
        desk = open_desk()
        if technician is None:
            with desk.db.read() as tx:
                left = stranded(tx, Scope.all())
            if as_json:
                print_json(left)
                return
            print_table(
                ["technician", *WORK_ORDER],
                [[each.technician_id, *work_order_cells(each.work_order)] for each in left],
                title="Work orders that need a new technician",
                as_csv=as_csv,
            )
            return
        require_technician(desk, technician)
        work_orders = desk.field_service.open_work_orders(technician)
        if as_json:
            print_json(work_orders)
            return
        print_work_orders(work_orders, title=f"Open work orders of {technician}", as_csv=as_csv)


@app.command()
def reassign(
    technician: Technician,
    to: Annotated[str, typer.Option(help="Technician id of who takes them over.")],
    reason: Reason,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until they are moved.")] = True,
    timeout: Timeout = 60,
    as_json: AsJson = False,
) -> None:
    """Move all open work orders of one technician to another, in one step. A worker does it."""
    with failures_shown():
        desk = open_desk()
        asked = reassign_work_orders(desk, technician, to, actor(reason))
        if wait:
            asked = wait_for_reassignment(desk, asked, timeout)
        if asked.state == "failed":
            stop(f"nothing was moved from {technician} to {to}: {asked.failure}")
        if as_json:
            print_json(asked.moved if wait and not asked.is_open else asked)
        elif asked.is_open and not wait:
            say(f"it is stored that {to} takes over all work orders of {technician}")
        elif not asked.is_open:
            say(f"{counted(len(asked.moved), 'work order')} moved from {technician} to {to}")
            print_work_orders(asked.moved)
        if asked.is_open and wait:
            last = f"The last try: {asked.failure}." if asked.failure else "No worker has tried yet."
            stop(f"it is stored, but after {timeout} s not done; it goes on alone. {last}")


@app.command()
def reassignments(
    limit: Limit = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List who was asked to take over whose work orders, and what came of it, the newest first."""
    with failures_shown():
        desk = open_desk()
        limit = lines_wanted(limit, ON_SCREEN, for_program=as_json or as_csv)
        with desk.db.read() as tx:
            found = first_of(recent_reassignments(tx, Scope.all(), one_more(limit)), limit)
        if as_json:
            print_json(found)
            return
        print_table(
            ["asked at (UTC)", "from", "to", "state", "work orders", "last failure", "who and why"],
            [
                [
                    each.asked_at,
                    each.technician_id,
                    each.to_technician_id,
                    each.state,
                    ", ".join(order.number for order in (each.moved or each.found)),
                    each.failure,
                    each.by,
                ]
                for each in found
            ],
            least=("asked at (UTC)", "last failure"),
            as_csv=as_csv,
        )
