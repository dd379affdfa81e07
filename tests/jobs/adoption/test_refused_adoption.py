"""An adoption whose account changes between the mark in Keycloak and the link in our database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sync.commands.accounts.change import change
from sync.commands.operations.quarantine import retry
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.acts import ActState
from sync.domain.provisioning.observed import ACCOUNT_ID
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.runs.run_rows import RunRow
from sync.store.work import account_claims
from sync.store.work.lease_rows import Terms
from tests.fakes.accounts import FakeUser
from tests.jobs.adoption import adoption_steps as steps
from tests.jobs.adoption.adoption_steps import Plan, make_plan, reconcile
from tests.world import BY, POLICY, World

pytestmark = pytest.mark.supports("G4", "H1")


@pytest.fixture
def ann(world: World) -> Account:
    """Whose user was there before us."""
    account = world.join("ann.arno")
    world.accounts.users["kc-ann"] = FakeUser("kc-ann", "ann", account.email)
    world.work()
    return account


def given_name_changes(world: World, account: Account) -> None:
    changed = AccountChange(given_name="Ada")
    world.do(lambda tx: change(tx, POLICY, account.id, changed, BY, world.clock.now()))


def a_worker_begins(world: World, account: Account) -> None:
    with world.systems.db.write() as tx:
        retry(tx, None, BY, world.clock.now(), account_ids=[account.id])
        assert account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 1)


def apply(world: World, plan: Plan) -> RunRow:
    [row] = steps.apply(world, plan)
    return row


def marked(world: World, meanwhile: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """`meanwhile` happens right after the mark."""
    take = world.systems.adoption.take

    def slow(idp_user_id: str, account_id: str, **reviewed: Any) -> None:
        take(idp_user_id, account_id, **reviewed)
        monkeypatch.undo()
        meanwhile()

    monkeypatch.setattr(world.systems.adoption, "take", slow)


def linked(world: World, account: Account) -> str | None:
    found = world.read(lambda tx: accounts.get(tx, account.id))
    assert found is not None
    return found.idp_user_id


def test_what_is_refused_carries_no_mark(world: World, ann: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker links it later without a word, and the adoption can be planned anew."""
    plan = make_plan(world)
    marked(world, lambda: given_name_changes(world, ann), monkeypatch)
    assert apply(world, plan).result == "refused"
    assert ACCOUNT_ID not in world.accounts.users["kc-ann"].attributes
    world.work()
    assert linked(world, ann) is None
    again = make_plan(world)
    assert apply(world, again).result == "applied"
    assert linked(world, ann) == "kc-ann"


def test_a_worker_at_the_account_is_waited_for(world: World, ann: Account) -> None:
    """Nothing is marked while it is at it; once it has ended the run goes on by itself, and the user can be
    released."""
    plan = make_plan(world)
    a_worker_begins(world, ann)
    assert apply(world, plan).result is None
    assert ACCOUNT_ID not in world.accounts.users["kc-ann"].attributes
    world.pass_time(3600)
    reconcile(world)
    [row] = steps.rows_of(world, plan.run.id)
    assert row.result == "applied"
    world.work(Lane.BULK)
    assert linked(world, ann) == "kc-ann"
    assert steps.release(world, ann.id).state is ActState.DONE


def test_no_worker_comes_between_mark_and_link(
    world: World, ann: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account is leased meanwhile, whatever is due about it."""
    plan = make_plan(world)

    def a_worker_looks() -> None:
        with world.systems.db.write() as tx:
            retry(tx, None, BY, world.clock.now(), account_ids=[ann.id])
            assert not account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 1)

    marked(world, a_worker_looks, monkeypatch)
    assert apply(world, plan).result == "applied"
    world.work()
    assert linked(world, ann) == "kc-ann"


def test_an_interrupted_one_that_is_refused_later_loses_its_mark(
    world: World, ann: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first worker died after the mark."""
    plan = make_plan(world)

    def dies() -> None:
        raise KeyboardInterrupt

    marked(world, dies, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        apply(world, plan)
    given_name_changes(world, ann)
    world.pass_time(121)
    assert apply(world, plan).result == "refused"
    assert ACCOUNT_ID not in world.accounts.users["kc-ann"].attributes


def test_a_mark_that_stays_is_told(world: World, ann: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has made the user an administrator of the realm meanwhile: nothing is written to it any more."""
    plan = make_plan(world)

    def changes() -> None:
        given_name_changes(world, ann)
        world.accounts.users["kc-ann"].roles.add("realm-management/realm-admin")

    marked(world, changes, monkeypatch)
    row = apply(world, plan)
    assert row.result == "refused"
    assert "keeps our mark" in str(row.result_message)
