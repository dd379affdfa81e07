"""`fsm-identity account deactivate` as people type it one after the other while Keycloak is away (D4)."""

from __future__ import annotations

from itertools import product

import pytest

from sync.domain.accounts.account import Life
from sync.domain.deactivation.gate import GatePolicy
from sync.store.accounts import accounts
from sync.store.deactivation import deactivations
from tests.entrypoints.cli.conftest import Run, done
from tests.fakes.field_service import WorkOrder
from tests.world import World

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
