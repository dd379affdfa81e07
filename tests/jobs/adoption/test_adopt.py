"""Adopting users that were in Keycloak before us: proposed, reviewed, applied, let go."""

from __future__ import annotations

import pytest

from sync.commands.accounts.change import change
from sync.commands.adoption import ask_plan, confirm
from sync.commands.operations.quarantine import retry
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.acts import ActState
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import NeedsPerson, Refused, Transient
from sync.domain.provisioning.observed import ACCOUNT_ID, TECHNICIAN_ID
from sync.domain.work.lane import Lane
from sync.jobs.mail import send_some
from sync.store.accounts import accounts, passwords
from sync.store.audit.timeline import read_timeline
from sync.store.provisioning import work_state
from sync.store.runs import runs
from tests.claiming import still_claimed
from tests.fakes.accounts import FakeUser
from tests.jobs.adoption.adoption_steps import (
    act_of,
    apply,
    ask_release,
    errors,
    make_plan,
    reconcile,
    release,
    run_of,
)
from tests.world import BRANCH, BY, POLICY, World, leave


def stranger(world: World, name: str, email: str, **fields: object) -> FakeUser:
    """A user that was there before us."""
    user = FakeUser(f"kc-{name}", name, email, **fields)  # type: ignore[arg-type]
    world.accounts.users[user.id] = user
    return user


def kept(world: World, account: Account) -> Account:
    found = world.read(lambda tx: accounts.get(tx, account.id))
    assert found is not None
    return found


def adopted(world: World) -> None:
    """Everybody who matches."""
    plan = make_plan(world)
    apply(world, plan)
    world.work(Lane.BULK)


@pytest.mark.supports("G4")
def test_a_reviewed_match_becomes_the_accounts_user(world: World) -> None:
    """Its quarantine ends, the workers bring it to what is wanted, and nobody else is touched."""
    user = stranger(world, "jo.old", "jo.lind@example.com", groups={"/elsewhere"})
    world.accounts.groups["/elsewhere"] = set()
    guest = stranger(world, "guest", "guest@elsewhere.example.com")
    account = world.join()
    world.work()
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert state.quarantine is not None, "creating it met the stranger"
    plan = make_plan(world)
    assert errors(plan) == {"jo.old": ("update", [])}
    assert (plan.foreign, user.attributes, kept(world, account).idp_user_id) == (1, {}, None)
    [row] = apply(world, plan, plan.run.fingerprint[:12])
    assert row.result == "applied"
    world.work(Lane.BULK)
    assert kept(world, account).idp_user_id == user.id
    assert user.username == account.username
    assert {"/elsewhere", vocabulary.branch_group(BRANCH.key)} < user.groups
    assert (guest.username, guest.attributes, guest.groups) == ("guest", {}, set())
    ended = world.read(lambda tx: runs.get(tx, plan.run.id))
    assert ended is not None
    assert ended.state == "done"


@pytest.mark.supports("G4")
def test_conflicts_are_shown_and_left_alone(world: World) -> None:
    """Two users for one account, two accounts for one user, an account that has a user, an administrator."""
    for name in ("ann.arno", "ben.berg", "cem.cohn", "dee.dorn"):
        world.join(name)
    has_one = world.join("eva.eich")
    stranger(world, "ann.arno@example.com", "one@elsewhere.example.com")
    stranger(world, "ann2", "ann.arno@example.com")
    stranger(world, "ben.berg@example.com", "cem.cohn@example.com")
    stranger(world, "dee", "dee.dorn@example.com", roles={"realm-management/realm-admin"})
    with world.systems.db.write() as tx:
        accounts.remember_idp_user_ids(tx, {still_claimed(has_one.id): "kc-gone"})
    stranger(world, "eva", "eva.eich@example.com")
    plan = make_plan(world)
    found = {name: (verdict, str(errors)) for name, (verdict, errors) in errors(plan).items()}
    assert {verdict for verdict, _ in found.values()} == {"error"}
    assert "2 users match" in found["ann2"][1]
    assert "2 users match" in found["ann.arno@example.com"][1]
    assert "several accounts match" in found["ben.berg@example.com"][1]
    assert "administers the realm" in found["dee"][1]
    assert "has Keycloak user kc-gone already" in found["eva"][1]
    apply(world, plan)
    assert all(ACCOUNT_ID not in user.attributes for user in world.accounts.users.values())


