"""Keeping a lease while a worker is at it, and losing it in the middle."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from sync.domain.errors import Failure, FailureCode, Transient
from sync.domain.provisioning.change import Change
from sync.domain.work.lane import Lane
from sync.domain.work.lease import LEASE, SILENT_AFTER
from sync.jobs.provisioning.new_users import create_missing
from sync.jobs.provisioning.provision import bring_about_safely
from sync.jobs.work.lease import keep_lease, terms
from sync.jobs.work.recording import Failed
from sync.ports.accounts import Created, NewUser
from sync.ports.lease import before_request, carried, kept, unkept
from sync.store.provisioning import due
from sync.store.work import account_claims, lease_rows
from sync.store.work.account_claims import Claim
from sync.store.work.lease_rows import Terms
from tests.fakes.accounts import FakeUser
from tests.world import World

pytestmark = pytest.mark.supports("H1")


def claimed(world: World) -> Sequence[Claim]:
    return world.do(lambda tx: account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 20))


def test_who_has_extended_a_lease_knows_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept before each request, and written only when so much of it is over as a silent process has."""
    world.join()
    [claim] = claimed(world)
    world.pass_time(LEASE.total_seconds() * 0.6)
    keep_lease(world.systems, claim)
    extend, extended = lease_rows.extend, []
    monkeypatch.setattr(lease_rows, "extend", lambda *args: extended.append(1) or extend(*args))
    for _ in range(5):
        keep_lease(world.systems, claim)
    assert extended == []
    world.pass_time(LEASE.total_seconds() * 0.6)
    keep_lease(world.systems, claim)
    assert extended == [1]
    assert claimed(world) == (), "it is still ours, long after the time it was claimed for"


def test_who_fell_silent_sends_nothing_more(world: World) -> None:
    """It stood still without a sign of life, and most of its lease is left: it has to ask all the same."""
    world.systems = replace(world.systems, holder="a process that gives no signs")
    world.join()
    [claim] = world.do(lambda tx: account_claims.claim(tx, Lane.INTERACTIVE, terms(world.systems), 20))
    world.pass_time(SILENT_AFTER.total_seconds())
    with pytest.raises(Transient) as lost:
        keep_lease(world.systems, claim)
    assert lost.value.code is FailureCode.LEASE_LOST


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


def test_a_change_is_left_where_the_lease_was_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two changes of one account; the next look finds what was done, and does the rest."""
    account = world.join()
    world.work()
    user = world.user(account)
    user.family_name = "Other"
    user.groups.clear()
    with world.systems.db.write() as tx:
        due.look_again(tx, account.id, Lane.INTERACTIVE, world.clock.now())
    [claim] = claimed(world)
    carry_out = world.accounts._carry_out

    def slowly(changed: FakeUser, change: Change) -> Change:
        monkeypatch.undo()
        made = carry_out(changed, change)
        world.pass_time(LEASE.total_seconds() + 1)
        assert claimed(world)
        return made

    monkeypatch.setattr(world.accounts, "_carry_out", slowly)
    before = len(world.accounts.applied)
    outcome = bring_about_safely(world.systems, world.accounts, claim, None)
    assert isinstance(outcome, Failed)
    assert outcome.failure.code is FailureCode.LEASE_LOST
    assert len(world.accounts.applied) == before + 1
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    assert (user.family_name, bool(user.groups)) == ("Lind", True)


def test_a_thread_keeps_what_it_was_begun_under() -> None:
    """An adapter that sends from threads of its own sends nothing unkept, and they ask one after the other."""
    asked, at_once = list[int](), list[int]()

    def keep() -> None:
        at_once.append(1)
        asked.append(len(at_once))
        at_once.pop()

    with ThreadPoolExecutor(4) as pool, kept(keep):
        list(pool.map(carried(lambda _: before_request()), range(40)))
        list(pool.map(lambda _: before_request(), range(40)))
    assert asked == [1] * 40


def test_two_leases_are_both_kept() -> None:
    """A job that takes an account over works under its own lease and under the account's."""
    asked = list[str]()
    with kept(lambda: asked.append("job")):
        with kept(lambda: asked.append("account")):
            before_request()
            with unkept():
                before_request()
        before_request()
    before_request()
    assert asked == ["job", "account", "job"]
