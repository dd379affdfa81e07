"""`fsm-identity account deactivate` as people type it one after the other while Keycloak is away (D4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from sync.domain.accounts.account import Life
from sync.domain.deactivation.gate import GatePolicy
from sync.store.accounts import accounts
from sync.store.deactivation import deactivations
from tests.entrypoints.cli.conftest import Run, done, told
from tests.fakes.field_service import WorkOrder
from tests.world import POLICY, World

pytestmark = pytest.mark.req("D4", "I3")

WEAKEST_FIRST = (GatePolicy.REFUSE, GatePolicy.HOLD, GatePolicy.FORCE)
WEAKER_OR_AS_STRONG = [
    (stored, asked)
    for stored, asked in product(WEAKEST_FIRST, repeat=2)
    if WEAKEST_FIRST.index(asked) <= WEAKEST_FIRST.index(stored)
]


def deactivate(policy: GatePolicy) -> tuple[str, ...]:
    return ("deactivate", "tess.tal@example.com", "--policy", policy, "--yes", "--no-wait", "--reason", "leaves")


@pytest.mark.parametrize(("stored", "asked"), WEAKER_OR_AS_STRONG)
def test_a_weaker_wish_leaves_the_one_that_waits_as_it_is(
    run: Run, world: World, stored: GatePolicy, asked: GatePolicy
) -> None:
    """It is refused and says what is under way, and how to call that off."""
    leaver = world.join_technician("T-1")
    done(run(*deactivate(stored)))
    said = run(*deactivate(asked))
    assert said.exit_code == 1
    assert f"tess.tal@example.com is being deactivated already ({stored})" in said.output
    assert "account reactivate" in said.output
    request = world.read(lambda tx: deactivations.open_for(tx, leaver.id))
    assert request is not None
    assert request.policy is stored


@pytest.mark.parametrize("weaker", [GatePolicy.REFUSE, GatePolicy.HOLD])
def test_who_must_go_at_once_goes_whatever_is_asked_for_meanwhile(
    run: Run, world: World, weaker: GatePolicy
) -> None:
    """A work order comes in between: by the weaker wish the leaver would have stayed."""
    leaver = world.join_technician("T-1")
    done(run(*deactivate(GatePolicy.FORCE)))
    run(*deactivate(weaker))
    world.fsm.add(WorkOrder("WO-1", lead="T-1"))
    assert "is being deactivated already (force)" in run(*deactivate(weaker)).output
    world.work()
    assert not world.user(leaver).enabled
    assert world.read(lambda tx: accounts.get(tx, leaver.id)).life is Life.INACTIVE  # type: ignore[union-attr]


@pytest.mark.supports("D4", "I3")
@pytest.mark.parametrize(
    ("stored", "asked"), [(GatePolicy.REFUSE, GatePolicy.HOLD), (GatePolicy.HOLD, GatePolicy.FORCE)]
)
def test_a_stronger_wish_takes_the_place_of_the_one_that_waits(
    run: Run, world: World, stored: GatePolicy, asked: GatePolicy
) -> None:
    leaver = world.join_technician("T-1")
    done(run(*deactivate(stored)))
    done(run(*deactivate(asked)))
    request = world.read(lambda tx: deactivations.open_for(tx, leaver.id))
    assert request is not None
    assert request.policy is asked


@pytest.mark.req("D2")
@pytest.mark.parametrize(
    ("status", "goes"),
    [("completed", True), ("Invoiced", True), ("waiting for the moon", False), (None, False)],
)
def test_only_what_the_file_calls_closed_keeps_nobody(
    run: Run, world: World, status: str | None, goes: bool
) -> None:
    """A status that the file does not name is open, and so is none: the access stays."""
    leaver = world.join_technician("T-1")
    world.fsm.add(WorkOrder("WO-1", status, lead="T-1"))
    said = run(*deactivate(GatePolicy.REFUSE))
    world.work()
    assert (said.exit_code, "WO-1" in said.output) == ((0, False) if goes else (1, True))
    assert world.user(leaver).enabled is not goes


@pytest.mark.parametrize("then", ["person", "force"])
def test_a_hold_has_a_deadline_after_which_a_person_decides_or_force_follows(
    run: Run, world: World, then: str
) -> None:
    """As work_orders.toml says. Until when it is held is shown; a person who decides can force it."""
    files = replace(POLICY.work_orders, after_deadline=then)
    world.systems = replace(world.systems, policy=replace(POLICY, work_orders=files))
    leaver = world.join_technician("T-1")
    world.fsm.add(WorkOrder("WO-1", lead="T-1"))
    deadline = world.clock.now() + timedelta(days=files.hold_deadline_days)
    done(run(*deactivate(GatePolicy.HOLD)))
    world.work()
    held = told(run, "show", leaver.username)["deactivation"]
    assert (held["policy"], held["deadline"]) == ("hold", deadline.isoformat())

    world.pass_time(timedelta(days=files.hold_deadline_days, minutes=-5).total_seconds())
    world.work()
    assert world.user(leaver).enabled
    world.pass_time(timedelta(minutes=10).total_seconds())
    world.work()
    assert world.user(leaver).enabled is (then == "person")
    assert [row["username"] for row in told(run, "list", "--held")] == [leaver.username] * (then == "person")
    if then == "person":
        done(run(*deactivate(GatePolicy.FORCE)))
        world.work()
    assert not world.user(leaver).enabled
