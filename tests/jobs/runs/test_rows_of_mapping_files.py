"""Runs of adopted mapping files: everybody follows, whatever became of who adopted them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.loading import read_texts
from sync.commands.accounts.change import change
from sync.commands.run_kinds import approve, reject
from sync.domain.access.callers import Person
from sync.domain.access.cause import Cause, Door
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.errors import Refused
from sync.store.accounts import accounts
from sync.store.audit.timeline import read_timeline
from sync.store.runs import run_rows, runs
from sync.store.runs.runs import Run
from tests.adopting import adopted, adopted_by, carry_out, in_force, while_it_walks
from tests.callers import wanted_by
from tests.company import ATTRIBUTES
from tests.world import BY, World

pytestmark = pytest.mark.supports("A10", "E7")

WITHOUT_COST_CENTRE = ATTRIBUTES[ATTRIBUTES.index("[attributes.desk_height]") :]

CHANGED = "[limits.changed]\naccounts = "
TWO_AT_MOST = read_texts()["guard.toml"].replace(f'{CHANGED}"unlimited"', f"{CHANGED}2")


@pytest.fixture
def company(at_work: World, tmp_path: Path) -> World:
    """Its attributes are in force and declared."""
    at_work.accounts.declared |= at_work.systems.policy.attributes.keys()
    adopted(at_work, tmp_path / "mappings", ATTRIBUTES)
    return at_work


def wanted(world: World, account: Account, change_: AccountChange) -> None:
    policy = world.systems.policy
    world.do(lambda tx: change(tx, policy, account.id, change_, BY, world.clock.now()))


def values(world: World, account: Account) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Ours and Keycloak's."""
    ours = world.read(lambda tx: accounts.get(tx, account.id))
    assert ours is not None
    theirs = {name: text for name, text in world.user(account).attributes.items() if name != "fsm_account_id"}
    return dict(ours.attributes), theirs


def latest(world: World) -> Run:
    return world.read(lambda tx: runs.recent(tx, 1, "mappings"))[0]


def test_who_adopted_the_files_may_be_affected_and_may_have_lost_every_right(
    company: World, tmp_path: Path
) -> None:
    """The files are everybody's from then on: their run never waits for a right of who adopted them."""
    company.join("ben.boss", profile="administrator")
    ada = company.join("ada.arndt", profile="administrator", attributes={"cost_centre": "1"})
    jo = company.join("jo.lind", attributes={"cost_centre": "4711"})
    company.work()
    by = Cause(Person(ada.id, ada.username), Door.CONSOLE, "cost centres have gone")
    done = adopted_by(company, tmp_path / "mappings", WITHOUT_COST_CENTRE, by)
    assert done.number is not None
    wanted(company, ada, AccountChange(profile="read-only"))
    carry_out(company)
    company.work()
    assert latest(company).state == "done"
    assert values(company, jo) == values(company, ada) == ({}, {})
    timeline = company.read(lambda tx: read_timeline(tx, jo.id))
    [followed] = [each for each in timeline if each.title == "follow the mapping files"]
    assert followed.actor == "ada.arndt@example.com"


def test_a_value_given_while_the_files_come_into_force_goes_with_the_others(
    company: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever gains one after having been looked at has a row of the run like everybody else."""
    jo, kim = company.join("jo.lind", attributes={"cost_centre": "4711"}), company.join("kim.koch")
    company.work()
    while_it_walks(monkeypatch, lambda: wanted(company, kim, AccountChange(attributes={"cost_centre": "4712"})))
    done = adopted_by(company, tmp_path / "mappings", WITHOUT_COST_CENTRE)
    assert done.run is not None
    assert done.run.counts == {"update": 2, "unchanged": 0}
    company.work()
    carry_out(company)
    for account in (jo, kim):
        assert values(company, account) == ({}, {})
    rows = company.read(lambda tx: run_rows.rows(tx, done.run.id if done.run else ""))
    assert [(row.number, row.account_id, row.result) for row in rows] == [
        (1, jo.id, "applied"),
        (2, kim.id, "applied"),
    ]


def test_nobody_was_affected_before(company: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is that of the latecomer."""
    kim = company.join("kim.koch")
    company.work()
    while_it_walks(monkeypatch, lambda: wanted(company, kim, AccountChange(attributes={"cost_centre": "4712"})))
    done = adopted_by(company, tmp_path / "mappings", WITHOUT_COST_CENTRE)
    assert done.run is not None
    carry_out(company)
    assert values(company, kim) == ({}, {})


def test_a_value_given_while_the_change_is_held_is_in_the_next_plan(company: World, tmp_path: Path) -> None:
    """Nobody has looked at whoever gained one since: planned again the run has a row of theirs. Who has a row
    already and was changed otherwise hinders nobody, and gets no second one."""
    (tmp_path / "mappings" / "guard.toml").write_text(TWO_AT_MOST)
    adopted(company, tmp_path / "mappings", ATTRIBUTES)
    people = [company.join(f"pat.p{number}", attributes={"cost_centre": "4711"}) for number in range(3)]
    kim = company.join("kim.koch")
    company.work()
    done = adopted_by(company, tmp_path / "mappings", WITHOUT_COST_CENTRE)
    assert (done.number, done.run and done.run.state) == (None, "held")
    wanted(company, kim, AccountChange(attributes={"cost_centre": "4712"}))
    run = latest(company)
    with pytest.raises(
        Refused, match=r"1 account that nobody looked at .* kim.koch@example.com: would be changed"
    ):
        approve(company.systems, run.id, wanted_by("lee"), run.fingerprint)
    reject(company.systems, run.id, wanted_by("lee"))
    adopted_by(company, tmp_path / "mappings", WITHOUT_COST_CENTRE)
    wanted(company, people[0], AccountChange(attributes={"vehicle": "van"}))
    run = latest(company)
    approved = approve(company.systems, run.id, wanted_by("lee"), run.fingerprint)
    assert (approved.state, approved.counts["update"]) == ("confirmed", 4)
    in_force(company)
    company.work()
    carry_out(company)
    assert latest(company).state == "done"
    for account in (*people[1:], kim):
        assert values(company, account) == ({}, {})
    assert values(company, people[0]) == ({"vehicle": "van"}, {"vehicle": ("van",)})
