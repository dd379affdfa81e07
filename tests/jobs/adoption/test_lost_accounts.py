"""Users whose accounts our database lost get them back: planned, reviewed, created again or joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sync.commands.accounts.change import change, create_account
from sync.commands.accounts.initial_password import InitialPassword
from sync.commands.adoption import ask_plan
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.change import AccountChange, NewAccount
from sync.domain.errors import Refused
from sync.domain.provisioning.observed import LockState
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.audit.timeline import read_timeline
from sync.store.provisioning import work_state
from tests.comparing import compare
from tests.fakes.accounts import FakeUser
from tests.jobs.adoption.adoption_steps import (
    Plan,
    apply,
    ask_release,
    errors,
    make_plan,
    reconcile,
    rows_of,
    run_of,
)
from tests.jobs.drift.drift_steps import findings, later
from tests.restoring import back_up, restore
from tests.world import BRANCH, BY, POLICY, World

pytestmark = pytest.mark.supports("G4", "H1")

TEAM = next(key for key, team in POLICY.teams.items() if team.branch == BRANCH.key)


def plan_lost(world: World) -> Plan:
    asked = ask_plan(world.systems, BY, lost_accounts=True)
    reconcile(world)
    return Plan(run_of(world, asked.id), rows_of(world, asked.id))


def lose(world: World, made: Callable[[], Any]) -> None:
    """What is done here was after the backup that our database is restored from."""
    backup = back_up(world.path)
    made()
    restore(world.path, backup)


def kept(world: World, account_id: str) -> Account | None:
    return world.read(lambda tx: accounts.peek(tx, account_id))


def lost_person(world: World, name: str = "dora.dahl", **wanted: Any) -> Account:
    """Brought into Keycloak after the backup."""
    made: list[Account] = []

    def join() -> None:
        account = world.join(name, **wanted)
        world.work()
        made.extend(filter(None, [kept(world, account.id)]))

    lose(world, join)
    return made[0]


def test_a_lost_account_is_created_again_as_keycloak_shows_it(world: World, people: list[Account]) -> None:
    """After the review, under its id; nothing is written to its user, the finding ends, and the next comparison
    finds nothing to do."""
    lost = lost_person(world, data_access="team", team=TEAM)
    compare(world.systems)
    before, groups = len(world.accounts.applied), set(world.user(lost).groups)
    plan = plan_lost(world)
    assert errors(plan) == {lost.username: ("create", [])}
    assert kept(world, lost.id) is None
    [row] = apply(world, plan)
    assert row.result == "applied"
    assert findings(world) == []
    again = kept(world, lost.id)
    assert again is not None
    assert replace(again, created_at=lost.created_at) == lost
    world.work(Lane.BULK)
    later(world)
    compare(world.systems)
    assert findings(world) == []
    assert (len(world.accounts.applied), world.user(lost).groups) == (before, groups)
    titles = [each.title for each in world.read(lambda tx: read_timeline(tx, lost.id))]
    assert any("create again" in title for title in titles)
    with pytest.raises(Refused, match="was not adopted"):
        ask_release(world, lost.id)


def test_who_was_deactivated_or_locked_out_comes_back_as_that(world: World, people: list[Account]) -> None:
    """Switched off is inactive; a lockout of Keycloak's is none."""
    left = lost_person(world, "lea.lund")
    world.user(left).enabled = False
    locked = lost_person(world, "lou.lang")
    world.user(locked).enabled, world.user(locked).lock = False, LockState(permanent=True)
    apply(world, plan_lost(world))
    lives = [account.life for each in (left, locked) if (account := kept(world, each.id))]
    assert lives == [Life.INACTIVE, Life.ACTIVE]


def test_an_account_created_anew_under_the_name_gets_the_user(world: World, people: list[Account]) -> None:
    """It waits in quarantine till then; the user carries its mark from then on and is brought to what is wanted of
    it. An ordinary plan says what is the case instead of adopting it."""
    lost = lost_person(world)
    user = world.user(lost)
    anew = world.join("dora.dahl", profile="manager")
    world.work()
    [why] = errors(make_plan(world)).values()
    assert why[0] == "error"
    assert "which our database lost: fsm-identity adopt plan --lost-accounts" in str(why[1])
    plan = plan_lost(world)
    assert errors(plan) == {lost.username: ("update", [])}
    [row] = apply(world, plan)
    assert row.result == "applied"
    world.work(Lane.BULK)
    account = kept(world, anew.id)
    assert account is not None
    assert (account.idp_user_id, user.account_id) == (user.id, anew.id)
    assert vocabulary.profile_group("manager") in user.groups
    assert kept(world, lost.id) is None


