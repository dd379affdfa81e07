"""Leaving works whatever Keycloak refuses: what can be taken is taken, and what could not is said."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from sync.commands.accounts.change import change
from sync.domain.access import vocabulary
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import Transient
from sync.domain.work.lane import Lane
from sync.store.operations import figures
from sync.store.provisioning import due
from sync.views.accounts.account import AccountView, account_view
from sync.views.accounts.settling import Settled, settling
from sync.views.operations.troubles import troubles
from tests.watched_realm import watch
from tests.world import BY, POLICY, World, leave

DEMANDED = "costcentre"


def at_their_desk(world: World) -> Account:
    """An active dispatcher with an open session, an offline token and a password."""
    account = world.join()
    world.work()
    world.user(account).tokens |= {"online": None, "offline": "some-app"}
    return account


def shown(world: World, account: Account) -> AccountView:
    return world.read(lambda tx: account_view(tx, Scope.all(), account.id, world.clock.now()))


def told(world: World) -> str:
    """What `ops status` lists, the gravest first."""
    now = world.clock.now()
    found = world.read(lambda tx: troubles(tx, Scope.all(), figures.read(tx, now), now))
    return "\n".join(each.what for each in found)


def not_disabled(world: World) -> int:
    return world.read(lambda tx: figures.read(tx, world.clock.now()).not_disabled)


def groups_that_grant(world: World, account: Account) -> list[str]:
    return sorted(filter(vocabulary.grants, world.user(account).groups))


@pytest.mark.supports("D6", "A9")
def test_whoever_lacks_a_demanded_attribute_is_disabled_all_the_same(world: World) -> None:
    """The value that is made up for it stands in the timeline, and says whose it is."""
    account = at_their_desk(world)
    world.accounts.demanded[DEMANDED] = "set by fsm-identity"
    leave(world, account.id, GatePolicy.HOLD)
    world.work()
    user = world.user(account)
    assert not user.enabled
    assert not user.tokens
    assert str(shown(world, account).status) == "inactive"
    [entry] = [
        entry for entry in shown(world, account).timeline if any("disable" in each for each in entry.details)
    ]
    assert any(
        f"made up for attributes that the realm demands: {DEMANDED}: 'set by fsm-identity'" in each
        for each in entry.details
    )


@pytest.mark.supports("D6", "H2")
def test_a_leaver_who_cannot_be_disabled_keeps_nothing(world: World) -> None:
    """Sessions, tokens, password, groups: gone. Status, `ops status` and the door say what is left to do."""
    account = at_their_desk(world)
    world.accounts.demanded[DEMANDED] = None
    leave(world, account.id, GatePolicy.HOLD)
    world.work()
    user = world.user(account)
    assert user.enabled
    assert (user.tokens, user.credentials, groups_that_grant(world, account)) == ({}, [], [])
    assert "access withdrawn, not disabled" in str(shown(world, account).status)
    assert "1 leaver is not disabled in Keycloak" in told(world)
    assert DEMANDED in told(world)
    waited = world.read(lambda tx: settling(tx, Scope.all(), account))
    assert waited.state is Settled.STUCK
    assert DEMANDED in (waited.mend or "")
    assert not_disabled(world) == 1


@pytest.mark.supports("D6")
def test_it_is_tried_again_and_the_timeline_does_not_grow(world: World) -> None:
    """Whoever came in again by a mailed link loses it at the next look; once the realm is mended the user is
    disabled, and has the groups of somebody inactive again."""
    account = at_their_desk(world)
    wanted = groups_that_grant(world, account)
    world.accounts.demanded[DEMANDED] = None
    leave(world, account.id, GatePolicy.HOLD)
    world.work()
    looks = []
    for _ in range(4):
        world.user(account).tokens["by a mailed link"] = None
        world.pass_time(timedelta(minutes=10).total_seconds())
        world.work()
        assert not world.user(account).tokens
        looks.append(len(shown(world, account).timeline))
    assert looks[1:] == [looks[1]] * 3
    del world.accounts.demanded[DEMANDED]
    world.pass_time(timedelta(minutes=10).total_seconds())
    world.work()
    assert not world.user(account).enabled
    assert groups_that_grant(world, account) == wanted
    assert str(shown(world, account).status) == "inactive"
    assert not_disabled(world) == 0
    assert "not disabled" not in told(world)


@pytest.mark.supports("D6")
def test_withdrawals_go_on_when_one_of_them_fails(world: World) -> None:
    """Keycloak stumbles over disabling: the sessions end at once, and disabling follows."""
    account = at_their_desk(world)
    leave(world, account.id, GatePolicy.HOLD)
    world.accounts.fail_next_apply(Transient("500 for this user"))
    world.work()
    assert world.user(account).enabled
    assert not world.user(account).tokens
    assert world.user(account).credentials
    world.pass_time(timedelta(minutes=1).total_seconds())
    world.work()
    assert not world.user(account).enabled


@pytest.mark.supports("A5", "D6")
def test_a_mover_gets_nothing_new_while_something_old_could_not_be_taken(world: World) -> None:
    """The next group is left all the same, and joining waits."""
    account = world.join()
    world.work()
    user = world.user(account)
    foreign = {vocabulary.profile_group("manager"), vocabulary.data_access_group("global")} - user.groups
    missing = vocabulary.profile_group("dispatcher")
    user.groups = (user.groups | foreign) - {missing}
    world.do(lambda tx: due.look_again(tx, account.id, Lane.INTERACTIVE, world.clock.now()))
    world.accounts.fail_next_apply(Transient("500 for this group"))
    world.work()
    assert len(foreign & user.groups) == 1
    assert missing not in user.groups


@pytest.mark.supports("H2")
def test_what_is_demanded_is_said_once_for_the_realm(world: World) -> None:
    """Three changes and a new person wait for the same, and go on once the watch sees it mended."""
    people = [world.join(name) for name in ("ann.arno", "ben.berg", "cem.cohn")]
    world.work()
    world.accounts.demanded[DEMANDED] = None
    renamed = AccountChange(family_name="Renamed")
    for each in people:
        world.do(partial(change, policy=POLICY, account_id=each.id, wanted=renamed, by=BY, now=world.clock.now()))
    new = world.join("new.comer")
    world.work()
    assert told(world).count(DEMANDED) == 1
    assert "4 accounts wait until it is mended" in told(world)
    watch(world, demanded=[DEMANDED])
    assert "the user profile demands costcentre of every user" in told(world)
    world.accounts.demanded.clear()
    watch(world)
    world.work()
    assert DEMANDED not in told(world)
    assert world.user(new).enabled
    assert all(world.user(account).family_name == "Renamed" for account in people)
