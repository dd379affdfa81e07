"""Whose work orders a caller may move: both technicians are theirs to touch, or the whole company is (D5, I4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sync.commands.accounts.change import change
from sync.commands.deactivation import reassign
from sync.commands.deactivation.reassign import reassign_work_orders
from sync.commands.perform import perform
from sync.desk import Desk
from sync.domain.access.callers import Person
from sync.domain.access.cause import Cause, Door
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.errors import NotAllowed, Refused
from sync.domain.work.lane import Lane
from sync.ports.field_service import Technician
from sync.store.database.transactions import Tx
from sync.store.deactivation import reassignments
from sync.store.deactivation.reassignments import Reassignment
from tests.world import BRANCH, BY, POLICY, World

pytestmark = pytest.mark.supports("D5", "I4")

THERE = next(key for key in POLICY.branches if key != BRANCH.key)


def administrator(world: World, name: str, level: str | None) -> Cause:
    account = world.join(name, profile="administrator", data_access=level)
    return Cause(Person(account.id, account.username), Door.CONSOLE, "takes over")


@pytest.fixture
def taker(world: World) -> Account:
    """T-2, of the branch that is administered."""
    return world.join_technician("T-2", "theo.tor")


@pytest.fixture
def ada(world: World, taker: Account) -> Cause:
    """Who administers that branch."""
    return administrator(world, "ada.arndt", "branch")


def waiting(world: World) -> list[str]:
    return [each.technician_id for each in world.read(reassignments.waiting)]


def test_within_the_branch(world: World, ada: Cause) -> None:
    """From one technician of the branch to another."""
    world.join_technician("T-1")
    assert reassign_work_orders(world.systems, "T-1", "T-2", ada).by == ada


def test_nothing_is_taken_from_another_branch_nor_given_there(world: World, ada: Cause) -> None:
    """Whichever of the two it is."""
    kim = world.join_technician("T-1")
    there = AccountChange(branch=THERE, team=None)
    world.do(lambda tx: change(tx, POLICY, kim.id, there, BY, world.clock.now()))
    for giver, to in (("T-1", "T-2"), ("T-2", "T-1")):
        with pytest.raises(NotAllowed, match="is not your branch"):
            reassign_work_orders(world.systems, giver, to, ada)
    assert waiting(world) == []


@pytest.mark.parametrize(
    ("became", "said"),
    [
        (AccountChange(branch=THERE, team=None), "is not your branch"),
        (AccountChange(profile="read-only"), "is not for field work"),
    ],
    ids=["another branch's", "no technician"],
)
def test_the_taker_is_judged_as_it_is_when_it_is_stored(
    world: World, taker: Account, ada: Cause, monkeypatch: pytest.MonkeyPatch, became: AccountChange, said: str
) -> None:
    """What was read before may have changed meanwhile."""
    world.join_technician("T-1")

    def change_before(desk: Desk, command: Callable[[Tx], Reassignment], wakes: Lane) -> Reassignment:
        world.do(lambda tx: change(tx, POLICY, taker.id, became, BY, world.clock.now()))
        return perform(desk, command, wakes=wakes)

    monkeypatch.setattr(reassign, "perform", change_before)
    with pytest.raises(Refused, match=said):
        reassign_work_orders(world.systems, "T-1", "T-2", ada)
    assert waiting(world) == []


def test_a_technician_whom_no_account_knows_is_the_whole_companys(world: World, ada: Cause) -> None:
    """It may be another branch's work; nobody can tell."""
    world.fsm.add(Technician("T-9", "Nobody's", None, assignable=False))
    with pytest.raises(NotAllowed, match="whole company"):
        reassign_work_orders(world.systems, "T-9", "T-2", ada)
    assert waiting(world) == []
    boss = administrator(world, "ben.boss", None)
    assert reassign_work_orders(world.systems, "T-9", "T-2", boss).state == "waiting"
