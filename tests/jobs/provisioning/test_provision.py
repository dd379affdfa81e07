"""From what is wanted to what Keycloak holds, and what is written down on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync.commands.accounts.change import change
from sync.commands.accounts.technician import link_technician
from sync.commands.deactivation.deactivate import reactivate
from sync.domain.access import vocabulary
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import Refused, Transient
from sync.domain.provisioning.change import Disable, EndSessions, JoinGroup
from sync.domain.work.lane import Lane
from sync.domain.work.lease import LEASE
from sync.jobs.mail import send_some
from sync.jobs.schedule.sweep import sweep
from sync.ports.field_service import Technician
from sync.store.accounts import passwords
from sync.store.audit import trail
from sync.store.operations import latency
from sync.store.provisioning import due, work_state
from sync.store.work import account_claims, lease_rows
from sync.store.work.lease_rows import Terms
from tests.world import BRANCH, BY, POLICY, World, leave


@pytest.mark.supports("A6", "B1")
def test_a_new_account_becomes_a_user(world: World) -> None:
    """With its groups and a password that must be changed; the password leaves our database with the mail."""
    account = world.join(team=BRANCH.teams[0].key)
    world.work()
    user = world.user(account)
    assert user.enabled
    assert user.required_actions == {"UPDATE_PASSWORD"}
    assert user.groups == {
        vocabulary.profile_group("dispatcher"),
        vocabulary.branch_group(BRANCH.key),
        vocabulary.team_group(BRANCH.teams[0].key),
        vocabulary.data_access_group(POLICY.profiles["dispatcher"].default_data_access),
    }
    assert send_some(world.systems) == 1
    assert "temporary-secret-of-the-test" in world.mailer.sent[0].text
    assert world.read(lambda tx: passwords.kept(tx, account.id, world.clock.now())) is None
    assert send_some(world.systems) == 0


@pytest.mark.supports("H1")
def test_a_create_whose_answer_was_lost_is_not_made_twice(world: World) -> None:
    """The next look finds the user by our account id."""
    account = world.join()
    world.accounts.fail_next(Transient("connection reset"))
    world.work()
    assert world.accounts.users == {}
    world.pass_time(3600)
    world.work()
    assert len(world.accounts.users) == 1
    assert world.user(account).enabled


@pytest.mark.supports("H1")
def test_a_dead_worker_is_made_good_by_the_sweep(world: World) -> None:
    """Claimed and never finished: after the lease somebody else does it; the dead one's word no longer counts."""
    account = world.join()
    with world.systems.db.write() as tx:
        [lost] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 1)
    world.wake.woken.clear()
    assert Lane.INTERACTIVE not in sweep(world.systems)
    world.pass_time(LEASE.total_seconds() + 1)
    assert Lane.INTERACTIVE in sweep(world.systems)
    world.work()
    assert world.user(account).enabled
    with world.systems.db.write() as tx:
        assert not lease_rows.extend(tx, lost.lease, world.clock.now() + LEASE)


@pytest.mark.supports("D6", "H1")
def test_a_late_write_of_a_dead_worker_is_undone(world: World) -> None:
    """Its request is on its way when the account is taken away from it: whoever is next waits for as long as a
    request can take, looks then, and finds it."""
    world.systems = replace(world.systems, longest_request=timedelta(seconds=10))
    account = world.join()
    world.work()
    rename = AccountChange(given_name="Joanna")
    world.do(lambda tx: change(tx, POLICY, account.id, rename, BY, world.clock.now()))
    with world.systems.db.write() as tx:
        assert account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 1)
    world.pass_time(LEASE.total_seconds() + 1)
    assert Lane.INTERACTIVE not in sweep(world.systems)
    world.work()
    assert world.user(account).given_name != "Joanna"
    late = JoinGroup(vocabulary.profile_group("administrator"))
    world.accounts.apply(world.user(account).id, late)
    world.pass_time(10)
    assert Lane.INTERACTIVE in sweep(world.systems)
    world.work()
    assert late.path not in world.user(account).groups
    world.pass_time(3600)
    assert Lane.INTERACTIVE not in sweep(world.systems)


@pytest.mark.supports("H1")
def test_a_wake_that_fails_loses_nothing(world: World) -> None:
    """Redis down: the change is stored, and the sweep finds it."""
    world.wake.down = True
    account = world.join()
    world.wake.down = False
    assert Lane.INTERACTIVE in sweep(world.systems)
    world.work()
    assert world.user(account).enabled


