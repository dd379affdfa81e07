"""What is asked of whoever takes a technician away while work orders may be open (D4)."""

from __future__ import annotations

from typing import Annotated

import typer

from sync.commands.accounts.withdrawal import open_work
from sync.desk import Desk
from sync.domain.accounts.account import Account
from sync.domain.deactivation.gate import GatePolicy
from sync.entrypoints.cli.terminal.output import print_work_orders

Policy = Annotated[GatePolicy, typer.Option(help="While work orders are open: refuse, hold until done, or force.")]
Yes = Annotated[bool, typer.Option("--yes", help="Force without asking.")]


def confirm_force(desk: Desk, account: Account, question: str, *, yes: bool) -> None:
    """Names what is open before it asks. Leaves with exit code 1 if the person says no."""
    if yes:
        return
    work_orders = open_work(desk, account, None)
    if work_orders:
        print_work_orders(work_orders, title="Open work orders")
    typer.confirm(question, abort=True)
