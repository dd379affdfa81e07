"""The steps of an adoption as the tests write them: a door asks, and workers carry it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sync.commands.acts import release_user
from sync.commands.adoption import ask_plan, confirm
from sync.domain.acts import Act
from sync.jobs.adoption.scheduled import ADOPTION
from sync.jobs.schedule.run_jobs import run_due_job
from sync.store import acts, schedule
from sync.store.runs import run_rows, runs
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run
from tests.world import BY, POLICY, World


@dataclass(frozen=True)
class Plan:
    run: Run
    rows: tuple[RunRow, ...]

    @property
    def foreign(self) -> int:
        return self.run.counts["foreign"]


def reconcile(world: World) -> None:
    """What a worker of the lane does about adoptions."""
    while run_due_job(world.systems, {schedule.ADOPTION: ADOPTION}):
        pass


def run_of(world: World, run_id: str) -> Run:
    found = world.read(lambda tx: runs.get(tx, run_id))
    assert found is not None
    return found


def make_plan(world: World, attribute: str | None = None) -> Plan:
    asked = ask_plan(world.systems, BY, attribute)
    reconcile(world)
    return Plan(run_of(world, asked.id), rows_of(world, asked.id))


def rows_of(world: World, run_id: str) -> tuple[RunRow, ...]:
    return world.read(lambda tx: run_rows.rows(tx, run_id))


def apply(world: World, plan: Plan, fingerprint: str | None = None) -> tuple[RunRow, ...]:
    confirm(world.systems, plan.run.id, fingerprint or plan.run.fingerprint, BY)
    reconcile(world)
    return rows_of(world, plan.run.id)


def ask_release(world: World, account_id: str) -> Act:
    return world.do(lambda tx: release_user(tx, POLICY, account_id, BY, world.clock.now()))


def release(world: World, account_id: str) -> Act:
    """Asked for, and carried out by a worker of the interactive lane."""
    asked = ask_release(world, account_id)
    world.work()
    return act_of(world, asked)


def act_of(world: World, asked: Act) -> Act:
    found = world.read(lambda tx: acts.get(tx, asked.id))
    assert found is not None
    return found


def errors(plan: Plan) -> Mapping[str, tuple[str, object]]:
    """By username: what was decided, and what stands in the way."""
    return {row.original["username"]: (row.verdict, row.messages["errors"]) for row in plan.rows}
