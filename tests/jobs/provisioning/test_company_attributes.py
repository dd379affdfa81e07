"""A company's own attributes on their way to Keycloak: written, taken away, waiting for the realm, drifting."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from sync.commands.accounts.change import change
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.errors import Refused
from sync.store.accounts import accounts
from sync.store.audit.timeline import read_timeline
from sync.store.drift import findings
from sync.store.provisioning import work_state
from sync.store.provisioning.work_state import WorkState
from tests.adopting import adopted, carry_out
from tests.company import ATTRIBUTES, company
from tests.comparing import compare_attributes
from tests.watched_realm import watch
from tests.world import BY, World


def want(world: World, account: Account, **attributes: str | None) -> None:
    policy, wanted = world.systems.policy, AccountChange(attributes=attributes)
    world.do(lambda tx: change(tx, policy, account.id, wanted, BY, world.clock.now()))


def work_of(world: World, account: Account) -> WorkState:
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    return state


def held(world: World, account: Account) -> dict[str, tuple[str, ...]]:
    """What Keycloak holds of the account beside whose it is."""
    return {name: value for name, value in world.user(account).attributes.items() if name != "fsm_account_id"}


@pytest.fixture
def at_work(at_work: World) -> World:
    at_work.accounts.declared |= at_work.systems.policy.attributes.keys()
    return at_work


@pytest.mark.supports("A10")
def test_values_reach_keycloak_and_leave_it_and_foreign_ones_stay(at_work: World) -> None:
    """With the user's creation, with a change, and as nothing; a date and a yes as their one text."""
    jo = at_work.join("jo.lind", attributes={"cost_centre": "4711", "first_aider": "yes"})
    at_work.work()
    assert held(at_work, jo) == {"cost_centre": ("4711",), "first_aider": ("yes",)}
    at_work.user(jo).attributes["shoe_size"] = ("44",)
    want(at_work, jo, cost_centre=None, hired_on="2026-03-01")
    at_work.work()
    assert held(at_work, jo) == {"first_aider": ("yes",), "hired_on": ("2026-03-01",), "shoe_size": ("44",)}
    assert work_of(at_work, jo).applied


@pytest.mark.supports("A10", "H2")
def test_whoever_has_a_value_waits_until_the_realm_declares_it(at_work: World) -> None:
    """Keycloak would drop it without a word, so it is not written; others go on. The watch makes them due."""
    at_work.accounts.declared.discard("cost_centre")
    jo, kim = at_work.join("jo.lind"), at_work.join("kim.koch")
    at_work.work()
    want(at_work, jo, cost_centre="4711")
    want(at_work, kim, vehicle="van")
    new = at_work.join("lu.marx", attributes={"cost_centre": "4711"})
    at_work.work()
    for waiting in (jo, new):
        waits = work_of(at_work, waiting).waits
        assert waits is not None
        assert waits[0] == "configuration"
        assert "the realm has not followed" in waits[1]
        assert "cost_centre" in waits[1]
    assert held(at_work, kim) == {"vehicle": ("van",)}

    watch(at_work, undeclared=["cost_centre"])
    at_work.work()
    assert work_of(at_work, jo).waits is not None

    at_work.accounts.declared.add("cost_centre")
    watch(at_work)
    at_work.work()
    assert held(at_work, jo) == held(at_work, new) == {"cost_centre": ("4711",)}
    assert work_of(at_work, jo).waits is None