@pytest.mark.supports("G4", "E7")
def test_only_what_was_reviewed_is_adopted(world: World) -> None:
    """Another fingerprint is refused; an account or user that changed since is refused alone."""
    first, second = world.join("ann.arno"), world.join("ben.berg")
    third = world.join("cem.cohn")
    users = [stranger(world, each.given_name.lower(), each.email) for each in (first, second, third)]
    plan = make_plan(world)
    with pytest.raises(Refused, match="is not 'feedfeed'"):
        apply(world, plan, "feedfeed")
    world.do(lambda tx: change(tx, POLICY, first.id, AccountChange(given_name="Ada"), BY, world.clock.now()))
    users[1].email = "somebody.else@example.com"
    results = {row.original["username"]: row.result for row in apply(world, plan)}
    assert results == {"ann": "refused", "ben": "refused", "cem": "applied"}
    assert [ACCOUNT_ID in user.attributes for user in users] == [False, False, True]


@pytest.mark.supports("G4")
def test_an_employee_number_matches_where_its_attribute_is_named(world: World) -> None:
    """Neither name nor address is the same; without the attribute nobody guesses."""
    account = world.join("ann.arno", employee_number="E-77")
    stranger(world, "aa77", "old@elsewhere.example.com", attributes={"personnel": ("E-77",)})
    assert errors(make_plan(world)) == {}
    plan = make_plan(world, "personnel")
    assert [(row.account_id, row.messages["matched_by"]) for row in plan.rows] == [
        (account.id, ["employee number"])
    ]


@pytest.mark.supports("G4")
def test_an_account_that_got_a_user_since_the_plan_keeps_it(world: World) -> None:
    """Nothing stood in the way of the worker, which made one; the stranger must not carry our mark as well."""
    account = world.join("ann.arno", employee_number="E-77")
    user = stranger(world, "aa77", "old@elsewhere.example.com", attributes={"personnel": ("E-77",)})
    plan = make_plan(world, "personnel")
    world.work()
    made = kept(world, account).idp_user_id
    [row] = apply(world, plan)
    assert row.result == "refused"
    assert ACCOUNT_ID not in user.attributes
    assert kept(world, account).idp_user_id == made


@pytest.mark.supports("G4")
def test_a_wrong_match_is_let_go(world: World) -> None:
    """Mark and link are gone and both are two again, and the user is in no group of ours, which would give it what
    the account may do; an account that was never adopted has nothing to release."""
    account, other = world.join("ann.arno"), world.join("ben.berg")
    world.accounts.groups["/elsewhere"] = set()
    user = stranger(world, "ann", account.email, groups={"/elsewhere"})
    plan = make_plan(world)
    apply(world, plan)
    world.work()
    assert len(user.groups) > 1
    user.attributes[TECHNICIAN_ID] = ("T-1",)
    act = release(world, account.id)
    assert (act.state, act.idp_user_id) == (ActState.DONE, user.id)
    assert (user.attributes, user.groups) == ({}, {"/elsewhere"})
    told = [each for each in world.read(lambda tx: read_timeline(tx, account.id)) if "release" in each.title]
    assert any(vocabulary.branch_group(BRANCH.key) in line for each in told for line in each.details)
    assert kept(world, account).idp_user_id is None
    world.work()
    with pytest.raises(Refused, match="was not adopted"):
        release(world, other.id)


@pytest.mark.supports("G4", "F7")
def test_who_was_let_go_of_gets_a_user_of_its_own(world: World) -> None:
    """At once, with a new password in one mail, in place of the first. As long as the released user has its name
    it waits for a person; nothing says that it is as wanted."""
    account = world.join("ann.arno")
    user = stranger(world, "ann", account.email)
    adopted(world)
    world.work()
    release(world, account.id)
    assert world.wake.woken[-1] is Lane.BULK
    world.work()
    world.work(Lane.BULK)
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert state.quarantine is not None
    user.username, user.email = "ann.old", "ann@elsewhere.example.com"
    world.do(lambda tx: retry(tx, None, BY, world.clock.now(), account_ids=[account.id]))
    world.work(Lane.BULK)
    world.work()
    assert kept(world, account).idp_user_id not in (None, user.id)
    while send_some(world.systems):
        pass
    [mail] = world.mailer.sent
    assert mail.to == account.email
    assert "temporary-secret-of-the-test" not in mail.text


@pytest.mark.supports("G4", "D6")
def test_a_leaver_who_was_let_go_of_is_mailed_nothing(world: World) -> None:
    """It has no use for a password."""
    account = world.join("ann.arno")
    stranger(world, "ann", account.email)
    adopted(world)
    leave(world, account.id, GatePolicy.REFUSE)
    world.work()
    world.work(Lane.BULK)
    waiting = world.read(lambda tx: passwords.kept(tx, account.id, world.clock.now()))
    release(world, account.id)
    assert world.read(lambda tx: passwords.kept(tx, account.id, world.clock.now())) == waiting


