"""Users in Keycloak whose accounts our database lost, as after it was restored from a backup: told at once."""

from __future__ import annotations

import pytest

from sync.commands.drift.decide import accept, repair
from sync.domain.accounts.account import Account
from sync.domain.errors import Refused
from sync.store.drift import foreign_users
from tests.comparing import compare, compare_attributes
from tests.jobs.drift.drift_steps import findings, later, told
from tests.restoring import back_up, restore
from tests.world import BY, World

pytestmark = pytest.mark.supports("G4", "H1")


@pytest.fixture
def lost(world: World, people: list[Account]) -> Account:
    """Made after the backup that our database was restored from."""
    backup = back_up(world.path)
    account = world.join("dora.dahl")
    world.work()
    restore(world.path, backup)
    return account


def test_the_next_comparison_names_the_user(world: World, people: list[Account], lost: Account) -> None:
    """As what it is, not as somebody who is not ours; nothing is written to it, and it can be neither accepted
    nor repaired: the refusal says what gives the account back."""
    before = len(world.accounts.applied)
    done = compare(world.systems)
    assert told(world) == {("lost-account", lost.username, None, lost.id)}
    assert (done.counts.users, done.counts.foreign_users) == (4, 0)
    assert world.read(lambda tx: foreign_users.listed(tx, None)) == ()
    [finding] = findings(world)
    for decide in (accept, repair):
        with pytest.raises(Refused, match="fsm-identity adopt plan --lost-accounts"):
            decide(world.systems, finding.id, BY)
    assert len(world.accounts.applied) == before


def test_it_is_told_for_as_long_as_it_is_so(world: World, lost: Account) -> None:
    """Also when it has left our groups, where a listing does not show it; gone, it is told no more."""
    compare(world.systems)
    [first] = findings(world)
    world.user(lost).groups.clear()
    later(world)
    compare(world.systems)
    assert [each.id for each in findings(world)] == [first.id]
    del world.accounts.users[world.user(lost).id]
    later(world)
    compare(world.systems)
    assert findings(world) == []


def test_the_attribute_pass_finds_who_has_nothing_but_the_mark(world: World, lost: Account) -> None:
    """Out of all groups of ours, only its attributes say whose it was."""
    world.user(lost).groups.clear()
    compare(world.systems)
    assert findings(world) == []
    compare_attributes(world.systems)
    assert told(world) == {("lost-account", lost.username, None, lost.id)}
