"""What is known of somebody who was made a moment ago: that it was sent, until somebody has looked (A8)."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from sync.commands.accounts.change import change
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.work.lane import Lane
from sync.store.database.tables import provisioning as work
from sync.views.accounts.account import AccountView, account_view
from tests.comparing import compare
from tests.world import BY, POLICY, World

pytestmark = pytest.mark.supports("A8")


def shown(world: World, account: Account) -> AccountView:
    return world.read(lambda tx: account_view(tx, Scope.all(), account.id, world.clock.now()))


def joined_in_bulk(world: World, name: str) -> Account:
    account = world.join(name)
    world.do(lambda tx: tx.connection.execute(update(work).values(lane=Lane.BULK.value)))
    world.work(Lane.BULK)
    return account


def test_a_person_made_in_bulk_is_known_as_sent_and_read_by_the_next_comparison(world: World) -> None:
    """Nobody is shown as not yet looked at, and nobody looked at each of them. Who is not as wanted stays so until
    somebody has put that right."""
    ann, ben = joined_in_bulk(world, "ann.arno"), joined_in_bulk(world, "ben.berg")
    for account in (ann, ben):
        view = shown(world, account)
        assert str(view.status) == "pending (has not set a password)"
        assert view.observed is not None
        assert view.observed.as_sent
    world.pass_time(60)
    world.user(ben).groups.clear()
    compare(world.systems)
    read, sent = shown(world, ann).observed, shown(world, ben).observed
    assert read is not None
    assert not read.as_sent
    assert sent is not None
    assert sent.as_sent


def test_one_person_made_alone_is_looked_at(world: World) -> None:
    """Whoever waits for it is told what Keycloak has, and not what it was sent."""
    account = world.join()
    world.work()
    observed = shown(world, account).observed
    assert observed is not None
    assert not observed.as_sent


def test_a_name_that_keycloak_does_not_keep_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers yes and shows another: a person is told at once, and it is not repaired for ever."""
    account = world.join()
    world.work()
    monkeypatch.setattr(world.accounts, "_update", lambda user, new: None)
    renamed = AccountChange(family_name="Nowak")
    world.do(lambda tx: change(tx, POLICY, account.id, renamed, BY, world.clock.now()))
    world.work()
    state = shown(world, account).work
    assert state is not None
    assert state.quarantine is not None
    assert "does not keep it" in state.quarantine[1]
    assert [(each.what, each.wanted) for each in state.differences] == [("family_name", "Nowak")]
