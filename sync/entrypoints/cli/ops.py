"""`fsm-identity ops`: what an operator sees and does (H3). docs/operations.md says when to do which.

These commands need only our database: they answer while Keycloak, Redis or the mapping files are in trouble.
"""

from __future__ import annotations

from typing import Annotated

import typer

from sync.domain.errors import Problem, Refused
from sync.domain.lane import Lane
from sync.entrypoints.cli.output import AsJson, Reason, actor, errors, failures_shown, print_json, say
from sync.usecases import pause_lane
from sync.usecases.command import perform
from sync.wiring import build_operations

app = typer.Typer(help="Queues, workers, quarantine: see what is wrong, and act.", no_args_is_help=True)

LaneArgument = Annotated[Lane, typer.Argument(help="Which work.", show_default=False)]


@app.command()
def pause(lane: LaneArgument, reason: Reason, as_json: AsJson = False) -> None:
    """Begin nothing more of a lane until `resume`. What a worker holds already it finishes."""
    with failures_shown():
        site = build_operations()
        by = actor(reason)
        with site.db.write() as tx:
            changed = pause_lane.pause(tx, lane, by, site.clock.now())
        if not changed:
            raise Refused([Problem("lane", f"{lane.value} is paused already", "see fsm-identity ops status")])
        if as_json:
            print_json({"lane": lane, "paused": True})
            return
        say(f"{lane.value} is paused; go on with: fsm-identity ops resume {lane.value} --reason …")
        if lane is Lane.INTERACTIVE:
            errors.print("! until then nobody is locked out: deactivations wait too", soft_wrap=True)


@app.command()
def resume(lane: LaneArgument, reason: Reason, as_json: AsJson = False) -> None:
    """Let a paused lane go on."""
    with failures_shown():
        site = build_operations()
        by = actor(reason)
        changed = perform(site, lambda tx: pause_lane.resume(tx, lane, by, site.clock.now()), wakes=lane)
        if not changed:
            raise Refused([Problem("lane", f"{lane.value} is not paused", "see fsm-identity ops status")])
        if as_json:
            print_json({"lane": lane, "paused": False})
        else:
            say(f"{lane.value} goes on")