def test_a_join_that_is_refused_leaves_the_user_as_it_was(world: World, people: list[Account]) -> None:
    """The account was changed after the mark was put on and before the link: the user carries its own again, and
    keeps its groups."""
    lost = lost_person(world)
    user, groups = world.user(lost), set(world.user(lost).groups)
    anew = world.join("dora.dahl")
    world.work()
    plan = plan_lost(world)
    take, now = world.systems.adoption.take, world.clock.now()

    def and_then_changed(*args: Any, **kwargs: Any) -> None:
        take(*args, **kwargs)
        if kwargs.get("instead_of") == lost.id:
            world.do(lambda tx: change(tx, POLICY, anew.id, AccountChange(given_name="D"), BY, now))

    world.systems.adoption.take = and_then_changed  # type: ignore[method-assign]
    [row] = apply(world, plan)
    assert row.result == "refused"
    assert (user.account_id, user.groups) == (lost.id, groups)


def test_what_keycloak_does_not_show_is_for_a_person(world: World, people: list[Account]) -> None:
    """Two profiles, none, a right to administer the realm: each with its reason, and nobody is created."""
    two, none = lost_person(world, "two.tal"), lost_person(world, "non.noe")
    world.user(two).groups.add(vocabulary.profile_group("manager"))
    world.user(none).groups.clear()
    admin = lost_person(world, "adm.ahl")
    world.user(admin).roles.add("realm-management/realm-admin")
    plan = plan_lost(world)
    found = {name: str(why) for name, (verdict, why) in errors(plan).items() if verdict == "error"}
    assert "more than one profile: dispatcher, manager" in found[two.username]
    assert "no profile: create the account by hand" in found[none.username]
    assert "administers the realm" in found[admin.username]
    apply(world, plan)
    assert [kept(world, each.id) for each in (two, none, admin)] == [None] * 3


def test_only_what_was_reviewed_is_created(world: World, people: list[Account]) -> None:
    """Somebody gave the user another profile since the plan; another one has its account again by an earlier run;
    a third is gone."""
    changed, back, gone = (lost_person(world, name) for name in ("cha.cox", "bac.bay", "gon.gil"))
    earlier, plan = plan_lost(world), plan_lost(world)
    groups = world.user(changed).groups
    groups.discard(vocabulary.profile_group("dispatcher"))
    groups.add(vocabulary.profile_group("administrator"))
    del world.accounts.users[world.user(gone).id]
    for run in (earlier, plan):
        found = {row.original["username"]: (row.result, row.result_message) for row in apply(world, run)}
        assert found[changed.username] == ("refused", "user: is not as it was reviewed (plan the adoption anew)")
        assert found[gone.username] == ("refused", "user: it is gone")
        expected = "applied" if run is earlier else "refused"
        assert found[back.username][0] == expected
    assert [kept(world, each.id) is None for each in (changed, back, gone)] == [True, False, True]


def test_another_database_gives_nobody_an_account(world: World, people: list[Account]) -> None:
    """Too many marks are unknown: this is not a restore of lately. The run says so, and nothing of it can be
    applied."""
    for number in range(10):
        name = f"user{number}"
        world.accounts.users[name] = FakeUser(
            name, name, f"{name}@example.com", attributes={"fsm_account_id": (f"account-{number}",)}
        )
    plan = plan_lost(world)
    assert (plan.run.state, plan.rows) == ("refused", ())
    assert "our database lacks 10 of the 13 accounts" in plan.run.options["failure"]
    with pytest.raises(Refused):
        apply(world, plan)


def test_an_empty_database_gives_nobody_an_account(world: World, people: list[Account], migrated: Any) -> None:
    """However few there are."""
    restore(world.path, migrated)
    plan = plan_lost(world)
    assert "our database lacks 3 of the 3 accounts" in plan.run.options["failure"]


def test_the_employee_number_is_not_asked_of_them(world: World) -> None:
    """Their mark says whose they were."""
    with pytest.raises(Refused, match="leave one of the two options out"):
        ask_plan(world.systems, BY, "personnel", lost_accounts=True)


def test_creating_somebody_who_was_lost_says_what_is_the_case(world: World, people: list[Account]) -> None:
    """Where nobody knows it yet, the quarantine says so; after a comparison the door does, before anything is
    stored."""
    lost = lost_person(world)
    anew = world.join("dora.dahl")
    world.work()
    state = world.read(lambda tx: work_state.of_account(tx, anew.id))
    assert state is not None
    kind, reason = state.quarantine or ("", "")
    assert kind == "conflict"
    for words in (f"does not have account {lost.id}", "fsm-identity adopt plan --lost-accounts"):
        assert words in reason
    other = lost_person(world, "emi.eck")
    compare(world.systems)
    new = NewAccount(other.email, "Emi", "Eck", "dispatcher", BRANCH.key)
    password = InitialPassword("temporary-secret-of-the-test", "shown")
    with pytest.raises(Refused, match=r"whose account our database lost.* adopt plan --lost-accounts"):
        create_account(world.systems, new, BY, password, even_if_similar=False)
    assert create_account(world.systems, new, BY, password, even_if_similar=True).username == other.username