@pytest.mark.supports("G4")
def test_only_the_user_that_was_adopted_can_be_let_go(world: World) -> None:
    """The account has a user of its own by then, which keeps its mark and its groups."""
    account = world.join("ann.arno")
    user = stranger(world, "ann", account.email)
    adopted(world)
    user.username, user.email = "ann.old", "ann@elsewhere.example.com"
    release(world, account.id)
    user.username, user.email = "ann.old", "ann@elsewhere.example.com"
    world.work(Lane.BULK)
    world.do(lambda tx: retry(tx, None, BY, world.clock.now(), account_ids=[account.id]))
    world.work()
    own = world.user(account)
    assert own.id != user.id
    with pytest.raises(Refused, match=f"Keycloak user {own.id} was not adopted"):
        release(world, account.id)
    assert own.groups


@pytest.mark.supports("G4", "H1")
@pytest.mark.parametrize("after_the_mark", [False, True])
def test_a_release_that_was_interrupted_is_done_once(
    world: World, monkeypatch: pytest.MonkeyPatch, after_the_mark: bool
) -> None:
    """The worker died before or after the mark was off; the next one finds out which, and mails one password."""
    account = world.join("ann.arno")
    user = stranger(world, "ann", account.email)
    adopted(world)
    take_off = world.systems.adoption.release

    def dies(idp_user_id: str, account_id: str) -> None:
        if after_the_mark:
            take_off(idp_user_id, account_id)
        raise KeyboardInterrupt

    monkeypatch.setattr(world.systems.adoption, "release", dies)
    asked = ask_release(world, account.id)
    with pytest.raises(KeyboardInterrupt):
        world.work()
    monkeypatch.undo()
    world.pass_time(61)
    world.work()
    assert act_of(world, asked).state is ActState.DONE
    assert (user.attributes, user.groups) == ({}, set())
    user.username, user.email = "ann.old", "ann@elsewhere.example.com"
    world.do(lambda tx: retry(tx, None, BY, world.clock.now(), account_ids=[account.id]))
    world.work(Lane.BULK)
    world.work()
    assert kept(world, account).idp_user_id not in (None, user.id)
    while send_some(world.systems):
        pass
    assert len(world.mailer.sent) == 1


@pytest.mark.supports("G4", "H1")
@pytest.mark.parametrize("request_", ["apply", "release"])
def test_who_stood_still_over_a_release_writes_nothing_late(
    world: World, monkeypatch: pytest.MonkeyPatch, request_: str
) -> None:
    """Its lease is gone when it goes on, at a group or at the mark: the user stays as it is until somebody else
    has the account, who lets go of it once."""
    account = world.join("ann.arno")
    user = stranger(world, "ann", account.email)
    adopted(world)
    world.work()
    gateway = world.accounts if request_ == "apply" else world.systems.adoption
    send, after = getattr(gateway, request_), list[tuple[str | None, int]]()

    def stands_still_once(*given: object) -> None:
        before = user.account_id, len(user.groups)
        if not after:
            world.pass_time(61)
        try:
            send(*given)
        finally:
            if not after:
                assert (user.account_id, len(user.groups)) == before
            after.append((user.account_id, len(user.groups)))

    monkeypatch.setattr(gateway, request_, stands_still_once)
    assert release(world, account.id).state is ActState.DONE
    assert len(after) > 1
    assert (user.attributes, user.groups) == ({}, set())


@pytest.mark.supports("G4")
def test_a_plan_that_is_not_there_yet_is_not_applied(world: World) -> None:
    """It was asked for, and no worker came."""
    asked = ask_plan(world.systems, BY)
    assert (asked.state, world.wake.woken[-1]) == ("asked", Lane.RECONCILE)
    with pytest.raises(Refused, match="is not planned yet"):
        confirm(world.systems, asked.id, "0123456789ab", BY)


@pytest.mark.supports("G4", "H2")
def test_what_nobody_can_plan_ends_with_the_reason(world: World) -> None:
    """A failure that passes is tried again; another one ends the run."""
    account = world.join("ann.arno")
    stranger(world, "ann", account.email)
    asked = ask_plan(world.systems, BY)
    world.accounts.fail_next(Transient("connection reset"))
    reconcile(world)
    assert run_of(world, asked.id).state == "asked"
    world.accounts.unreadable["kc-ann"] = NeedsPerson("cannot be read")
    world.pass_time(600)
    reconcile(world)
    ended = run_of(world, asked.id)
    assert (ended.state, ended.options["failure"]) == ("refused", "cannot be read")
