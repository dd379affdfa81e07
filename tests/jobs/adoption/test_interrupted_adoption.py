"""An adoption that ends between the mark in Keycloak and the link in our database."""

from __future__ import annotations

import pytest

from sync.commands.operations.quarantine import retry
from sync.domain.accounts.account import Account
from sync.domain.drift.anomaly import Anomaly
from sync.jobs.adoption import adopt
from sync.store.accounts import accounts
from sync.store.audit.timeline import read_timeline
from sync.store.drift import findings
from sync.store.operations import figures
from sync.views.operations.troubles import RUN_STILL, of_figures
from tests.comparing import compare_attributes
from tests.fakes.accounts import FakeUser
from tests.jobs.adoption.adoption_steps import Plan, apply, make_plan, reconcile, rows_of
from tests.world import BY, World

pytestmark = pytest.mark.supports("G4", "H1")


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def ann(world: World) -> Account:
    """Whose user was there before us."""
    world.accounts.users["kc-ann"] = FakeUser("kc-ann", "ann", "ann.arno@example.com")
    account = world.join("ann.arno")
    world.work()
    return account


@pytest.fixture
def plan(world: World, ann: Account, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Applied up to the mark."""

    def killed(*_: object) -> None:
        raise Killed

    made = make_plan(world)
    with monkeypatch.context() as patched:
        patched.setattr(adopt.accounts, "remember_idp_user_ids", killed)
        with pytest.raises(Killed):
            apply(world, made)
    assert (world.user(ann).id, linked(world, ann)) == ("kc-ann", None)
    return made


def linked(world: World, account: Account) -> str | None:
    found = world.read(lambda tx: accounts.get(tx, account.id))
    assert found is not None
    return found.idp_user_id


def standing(world: World) -> list[str]:
    found = world.read(lambda tx: of_figures(figures.read(tx, world.clock.now())))
    return [each.remedy for each in found if "stands still" in each.what]


def test_the_next_worker_goes_on(world: World, ann: Account, plan: Plan) -> None:
    """As if nothing had been, once the lease of the dead one has run out; the timeline tells it once."""
    reconcile(world)
    assert linked(world, ann) is None
    world.pass_time(121)
    reconcile(world)
    assert linked(world, ann) == "kc-ann"
    told = world.read(lambda tx: read_timeline(tx, ann.id))
    assert [each.title for each in told].count("adopt Keycloak user") == 1
    world.pass_time(2 * RUN_STILL.total_seconds())
    assert standing(world) == []


def test_a_look_at_the_account_finds_its_user(world: World, ann: Account, plan: Plan) -> None:
    """By the mark, though no worker goes on with the adoption; which then finds the link."""
    world.pass_time(61)
    world.do(lambda tx: retry(tx, None, BY, world.clock.now(), account_ids=[ann.id]))
    world.work()
    assert linked(world, ann) == "kc-ann"
    assert len(world.accounts.users) == 1
    world.pass_time(61)
    reconcile(world)
    assert [row.result for row in rows_of(world, plan.run.id)] == ["applied"]


def test_who_stood_still_over_the_mark_links_nobody(
    world: World, ann: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has lost the account meanwhile and records nothing; whoever has the account next links it, once."""
    take, made = world.systems.adoption.take, make_plan(world)
    before: list[str | None] = []

    def stands_still_once(*given: object, **names: object) -> None:
        before.append(linked(world, ann))
        take(*given, **names)  # type: ignore[arg-type]
        if len(before) == 1:
            world.pass_time(61)

    monkeypatch.setattr(world.systems.adoption, "take", stands_still_once)
    apply(world, made)
    assert before == [None, None]
    assert (world.user(ann).id, linked(world, ann)) == ("kc-ann", "kc-ann")
    told = world.read(lambda tx: read_timeline(tx, ann.id))
    assert [each.title for each in told].count("adopt Keycloak user") == 1


def test_no_worker_goes_on(world: World, ann: Account, plan: Plan) -> None:
    """The run is told with what may stop it, and the pass over all attributes finds the mark."""
    assert standing(world) == []
    world.pass_time(RUN_STILL.total_seconds() + 1)
    [remedy] = standing(world)
    assert "the lane reconcile" in remedy
    compare_attributes(world.systems)
    found = world.read(lambda tx: findings.listed(tx, states=("open",)))
    assert [(each.attribute, each.subject.who, each.found) for each in found] == [
        (Anomaly.STRAY_ACCOUNT_ID, "ann", ann.id)
    ]
