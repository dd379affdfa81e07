"""`fsm-identity ops circuit`: which system is left in peace, and a person's word on it (H2, H3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from sync.commands.operations import circuits as steer_circuit
from sync.commands.perform import perform
from sync.commands.waking import wake
from sync.domain.access.scope import Scope
from sync.domain.errors import Problem, Refused
from sync.domain.work.circuit import Circuit, CircuitName
from sync.domain.work.lane import Lane
from sync.entrypoints.cli.terminal.output import (
    AsJson,
    Reason,
    actor,
    failures_shown,
    print_json,
    print_table,
    say,
)
from sync.views.operations.circuits import circuit, every_circuit
from sync.wiring.doors import OperatorDesk, open_operator_desk

app = typer.Typer(help="Circuits: which system is left in peace because it cannot work.")

Name = Annotated[CircuitName, typer.Argument(help="Which system.", show_default=False)]
LANES = (Lane.INTERACTIVE, Lane.BULK)


@app.callback(invoke_without_command=True)
def every(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the circuits. Exit code 1 while one is not closed."""
    if context.invoked_subcommand is not None:
        return
    with failures_shown():
        with open_operator_desk().db.read() as tx:
            found = every_circuit(tx, Scope.all())
        if as_json:
            print_json([shown(each) for each in found])
        else:
            print_table(
                ["circuit", "state", "since (UTC)", "next probe (UTC)", "failures", "reason"],
                [
                    [each.name, each.state, each.opened_at, each.probe_at, each.failures, each.reason]
                    for each in found
                ],
            )
        if not all(each.closed for each in found):
            raise typer.Exit(1)


@app.command()
def probe(name: Name, reason: Reason, as_json: AsJson = False) -> None:
    """The system is mended: try it with the next account now, instead of at the next probe."""
    with failures_shown():
        desk = open_operator_desk()
        by = actor(reason)
        asked = perform(
            desk, lambda tx: steer_circuit.probe(tx, desk.policy, name, by, desk.clock.now()), wakes=None
        )
        if not asked:
            why = f"the circuit {name.value} is closed, or a probe is on its way"
            raise Refused([Problem("circuit", why, "see fsm-identity ops circuit")])
        wake_all(desk)
        show_outcome(name, as_json, f"{name.value}: the next account that is due is the probe")


@app.command("open")
def open_(
    name: Name,
    reason: Reason,
    minutes: Annotated[int, typer.Option("--for", min=1, max=1440, help="Minutes until the next probe.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Leave a system alone for a while, such as for its upgrade. Nothing that needs it is begun."""
    with failures_shown():
        desk = open_operator_desk()
        by = actor(reason)
        span = timedelta(minutes=minutes)
        after = perform(
            desk,
            lambda tx: steer_circuit.leave_alone(tx, desk.policy, name, span, by, desk.clock.now()),
            wakes=None,
        )
        show_outcome(
            name, as_json, f"{name.value} is left alone until {after.probe_at:%H:%M:%S} UTC; then a probe decides"
        )


@app.command()
def close(name: Name, reason: Reason, as_json: AsJson = False) -> None:
    """Let everything through at once, untried. Failures open it again; `probe` is gentler."""
    with failures_shown():
        desk = open_operator_desk()
        by = actor(reason)
        perform(desk, lambda tx: steer_circuit.close(tx, desk.policy, name, by, desk.clock.now()), wakes=None)
        wake_all(desk)
        show_outcome(name, as_json, f"{name.value}: everything goes through")


def show_outcome(name: CircuitName, as_json: bool, words: str) -> None:
    """What became of the circuit: in words, or as it is now."""
    if not as_json:
        say(words)
        return
    with open_operator_desk().db.read() as tx:
        print_json(shown(circuit(tx, Scope.all(), name)))


def wake_all(desk: OperatorDesk) -> None:
    for lane in LANES:
        wake(desk, lane)


def shown(circuit: Circuit) -> dict[str, object]:
    """For programs; the token of a probe is nobody's business."""
    names = ("name", "state", "failures", "openings", "failing_since", "opened_at", "probe_at", "reason", "kind")
    return {name: getattr(circuit, name) for name in names}