@pytest.mark.supports("A4", "C6")
def test_a_promotion_ends_sessions_before_the_profile_is_given(world: World) -> None:
    """And the old profile is taken before."""
    account = world.join(profile="read-only")
    world.work()
    user = world.user(account)
    user.tokens["browser"] = None
    world.accounts.applied.clear()
    promote = AccountChange(profile="administrator")
    world.do(lambda tx: change(tx, POLICY, account.id, promote, BY, world.clock.now()))
    world.work()
    done = [applied for _, applied in world.accounts.applied]
    assert done.index(JoinGroup(vocabulary.SECOND_FACTOR)) < done.index(
        EndSessions("opened without the second factor")
    )
    assert done.index(EndSessions("opened without the second factor")) < done.index(
        JoinGroup(vocabulary.profile_group("administrator"))
    )
    assert user.tokens == {}
    assert {g for g in user.groups if g.startswith(vocabulary.PROFILES)} == {
        vocabulary.profile_group("administrator")
    }


@pytest.mark.supports("D6")
def test_deactivation_ends_everything(world: World) -> None:
    """Disabled, sessions ended, offline tokens revoked, also after a reactivation; nobody is deleted."""
    account = world.join()
    world.work()
    user = world.user(account)
    user.tokens.update({"browser": None, "offline": "mobile"})
    leave(world, account.id, GatePolicy.REFUSE)
    world.work()
    assert not user.enabled
    assert user.tokens == {}
    world.do(lambda tx: reactivate(tx, POLICY, account.id, BY, world.clock.now()))
    world.work()
    assert user.enabled
    assert user.tokens == {}


@pytest.mark.supports("D6")
def test_a_crash_between_disable_and_revoke_is_mended(world: World) -> None:
    """Sessions are observed too: the next look ends them although the user is disabled already."""
    account = world.join()
    world.work()
    user = world.user(account)
    user.tokens["offline"] = "mobile"
    leave(world, account.id, GatePolicy.REFUSE)
    with world.systems.db.write() as tx:
        [claim] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 1)
    world.accounts.apply(user.id, Disable())
    assert user.tokens
    assert not user.enabled
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    assert user.tokens == {}
    assert world.read(lambda tx: work_state.of_account(tx, account.id)).applied  # type: ignore[union-attr]
    assert claim.account.id == account.id


@pytest.mark.supports("A7")
def test_every_assignment_says_who_when_and_why(world: World) -> None:
    """The history grows by one for what grants access, and not for a new name."""
    account = world.join()
    renamed = AccountChange(given_name="Joanna")
    moved = AccountChange(profile="accountant")
    world.do(lambda tx: change(tx, POLICY, account.id, renamed, BY, world.clock.now()))
    world.do(lambda tx: change(tx, POLICY, account.id, moved, BY, world.clock.now()))
    first, second = world.read(lambda tx: trail.assignments(tx, account.id))
    assert (first.profile, second.profile) == ("dispatcher", "accountant")
    assert (second.by, second.door, second.reason) == (BY.name, BY.door, BY.reason)


@pytest.mark.supports("I4")
def test_the_last_administrator_stays(world: World) -> None:
    """Neither deactivated nor demoted; with a second one, either may go."""
    only = world.join("ada.admin", profile="administrator")
    world.work()
    with pytest.raises(Refused, match="last active account"):
        leave(world, only.id, GatePolicy.FORCE)
    demote = AccountChange(profile="read-only")
    with pytest.raises(Refused, match="last active account"):
        world.do(lambda tx: change(tx, POLICY, only.id, demote, BY, world.clock.now()))
    world.join("abe.admin", profile="administrator")
    leave(world, only.id, GatePolicy.FORCE)


@pytest.mark.supports("B2")
def test_a_technician_has_one_account(world: World) -> None:
    """The database keeps the link one to one, and says whose it is."""
    world.join_technician("T-1")
    other = world.join("olga.other", profile="technician", employee_number="7")
    with pytest.raises(Refused, match="tess"):
        link_technician(world.systems, other.id, "T-1", BY)
    world.fsm.add(Technician("T-2", "Olga", None, assignable=True))
    assert link_technician(world.systems, other.id, "T-2", BY).account.technician_id == "T-2"
    world.work()
    assert vocabulary.FIELD_TECHNICIANS in world.user(other).groups


@pytest.mark.supports("H3")
def test_the_time_a_change_takes_is_counted_once(world: World) -> None:
    """From the moment it was wanted to the moment Keycloak has it; another look at the same counts nothing."""
    account = world.join()
    world.pass_time(3)
    world.work()
    with world.systems.db.write() as tx:
        due.look_again(tx, account.id, Lane.INTERACTIVE, world.clock.now())
    world.pass_time(100)
    world.work()
    counted = world.read(latency.read)[Lane.INTERACTIVE]
    assert (counted.count, counted.buckets["2"], counted.buckets["5"], counted.seconds) == (1, 0, 1, 3.0)
