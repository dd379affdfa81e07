"""A company's own attributes on an account: given, changed, found by, kept in the history, refused when wrong."""

from __future__ import annotations

import pytest

from sync.commands.accounts.change import change
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.errors import Refused
from sync.store.accounts import accounts, attribute_values
from sync.store.accounts.listing import list_accounts
from sync.store.accounts.query import AccountQuery
from sync.store.audit.timeline import read_timeline
from tests.world import BY, World


def changed(world: World, account: Account, **attributes: str | None) -> Account:
    policy, wanted = world.systems.policy, AccountChange(attributes=attributes)
    return world.do(lambda tx: change(tx, policy, account.id, wanted, BY, world.clock.now()))


def found(world: World, **attributes: str) -> list[str]:
    query = AccountQuery(attributes=attributes)
    page = world.read(lambda tx: list_accounts(tx, Scope.all(), query))
    return [each.account.username for each in page.items]


@pytest.mark.supports("A10")
def test_values_are_kept_changed_taken_away_and_found(at_work: World) -> None:
    """Only what is named changes; a list can be asked for by any of them."""
    jo, kim = at_work.join("jo.lind"), at_work.join("kim.koch")
    jo = changed(at_work, jo, cost_centre="4711", vehicle="van")
    changed(at_work, kim, cost_centre="4711")
    assert found(at_work, cost_centre="4711") == ["jo.lind@example.com", "kim.koch@example.com"]
    assert found(at_work, cost_centre="4711", vehicle="van") == ["jo.lind@example.com"]
    jo = changed(at_work, jo, cost_centre=None)
    assert jo.attributes == {"vehicle": "van"}
    assert at_work.read(lambda tx: accounts.get(tx, jo.id)) == jo
    assert found(at_work, cost_centre="4711") == ["kim.koch@example.com"]
    counted = at_work.read(lambda tx: list(attribute_values.counted_values(tx, {"cost_centre", "vehicle"})))
    assert counted == [("cost_centre", "4711", 1), ("vehicle", "van", 1)]


@pytest.mark.supports("A10", "A7")
def test_the_history_says_what_each_value_was(at_work: World) -> None:
    """By the key, beside who and why, like any other field."""
    jo = at_work.join("jo.lind")
    changed(at_work, jo, cost_centre="4711")
    changed(at_work, jo, cost_centre="4712", vehicle="van")
    lines = [
        entry.details for entry in at_work.read(lambda tx: read_timeline(tx, jo.id)) if entry.title == "change"
    ]
    assert lines == [("cost_centre: 4711",), ("cost_centre: 4711 -> 4712", "vehicle: nothing -> van")]


@pytest.mark.supports("A10")
@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"cost_centre": " 4711"}, "is not spelled as it is stored"),
        ({"vehicle": "Van"}, "is not spelled as it is stored"),
        ({"desk_height": "200"}, "200 is too large"),
        ({"shoe_size": "44"}, "shoe_size: is no attribute of an account"),
    ],
)
def test_no_door_stores_what_the_file_does_not_allow(
    at_work: World, attributes: dict[str, str], reason: str
) -> None:
    """The rules of the account see them, whatever a door let through."""
    jo = at_work.join("jo.lind")
    with pytest.raises(Refused, match=reason):
        changed(at_work, jo, **attributes)
    assert at_work.read(lambda tx: accounts.get(tx, jo.id)) == jo
