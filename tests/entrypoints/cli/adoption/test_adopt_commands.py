"""`fsm-identity adopt` as a person types it: plan, look, apply, and let go again (G4)."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from sync.commands.operations.quarantine import retry
from sync.domain.accounts.account import Account
from sync.domain.provisioning.observed import ACCOUNT_ID
from sync.domain.work.lane import Lane
from sync.entrypoints.cli import adoption, app
from sync.store.accounts import accounts
from sync.store.operations import heartbeats
from sync.store.operations.heartbeats import Worker
from tests.entrypoints.cli.conftest import Run, done, told
from tests.fakes.accounts import FakeUser
from tests.jobs.adoption.adoption_steps import reconcile
from tests.restoring import back_up, restore
from tests.world import BY, World

pytestmark = pytest.mark.req("G4")

WHY = ("--reason", "they were there before us")


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command, with workers that work at every wake."""
    monkeypatch.setattr(adoption, "open_desk", lambda: world.systems)
    monkeypatch.setattr(world.wake, "wake", lambda lane: works(world, lane))
    now = world.clock.now()
    with world.systems.db.write() as tx:
        heartbeats.beat(tx, Worker("all@north", "north", 4711, tuple(sorted(Lane)), now, now, None))
    return lambda *arguments: CliRunner().invoke(app, ["adopt", *arguments])


def works(world: World, lane: Lane) -> None:
    if lane is Lane.RECONCILE:
        reconcile(world)
    elif lane is Lane.INTERACTIVE:
        world.work()


@pytest.fixture
def ann(world: World) -> Account:
    """Ann's account, and in Keycloak a user of hers, an administrator with Ben's address, and a guest."""
    for user in (
        FakeUser("kc-ann", "ann", "ann.arno@example.com"),
        FakeUser("kc-ben", "boss", "ben.berg@example.com", roles={"realm-management/realm-admin"}),
        FakeUser("kc-guest", "guest", "guest@elsewhere.example.com"),
    ):
        world.accounts.users[user.id] = user
    account, _ = world.join("ann.arno"), world.join("ben.berg")
    return account


def test_a_match_is_planned_looked_at_adopted_and_let_go(run: Run, world: World, ann: Account) -> None:
    """The plan names the match and the conflict and changes nothing; applied, the match has our mark; released,
    it has none."""
    users = world.accounts.users
    said = done(run("plan", *WHY))
    for words in ("to adopt", "it administers the realm", "1 user matches no account"):
        assert words in said
    [(named, fingerprint)] = re.findall(r"fsm-identity adopt apply (\w+) --plan (\w+) --reason", said)
    assert all(ACCOUNT_ID not in user.attributes for user in users.values())
    plan = told(run, "plan", *WHY)
    assert [(row["original"]["username"], row["verdict"]) for row in plan["rows"]] == [
        ("ann", "update"),
        ("boss", "error"),
    ]
    applied = done(run("apply", named, "--plan", fingerprint, *WHY))
    assert "1 user adopted" in applied
    assert users["kc-ann"].account_id == ann.id
    assert users["kc-ben"].account_id is None
    answer = told(run, "release", ann.username, *WHY)
    assert answer == {"account_id": ann.id, "username": ann.username, "released": "kc-ann"}
    assert users["kc-ann"].account_id is None


def test_a_second_release_leaves_the_accounts_own_user_alone(run: Run, world: World, ann: Account) -> None:
    """It was made by us after the first: nothing is to be let go of, and it keeps its mark, its groups and its
    names."""
    world.accounts.users["kc-ann"].username = "ann.old"
    fingerprint = told(run, "plan", *WHY)["run"]["fingerprint"]
    done(run("apply", "last", "--plan", fingerprint, *WHY))
    done(run("release", ann.username, *WHY))
    world.accounts.users["kc-ann"].username, world.accounts.users["kc-ann"].email = "ann.old", "old@example.com"
    world.do(lambda tx: retry(tx, None, BY, world.clock.now(), account_ids=[ann.id]))
    world.work(Lane.BULK)
    world.work()
    own = world.user(ann)
    before = own.username, own.email, dict(own.attributes), set(own.groups)
    assert own.id != "kc-ann"
    second = run("release", ann.username, *WHY)
    assert second.exit_code == 1
    assert f"Keycloak user {own.id} was not adopted (nothing is to be released)" in second.output
    world.work()
    assert (own.username, own.email, own.attributes, own.groups) == before


def test_what_is_refused_says_why(run: Run, ann: Account) -> None:
    """Another plan than the one looked at, no reason, an account that was never adopted."""
    done(run("plan", *WHY))
    other = run("apply", "last", "--plan", "0123456789ab", *WHY)
    assert (other.exit_code, "look at it again" in other.output) == (1, True)
    assert run("apply", "last", "--plan", "0123456789ab").exit_code == 2
    never = run("release", ann.username, *WHY)
    assert (never.exit_code, "was not adopted" in never.output) == (1, True)


def test_rows_for_programs(run: Run, ann: Account) -> None:
    """What became of each row, as JSON."""
    plan = told(run, "plan", *WHY)
    rows = told(run, "apply", "last", "--plan", plan["run"]["fingerprint"], *WHY)
    assert {row["original"]["username"]: (row["account_id"], row["result"]) for row in rows}["ann"] == (
        ann.id,
        "applied",
    )


def test_without_a_worker_it_is_said_which_one_is_missing(
    run: Run, world: World, ann: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is stored and goes on alone; nobody needs to wait for it."""
    monkeypatch.setattr(world.wake, "wake", lambda lane: None)
    with world.systems.db.write() as tx:
        heartbeats.leave(tx, "all@north", 4711)
    late = run("plan", "--timeout", "1", *WHY)
    assert late.exit_code == 1
    assert "no worker serves the lane reconcile" in late.output
    assert "no plan after 1 s; it goes on alone" in late.output
    assert "the plan is asked for" in done(run("plan", "--no-wait", *WHY))


def test_whose_account_was_lost_gets_it_again(run: Run, world: World) -> None:
    """The plan says what would be created and is applied by its fingerprint; a second one has nothing to do."""
    backup = back_up(world.path)
    lost = world.join("dora.dahl")
    world.work()
    restore(world.path, backup)
    said = done(run("plan", "--lost-accounts", *WHY))
    for words in (lost.username, "to create again: dispatcher, ", "nothing is changed yet"):
        assert words in said
    [(named, fingerprint)] = re.findall(r"fsm-identity adopt apply (\w+) --plan (\w+) --reason", said)
    assert "1 user adopted" in done(run("apply", named, "--plan", fingerprint, *WHY))
    assert world.read(lambda tx: accounts.known_ids(tx, [lost.id])) == {lost.id}
    assert "no user carries the mark of an account" in done(run("plan", "--lost-accounts", *WHY))
