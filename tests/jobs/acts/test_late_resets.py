"""A worker that is frozen over a password reset for longer than its lease: its password may come back over a newer
one, but not for longer than its own time (decision 0016)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from sync.domain.acts import PASSWORD, ActKind, ActState, Credential, stamp_of
from sync.domain.work.lane import Lane
from sync.domain.work.lease import LEASE
from sync.jobs.schedule.sweep import sweep
from sync.ports.lease import before_request, unkept
from sync.store import acts
from tests.fakes.credentials import set_password
from tests.jobs.acts.act_steps import HOURS, NEW, NEWER, ended, killed_over_it, person, reset, told
from tests.world import World

pytestmark = pytest.mark.supports("C1", "H1")


def frozen_over(world: World, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> None:
    """A worker works that freezes right before it gives a password, and is woken after `meanwhile`."""
    give = world.credentials.give_temporary_password

    def late(idp_user_id: str, password: str, created_at: datetime) -> None:
        before_request()
        monkeypatch.setattr(world.credentials, "give_temporary_password", give)
        with unkept():
            meanwhile()
            give(idp_user_id, password, created_at)

    monkeypatch.setattr(world.credentials, "give_temporary_password", late)
    world.work()


def others_take_over(world: World) -> None:
    world.pass_time(LEASE.total_seconds() + 1)
    goes_on(world)


def goes_on(world: World) -> None:
    sweep(world.systems)
    world.work()
    world.work(Lane.BULK)


def test_the_same_password_given_twice_stays_and_is_not_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the one that was asked for; its own expiry takes it away in time."""
    account, user = person(world)
    act = reset(world, account)
    frozen_over(world, monkeypatch, lambda: others_take_over(world))
    assert (user.password, world.credentials.given) == (NEW, [NEW, NEW])
    assert ended(world, act)[0] is ActState.DONE
    assert told(world, account)[-2:] == ["reset-password", "reset-password done"]
    world.pass_time(HOURS)
    goes_on(world)
    assert user.password is None


def test_an_older_password_that_came_back_goes_in_its_own_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever finished the older reset left its expiry, which knows its password by the time it was made."""
    account, user = person(world)
    reset(world, account)

    def meanwhile() -> None:
        others_take_over(world)
        reset(world, account, NEWER)
        world.work()
        assert user.password == NEWER

    frozen_over(world, monkeypatch, meanwhile)
    assert user.password == NEW
    world.pass_time(HOURS)
    goes_on(world)
    assert user.password is None


def test_a_password_told_as_not_given_goes_in_its_time(world: World) -> None:
    """The takeover could not tell and asked a person; then the late request came, and its worker ended."""
    account, user = person(world)
    act = reset(world, account)
    killed_over_it(world)
    user.credentials = [Credential("p", PASSWORD, world.clock.now() + timedelta(seconds=20))]
    others_take_over(world)
    assert ended(world, act)[0] is ActState.FAILED
    first = world.read(lambda tx: acts.of_account(tx, account.id))[0]
    set_password(user, NEW, stamp_of(first))
    world.pass_time(HOURS)
    goes_on(world)
    assert user.password is None
    last = world.read(lambda tx: acts.of_account(tx, account.id))[-1]
    assert (last.kind, last.state) == (ActKind.EXPIRE_PASSWORD, ActState.DONE)
