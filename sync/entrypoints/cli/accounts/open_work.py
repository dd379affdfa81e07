"""What is asked of whoever takes a technician away while work orders may be open (D4)."""

from __future__ import annotations

from typing import Annotated

import typer

from sync.domain.deactivation.gate import GatePolicy

Policy = Annotated[GatePolicy, typer.Option(help="While work orders are open: refuse, hold until done, or force.")]
Yes = Annotated[bool, typer.Option("--yes", help="Force without asking.")]


def confirm_force(question: str, *, yes: bool) -> None:
    """Leaves with exit code 1 if the person says no."""
    if not yes:
        typer.confirm(question, abort=True)
