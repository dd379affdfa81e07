"""What goes wrong with one account stays with it, and is sorted by what to do next (H2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from sync.domain.access import vocabulary
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import Failure, Misconfigured, NeedsPerson, Transient
from sync.domain.provisioning.observed import ACCOUNT_ID
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import bring_about, provision_some
from sync.ports.accounts import Created, NewUser
from sync.store.accounts import accounts
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from sync.store.provisioning import due, work_state
from sync.store.work import account_claims
from sync.store.work.lease_rows import Terms
from tests.callers import granted
from tests.world import POLICY, World, leave


@pytest.mark.supports("H2")
def test_errors_are_sorted_by_what_to_do_next(world: World) -> None:
    """Transient comes again, configuration comes again, a person's work waits for a person."""
    account = world.join()
    world.accounts.fail_next(Transient("no answer"))
    provision_some(world.systems, Lane.INTERACTIVE)
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert state.attempts == 1
    assert state.due_at is not None
    world.clock.time = state.due_at
    world.accounts.fail_next(Misconfigured("wrong client secret"))
    provision_some(world.systems, Lane.INTERACTIVE)
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert state.quarantine is None
    assert state.due_at is not None
    world.clock.time = state.due_at
    world.accounts.fail_next(NeedsPerson("Keycloak refuses the name"))
    provision_some(world.systems, Lane.INTERACTIVE)
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert state.quarantine == ("needs-person", "Keycloak refuses the name")
    world.pass_time(timedelta(days=2).total_seconds())
    assert provision_some(world.systems, Lane.INTERACTIVE) == 0


@pytest.mark.supports("H2")
def test_one_bad_account_stops_no_other(world: World) -> None:
    """A stranger has the name of one of three."""
    stranger = world.join("sam.stone")
    world.work()
    world.user(stranger).attributes.clear()
    with world.systems.db.write() as tx:
        accounts.update(
            tx, granted(replace(stranger, username="other.name@example.com", email="other@example.com"))
        )
    good, bad = world.join("gil.good"), world.join("sam.stone")
    world.work()
    assert world.user(good).enabled
    state = world.read(lambda tx: work_state.of_account(tx, bad.id))
    assert state is not None
    assert state.quarantine is not None
    assert state.quarantine[0] == "conflict"


@pytest.mark.supports("G4")
def test_a_tampered_group_is_not_joined(world: World) -> None:
    """A role that somebody put on our group would be given to everybody who joins it."""
    world.accounts.groups[vocabulary.profile_group("dispatcher")].add("realm-management/realm-admin")
    account = world.join()
    world.work()
    assert world.accounts.users == {}
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert state.quarantine is not None
    assert "realm-admin" in state.quarantine[1]


@pytest.mark.supports("G4", "H2")
def test_a_tampered_group_stops_only_who_would_join_it(world: World) -> None:
    """The others of the same batch are created."""
    world.accounts.groups[vocabulary.profile_group("accountant")].add("realm-management/realm-admin")
    bad, good = world.join("al.bad", profile="accountant"), world.join("gil.good")
    world.work()
    assert world.user(good).enabled
    assert world.read(lambda tx: work_state.of_account(tx, bad.id)).quarantine  # type: ignore[union-attr]


@pytest.mark.supports("H2")
def test_a_profile_this_worker_does_not_know_stops_only_its_account(world: World) -> None:
    """The worker was started before the profile was there: the others go on, this one comes again by itself."""
    late, good = world.join("lea.late", profile="accountant"), world.join("gil.good")
    profiles = {key: profile for key, profile in POLICY.profiles.items() if key != "accountant"}
    old = replace(world.systems, policy=replace(POLICY, profiles=profiles))
    provision_some(old, Lane.INTERACTIVE)
    assert world.user(good).enabled
    state = world.read(lambda tx: work_state.of_account(tx, late.id))
    assert state is not None
    assert state.quarantine is None
    world.pass_time(3600)
    world.work()
    assert world.user(late).enabled


@pytest.mark.supports("H2")
def test_an_outcome_that_cannot_be_recorded_stops_only_its_account(world: World) -> None:
    """Somebody gave the user of one account the id of another: a conflict, and the others are recorded."""
    first = world.join("fay.first")
    world.work()
    bad, good = world.join("bo.bad"), world.join("gil.good")
    world.user(first).attributes[ACCOUNT_ID] = (bad.id,)
    world.work()
    state = world.read(lambda tx: work_state.of_account(tx, bad.id))
    assert state is not None
    assert state.quarantine is not None
    assert state.quarantine[0] == "conflict"
    assert world.read(lambda tx: work_state.of_account(tx, good.id)).applied  # type: ignore[union-attr]


@pytest.mark.supports("D6", "H2")
def test_a_password_that_cannot_be_opened_stops_no_deactivation(world: World) -> None:
    """The key it was sealed with is missing: that account waits for the configuration, nobody else does."""
    leaver = world.join("lee.leaver")
    world.work()
    joiner = world.join("joy.joiner")
    leave(world, leaver.id, GatePolicy.REFUSE)
    url = f"sqlite:///{world.path}"
    other_key = replace(world.systems, db=Database(url, Sealer([Fernet.generate_key().decode()])))
    provision_some(other_key, Lane.INTERACTIVE)
    assert not world.user(leaver).enabled
    state = world.read(lambda tx: work_state.of_account(tx, joiner.id))
    assert state is not None
    assert state.quarantine is None
    world.pass_time(3600)
    world.work()
    assert world.user(joiner).password == "temporary-secret-of-the-test"


@pytest.mark.supports("H2")
def test_an_error_nobody_foresaw_stays_with_its_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It breaks the call that creates all of a batch; one by one, only the one it is about needs a person."""
    bad, good = world.join("bo.bad"), world.join("gil.good")
    create = world.accounts.create

    def broken(users: Sequence[NewUser]) -> Mapping[str, Created | Failure]:
        if any(user.desired.account_id == bad.id for user in users):
            raise TypeError("an answer of a shape nobody foresaw")
        return create(users)

    monkeypatch.setattr(world.accounts, "create", broken)
    world.work()
    assert world.user(good).enabled
    state = world.read(lambda tx: work_state.of_account(tx, bad.id))
    assert state is not None
    assert state.quarantine is not None
    assert "TypeError" in state.quarantine[1]


def test_bring_about_raises_for_a_user_that_was_deleted(world: World) -> None:
    """Nobody of ours deletes users: somebody else did, and a person has to say what follows."""
    account = world.join()
    world.work()
    world.accounts.users.clear()
    with world.systems.db.write() as tx:
        due.look_again(tx, account.id, Lane.INTERACTIVE, world.clock.now())
        [claim] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 1)
    with pytest.raises(NeedsPerson, match="deleted"):
        bring_about(world.systems, world.accounts, claim, None)
