"""Keeping a lease while a worker is at it, and losing it in the middle."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sync.domain.errors import Failure, FailureCode, Transient
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.new_users import create_missing
from sync.jobs.work.lease import LEASE, keep_lease
from sync.ports.accounts import Created, NewUser
from sync.store.work import leases
from sync.store.work.leases import Claim
from tests.world import World

pytestmark = pytest.mark.req("H1")


def claimed(world: World) -> Sequence[Claim]:
    return world.do(lambda tx: leases.claim(tx, Lane.INTERACTIVE, world.clock.now(), LEASE, 20))


def test_who_has_extended_a_lease_knows_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept before each request, and written only when half of it is over."""
    world.join()
    [claim] = claimed(world)
    world.pass_time(LEASE.total_seconds() * 0.6)
    keep_lease(world.systems, claim)
    extend, extended = leases.extend, []
    monkeypatch.setattr(leases, "extend", lambda *args: extended.append(1) or extend(*args))
    for _ in range(5):
        keep_lease(world.systems, claim)
    assert extended == []
    world.pass_time(LEASE.total_seconds() * 0.6)
    keep_lease(world.systems, claim)
    assert extended == [1]
    assert claimed(world) == (), "it is still ours, long after the time it was claimed for"


def test_who_has_lost_it_sends_nothing_more(world: World) -> None:
    """Another worker has taken the account over."""
    world.join()
    [claim] = claimed(world)
    world.pass_time(LEASE.total_seconds() + 1)
    assert claimed(world)
    with pytest.raises(Transient) as lost:
        keep_lease(world.systems, claim)
    assert lost.value.code is FailureCode.LEASE_LOST


def test_users_are_made_until_the_lease_is_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is the new holder's: none of them is made twice, or by somebody who may not any more."""
    for name in ("pat.one", "pat.two", "pat.three"):
        world.join(name)
    claims = claimed(world)
    make = world.accounts._create

    def slowly(new: NewUser) -> Created:
        made = make(new)
        world.pass_time(LEASE.total_seconds() + 1)
        assert len(claimed(world)) == 3
        return made

    monkeypatch.setattr(world.accounts, "_create", slowly)
    outcomes = create_missing(world.systems, world.accounts, claims)
    assert [isinstance(outcomes[claim.account.id], Created) for claim in claims] == [True, False, False]
    lost = [each for each in outcomes.values() if isinstance(each, Failure)]
    assert {each.code for each in lost} == {FailureCode.LEASE_LOST}
    assert len(world.accounts.users) == 1