@pytest.mark.supports("A10", "A7", "E7")
def test_a_key_that_leaves_the_file_is_taken_from_all_accounts(at_work: World, tmp_path: Path) -> None:
    """By the run of the adoption, in Keycloak too; the history keeps what it was; who had none is not touched."""
    folder = tmp_path / "mappings"
    adopted(at_work, folder, ATTRIBUTES)
    jo, kim = at_work.join("jo.lind"), at_work.join("kim.koch")
    want(at_work, jo, cost_centre="4711", vehicle="van")
    at_work.work()
    before = work_of(at_work, kim)

    start = ATTRIBUTES.index("[attributes.desk_height]")
    adopted(at_work, folder, ATTRIBUTES[start:])
    now = at_work.read(lambda tx: accounts.get(tx, jo.id))
    assert now is not None
    assert now.attributes == {"vehicle": "van"}
    assert held(at_work, jo) == {"vehicle": ("van",)}
    timeline = at_work.read(lambda tx: read_timeline(tx, jo.id))
    (followed,) = [each for each in timeline if each.title == "follow the mapping files"]
    assert "cost_centre: 4711 -> nothing" in followed.details
    assert work_of(at_work, kim) == before
    want(at_work, jo, vehicle=None)
    with pytest.raises(Refused, match="cost_centre"):
        want(at_work, kim, cost_centre="4711")


@pytest.mark.supports("A10")
def test_a_file_that_does_not_allow_what_accounts_have_is_not_adopted(at_work: World, tmp_path: Path) -> None:
    """It would make every later change of those accounts fail."""
    folder = tmp_path / "mappings"
    adopted(at_work, folder, ATTRIBUTES)
    jo = at_work.join("jo.lind")
    want(at_work, jo, cost_centre="4711", vehicle="van")
    narrower = ATTRIBUTES.replace('choices.van = ["Van", "Transporter"]', "").replace(
        "longest = 12", "longest = 3"
    )
    with pytest.raises(Refused) as caught:
        adopted(at_work, folder, narrower)
    assert [each.reason for each in caught.value.problems] == [
        "do not allow cost_centre '4711', which 1 account has",
        "do not allow vehicle 'van', which 1 account has",
    ]


@pytest.mark.supports("A10", "G4")
@pytest.mark.parametrize("reaction", ["repair", "accept"])
def test_drift_of_an_attribute_is_found_and_repaired_or_accepted(
    world: World, tmp_path: Path, reaction: str
) -> None:
    """One finding for each, as drift.toml says of all; what is no value of it stays open for a person."""
    (tmp_path / "mappings").mkdir()
    drift = (files("mappings") / "drift.toml").read_text(encoding="utf-8")
    drift = drift.replace('attributes = "repair"', f'attributes = "{reaction}"')
    world.systems = replace(world.systems, policy=company(tmp_path / "mappings", drift=drift))
    world.accounts.declared |= world.systems.policy.attributes.keys()
    jo, kim = world.join("jo.lind"), world.join("kim.koch")
    want(world, jo, cost_centre="4711", hired_on="2026-03-01")
    world.work()
    world.user(jo).attributes |= {"cost_centre": ("4712",), "vehicle": ("van",), "shoe_size": ("44",)}
    world.user(kim).attributes["vehicle"] = ("a bicycle",)

    compare_attributes(world.systems)
    found = world.read(lambda tx: findings.listed(tx, states=findings.STATES))
    assert {(each.subject.who, each.what, each.wanted, each.found) for each in found} == {
        ("jo.lind@example.com", "cost_centre", "4711", "4712"),
        ("jo.lind@example.com", "vehicle", None, "van"),
        ("kim.koch@example.com", "vehicle", None, "a bicycle"),
    }
    carry_out(world)
    wanted = world.read(lambda tx: accounts.get(tx, jo.id))
    assert wanted is not None
    if reaction == "repair":
        assert held(world, jo) == {"cost_centre": ("4711",), "hired_on": ("2026-03-01",), "shoe_size": ("44",)}
        assert held(world, kim) == {}
    else:
        assert wanted.attributes == {"cost_centre": "4712", "hired_on": "2026-03-01", "vehicle": "van"}
        [left] = world.read(lambda tx: findings.listed(tx, states=["open"]))
        assert (left.subject.who, left.what) == ("kim.koch@example.com", "vehicle")
        assert held(world, kim) == {"vehicle": ("a bicycle",)}
