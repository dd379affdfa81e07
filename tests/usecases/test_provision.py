"""From what is wanted to what Keycloak holds, and what is written down on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from sync.domain import vocabulary
from sync.domain.account import Life
from sync.domain.account_change import AccountChange
from sync.domain.change import Disable, EndSessions, JoinGroup
from sync.domain.errors import Failure, Misconfigured, NeedsPerson, Refused, Transient
from sync.domain.gate import GatePolicy, WorkOrdersOpen
from sync.domain.lane import Lane
from sync.domain.observed import ACCOUNT_ID, Observed
from sync.domain.retry import AFTER_TAKEOVER
from sync.ports.accounts import Created, NewUser
from sync.ports.field_service import Technician
from sync.store import accounts, deactivations, history, latency, passwords, provisioning, work_state
from sync.store.database import Database
from sync.store.query import Scope
from sync.store.sealing import Sealer
from sync.usecases.change_account import change, deactivate, reactivate
from sync.usecases.lease import LEASE
from sync.usecases.link_technician import link_technician
from sync.usecases.outcome import record
from sync.usecases.person_requests import deactivate_account
from sync.usecases.provision import bring_about, provision_some
from sync.usecases.reassign_work_orders import reassign_work_orders
from sync.usecases.send_mail import send_some
from sync.usecases.sweep import sweep
from tests.fakes.field_service import WorkOrder
from tests.usecases.conftest import BRANCH, BY, POLICY, World


def leave(world: World, account_id: str, gate: GatePolicy) -> None:
    world.do(lambda tx: deactivate(tx, POLICY, account_id, gate, BY, world.clock.now()))


@pytest.mark.req("A6", "B1")
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
    assert send_some(world.site) == 1
    assert "temporary-secret-of-the-test" in world.mailer.sent[0].text
    assert world.read(lambda tx: passwords.kept(tx, account.id, world.clock.now())) is None
    assert send_some(world.site) == 0


@pytest.mark.req("H1")
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


@pytest.mark.req("H1")
def test_a_dead_worker_is_made_good_by_the_sweep(world: World) -> None:
    """Claimed and never finished: after the lease somebody else does it; the dead one's word no longer counts."""
    account = world.join()
    with world.site.db.write() as tx:
        [lost] = provisioning.claim(tx, Lane.INTERACTIVE, world.clock.now(), LEASE, 1)
    world.wake.woken.clear()
    assert Lane.INTERACTIVE not in sweep(world.site)
    world.pass_time(LEASE.total_seconds() + 1)
    assert Lane.INTERACTIVE in sweep(world.site)
    world.work()
    assert world.user(account).enabled
    with world.site.db.write() as tx:
        assert not provisioning.extend(tx, lost, world.clock.now() + LEASE)


@pytest.mark.req("D6", "H1")
def test_a_late_write_of_a_dead_worker_is_undone(world: World) -> None:
    """Its request was on its way while somebody else took the account over: one more look finds it."""
    account = world.join()
    world.work()
    rename = AccountChange(given_name="Joanna")
    world.do(lambda tx: change(tx, POLICY, account.id, rename, BY, world.clock.now()))
    with world.site.db.write() as tx:
        assert provisioning.claim(tx, Lane.INTERACTIVE, world.clock.now(), LEASE, 1)
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    late = JoinGroup(vocabulary.profile_group("administrator"))
    world.accounts.apply(world.user(account).id, late)
    world.pass_time(AFTER_TAKEOVER.total_seconds())
    assert Lane.INTERACTIVE in sweep(world.site)
    world.work()
    assert late.path not in world.user(account).groups
    world.pass_time(3600)
    assert Lane.INTERACTIVE not in sweep(world.site)


@pytest.mark.req("H1")
def test_a_wake_that_fails_loses_nothing(world: World) -> None:
    """Redis down: the change is stored, and the sweep finds it."""
    world.wake.down = True
    account = world.join()
    world.wake.down = False
    assert Lane.INTERACTIVE in sweep(world.site)
    world.work()
    assert world.user(account).enabled


@pytest.mark.req("A4", "C6")
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


@pytest.mark.req("D6")
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


@pytest.mark.req("D6")
def test_a_crash_between_disable_and_revoke_is_mended(world: World) -> None:
    """Sessions are observed too: the next look ends them although the user is disabled already."""
    account = world.join()
    world.work()
    user = world.user(account)
    user.tokens["offline"] = "mobile"
    leave(world, account.id, GatePolicy.REFUSE)
    with world.site.db.write() as tx:
        [claim] = provisioning.claim(tx, Lane.INTERACTIVE, world.clock.now(), LEASE, 1)
    world.accounts.apply(user.id, Disable())
    assert user.tokens
    assert not user.enabled
    world.pass_time(LEASE.total_seconds() + 1)
    world.work()
    assert user.tokens == {}
    assert world.read(lambda tx: work_state.of_account(tx, account.id)).applied  # type: ignore[union-attr]
    assert claim.account.id == account.id


class TestTheGate:
    """Nobody with open work orders loses access by accident."""

    def busy(self, world: World) -> str:
        account = world.join_technician("T-1")
        world.fsm.add(
            WorkOrder("WO-1", lead="T-1"),
            WorkOrder("WO-2", crew=frozenset({"T-1"})),
            WorkOrder("WO-3", appointments=(("T-1", world.clock.now()),)),
        )
        return account.id

    @pytest.mark.req("D1", "D4")
    def test_a_person_is_told_at_once(self, world: World) -> None:
        """Refused with every work order, and nothing is stored."""
        account_id = self.busy(world)
        with pytest.raises(WorkOrdersOpen) as refused:
            deactivate_account(world.site, account_id, GatePolicy.REFUSE, BY)
        assert [order.number for order in refused.value.work_orders] == ["WO-1", "WO-2", "WO-3"]
        assert world.read(lambda tx: accounts.get(tx, account_id)).life is Life.ACTIVE  # type: ignore[union-attr]

    @pytest.mark.req("D3")
    def test_work_that_comes_in_between_refuses_in_the_worker(self, world: World) -> None:
        """The door saw nothing, the gate does: the account stays active and the technician assignable."""
        account = world.join_technician("T-1")
        deactivate_account(world.site, account.id, GatePolicy.REFUSE, BY)
        world.fsm.add(WorkOrder("WO-9", lead="T-1"))
        world.work()
        assert world.user(account).enabled
        assert world.read(lambda tx: accounts.get(tx, account.id)).life is Life.ACTIVE  # type: ignore[union-attr]
        assert world.fsm.technician("T-1").assignable  # type: ignore[union-attr]
        titles = [entry.title for entry in world.read(lambda tx: history.timeline(tx, account.id))]
        assert "deactivation refused" in titles

    @pytest.mark.req("D4")
    def test_a_refusal_does_not_undo_a_force_that_came_meanwhile(self, world: World) -> None:
        """While a worker looks, the request is replaced by force: the worker's no was for the other one."""
        account_id = self.busy(world)
        leave(world, account_id, GatePolicy.REFUSE)
        with world.site.db.write() as tx:
            [claim] = provisioning.claim(tx, Lane.INTERACTIVE, world.clock.now(), LEASE, 1)
        outcome = bring_about(world.site, world.accounts, claim, None)
        leave(world, account_id, GatePolicy.FORCE)
        with world.site.db.write() as tx:
            record(tx, POLICY, claim, outcome, world.clock.now())
        world.work()
        account = world.read(lambda tx: accounts.get(tx, account_id))
        assert account is not None
        assert account.life is Life.INACTIVE
        assert not world.user(account).enabled

    @pytest.mark.req("D3", "D4")
    def test_a_hold_keeps_access_and_stops_new_work(self, world: World) -> None:
        """Until the last work order is gone; then it completes by itself."""
        account_id = self.busy(world)
        leave(world, account_id, GatePolicy.HOLD)
        world.work()
        account = world.read(lambda tx: accounts.get(tx, account_id))
        assert account is not None
        assert world.user(account).enabled
        assert not world.fsm.assign("WO-1", "T-1")
        [held] = world.read(lambda tx: deactivations.list_held(tx, Scope.all()))
        assert [order.number for order in held.deactivation.work_orders] == ["WO-1", "WO-2", "WO-3"]

        helper = world.join_technician("T-2", "theo.tor")
        assert helper
        moved = reassign_work_orders(world.site, "T-1", "T-2", BY)
        assert [order.number for order in moved] == ["WO-1", "WO-2", "WO-3"]
        world.work()
        assert not world.user(account).enabled
        assert world.read(lambda tx: deactivations.list_held(tx, Scope.all())) == ()

    @pytest.mark.req("D4")
    def test_force_ends_access_and_lists_what_is_left(self, world: World) -> None:
        """The open work orders need somebody else; reassigning takes them off the list."""
        account_id = self.busy(world)
        leave(world, account_id, GatePolicy.FORCE)
        world.work()
        account = world.read(lambda tx: accounts.get(tx, account_id))
        assert account is not None
        assert not world.user(account).enabled
        stranded = world.read(lambda tx: deactivations.stranded(tx, Scope.all()))
        assert [each.work_order.number for each in stranded] == ["WO-1", "WO-2", "WO-3"]
        world.join_technician("T-2", "theo.tor")
        reassign_work_orders(world.site, "T-1", "T-2", BY)
        assert world.read(lambda tx: deactivations.stranded(tx, Scope.all())) == ()

    @pytest.mark.req("D4", "D7")
    def test_whoever_comes_back_can_do_the_work_again(self, world: World) -> None:
        """What a forced deactivation left behind needs nobody else then."""
        account_id = self.busy(world)
        leave(world, account_id, GatePolicy.FORCE)
        world.work()
        assert len(world.read(lambda tx: deactivations.stranded(tx, Scope.all()))) == 3
        world.do(lambda tx: reactivate(tx, POLICY, account_id, BY, world.clock.now()))
        world.work()
        assert world.read(lambda tx: deactivations.stranded(tx, Scope.all())) == ()

    @pytest.mark.req("D5", "H1")
    def test_reassigning_again_after_a_crash_clears_the_list(self, world: World) -> None:
        """The work orders were moved and nothing was written down: the second try has nothing to move."""
        account_id = self.busy(world)
        leave(world, account_id, GatePolicy.FORCE)
        world.work()
        world.join_technician("T-2", "theo.tor")
        world.fsm.reassign("T-1", "T-2")
        assert reassign_work_orders(world.site, "T-1", "T-2", BY) == ()
        assert world.read(lambda tx: deactivations.stranded(tx, Scope.all())) == ()

    @pytest.mark.req("A8", "D4")
    def test_a_force_after_a_hold_is_not_shown_as_held(self, world: World) -> None:
        """Whoever waits for it is not told of the hold before a worker has looked."""
        account_id = self.busy(world)
        leave(world, account_id, GatePolicy.HOLD)
        world.work()
        leave(world, account_id, GatePolicy.FORCE)
        state = world.read(lambda tx: work_state.of_account(tx, account_id))
        assert state is not None
        assert state.held_work_orders == ()

    @pytest.mark.req("A8", "D4")
    def test_a_look_begun_before_a_force_does_not_show_it_as_held(self, world: World) -> None:
        """What the worker found was about the hold."""
        account_id = self.busy(world)
        leave(world, account_id, GatePolicy.HOLD)
        with world.site.db.write() as tx:
            [claim] = provisioning.claim(tx, Lane.INTERACTIVE, world.clock.now(), LEASE, 1)
        outcome = bring_about(world.site, world.accounts, claim, None)
        leave(world, account_id, GatePolicy.FORCE)
        with world.site.db.write() as tx:
            record(tx, POLICY, claim, outcome, world.clock.now())
        state = world.read(lambda tx: work_state.of_account(tx, account_id))
        assert state is not None
        assert state.held_work_orders == ()

    @pytest.mark.req("D3")
    def test_work_that_slips_in_is_found_after_the_access_token(self, world: World) -> None:
        """An application with a live access token may still assign: the look after its life finds it."""
        account = world.join_technician("T-1")
        leave(world, account.id, GatePolicy.REFUSE)
        world.work()
        world.fsm.add(WorkOrder("WO-7", lead="T-1"))
        world.pass_time(POLICY.realm.sessions.access_token_seconds + 5)
        world.work()
        [late] = world.read(lambda tx: deactivations.stranded(tx, Scope.all()))
        assert late.work_order.number == "WO-7"

    @pytest.mark.req("D3", "H1")
    def test_work_that_slips_in_is_found_after_a_crash_too(self, world: World) -> None:
        """The worker died right after disabling; who goes on looks after the life of an access token."""
        account = world.join_technician("T-1")
        leave(world, account.id, GatePolicy.REFUSE)
        with world.site.db.write() as tx:
            assert provisioning.claim(tx, Lane.INTERACTIVE, world.clock.now(), LEASE, 1)
        world.accounts.apply(world.user(account).id, Disable())
        world.pass_time(LEASE.total_seconds() + 1)
        world.work()
        world.fsm.add(WorkOrder("WO-7", lead="T-1"))
        world.pass_time(POLICY.realm.sessions.access_token_seconds + 5)
        world.work()
        [late] = world.read(lambda tx: deactivations.stranded(tx, Scope.all()))
        assert late.work_order.number == "WO-7"

    @pytest.mark.req("D3", "B4", "H1")
    @pytest.mark.parametrize("crash", [False, True])
    @pytest.mark.parametrize("wanted", [AccountChange(technician_id=None), AccountChange(profile="dispatcher")])
    def test_work_that_slips_in_is_found_where_the_person_stays(
        self, world: World, wanted: AccountChange, crash: bool
    ) -> None:
        """Unlinked or moved to the office, also if the worker died right after: right then, and after the life of
        an access token."""
        account = world.join_technician("T-1")
        world.do(lambda tx: change(tx, POLICY, account.id, wanted, BY, world.clock.now()))
        if crash:
            with world.site.db.write() as tx:
                [claim] = provisioning.claim(tx, Lane.INTERACTIVE, world.clock.now(), LEASE, 1)
            bring_about(world.site, world.accounts, claim, None)
            world.fsm.add(WorkOrder("WO-6", lead="T-1"))
            world.pass_time(LEASE.total_seconds() + 1)
        world.work()
        found = world.read(lambda tx: deactivations.stranded(tx, Scope.all()))
        assert [each.work_order.number for each in found] == ["WO-6"] * crash
        world.fsm.add(WorkOrder("WO-7", lead="T-1"))
        world.pass_time(POLICY.realm.sessions.access_token_seconds + 5)
        world.work()
        found = world.read(lambda tx: deactivations.stranded(tx, Scope.all()))
        assert [each.work_order.number for each in found] == ["WO-6"] * crash + ["WO-7"]

    @pytest.mark.req("D2")
    def test_a_silent_fsm_system_stops_the_deactivation(self, world: World) -> None:
        """Never guess: at the door it is an error, in the worker it is tried again."""
        account = world.join_technician("T-1")
        world.fsm.down = True
        with pytest.raises(Transient):
            deactivate_account(world.site, account.id, GatePolicy.HOLD, BY)
        leave(world, account.id, GatePolicy.HOLD)
        provision_some(world.site, Lane.INTERACTIVE)
        assert world.user(account).enabled
        world.fsm.down = False
        world.pass_time(3600)
        world.work()
        assert not world.user(account).enabled

    @pytest.mark.req("D1", "B4")
    def test_unlinking_is_no_way_around(self, world: World) -> None:
        """Refused at the door; behind the door the worker keeps role and technician id until the work is gone."""
        account_id = self.busy(world)
        with pytest.raises(WorkOrdersOpen):
            link_technician(world.site, account_id, None, BY)
        unlink = AccountChange(technician_id=None)
        world.do(lambda tx: change(tx, POLICY, account_id, unlink, BY, world.clock.now()))
        world.work()
        account = world.read(lambda tx: accounts.get(tx, account_id))
        assert account is not None
        user = world.user(account)
        assert vocabulary.FIELD_TECHNICIANS in user.groups
        assert user.attributes["technician_id"] == ("T-1",)
        state = world.read(lambda tx: work_state.of_account(tx, account_id))
        assert state is not None
        assert len(state.held_work_orders) == 3

    @pytest.mark.req("B3", "D3")
    def test_who_leaves_field_work_is_given_none(self, world: World) -> None:
        """The technician link stays, the profile has no field work: assignments stay stopped until it has."""
        account = world.join_technician("T-1")
        for profile, assignable in (("dispatcher", False), ("technician", True)):
            wanted = AccountChange(profile=profile)
            world.do(lambda tx, to=wanted: change(tx, POLICY, account.id, to, BY, world.clock.now()))  # type: ignore[misc]
            world.work()
            assert world.fsm.technician("T-1").assignable is assignable  # type: ignore[union-attr]

    @pytest.mark.req("D3", "H1")
    def test_a_worker_that_lost_its_lease_stops_no_assignments(self, world: World) -> None:
        """It slept over a reactivation: the technician it would have stopped is at work again."""
        account = world.join_technician("T-1")
        leave(world, account.id, GatePolicy.REFUSE)
        with world.site.db.write() as tx:
            [asleep] = provisioning.claim(tx, Lane.INTERACTIVE, world.clock.now(), LEASE, 1)
        world.do(lambda tx: reactivate(tx, POLICY, account.id, BY, world.clock.now()))
        world.pass_time(LEASE.total_seconds() + 1)
        world.work()
        with pytest.raises(Transient, match="lease was lost"):
            bring_about(world.site, world.accounts, asleep, None)
        assert world.fsm.technician("T-1").assignable  # type: ignore[union-attr]

    @pytest.mark.req("D4")
    def test_calling_a_hold_off_allows_assignments_again(self, world: World) -> None:
        """The technician is as before, and a stop of the FSM system's own is not touched."""
        account_id = self.busy(world)
        leave(world, account_id, GatePolicy.HOLD)
        world.work()
        world.do(lambda tx: reactivate(tx, POLICY, account_id, BY, world.clock.now()))
        world.work()
        assert world.fsm.assign("WO-1", "T-1")

        other = world.join_technician("T-5", "tom.tau")
        world.fsm.add(replace(world.fsm.technician("T-5"), assignable=False))  # type: ignore[type-var]
        leave(world, other.id, GatePolicy.REFUSE)
        world.work()
        world.do(lambda tx: reactivate(tx, POLICY, other.id, BY, world.clock.now()))
        world.work()
        assert not world.fsm.technician("T-5").assignable  # type: ignore[union-attr]


@pytest.mark.req("H2")
def test_errors_are_sorted_by_what_to_do_next(world: World) -> None:
    """Transient comes again, configuration comes again, a person's work waits for a person."""
    account = world.join()
    world.accounts.fail_next(Transient("no answer"))
    provision_some(world.site, Lane.INTERACTIVE)
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert state.attempts == 1
    assert state.due_at is not None
    world.clock.time = state.due_at
    world.accounts.fail_next(Misconfigured("wrong client secret"))
    provision_some(world.site, Lane.INTERACTIVE)
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert state.quarantine is None
    assert state.due_at is not None
    world.clock.time = state.due_at
    world.accounts.fail_next(NeedsPerson("Keycloak refuses the name"))
    provision_some(world.site, Lane.INTERACTIVE)
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert state.quarantine == ("needs-person", "Keycloak refuses the name")
    world.pass_time(timedelta(days=2).total_seconds())
    assert provision_some(world.site, Lane.INTERACTIVE) == 0


@pytest.mark.req("H2")
def test_one_bad_account_stops_no_other(world: World) -> None:
    """A stranger has the name of one of three."""
    stranger = world.join("sam.stone")
    world.work()
    world.user(stranger).attributes.clear()
    with world.site.db.write() as tx:
        accounts.update(tx, replace(stranger, username="other.name@example.com", email="other@example.com"))
    good, bad = world.join("gil.good"), world.join("sam.stone")
    world.work()
    assert world.user(good).enabled
    state = world.read(lambda tx: work_state.of_account(tx, bad.id))
    assert state is not None
    assert state.quarantine is not None
    assert state.quarantine[0] == "conflict"


@pytest.mark.req("G4")
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


@pytest.mark.req("G4", "H2")
def test_a_tampered_group_stops_only_who_would_join_it(world: World) -> None:
    """The others of the same batch are created."""
    world.accounts.groups[vocabulary.profile_group("accountant")].add("realm-management/realm-admin")
    bad, good = world.join("al.bad", profile="accountant"), world.join("gil.good")
    world.work()
    assert world.user(good).enabled
    assert world.read(lambda tx: work_state.of_account(tx, bad.id)).quarantine  # type: ignore[union-attr]


@pytest.mark.req("H2")
def test_a_profile_this_worker_does_not_know_stops_only_its_account(world: World) -> None:
    """The worker was started before the profile was there: the others go on, this one comes again by itself."""
    late, good = world.join("lea.late", profile="accountant"), world.join("gil.good")
    profiles = {key: profile for key, profile in POLICY.profiles.items() if key != "accountant"}
    old = replace(world.site, policy=replace(POLICY, profiles=profiles))
    provision_some(old, Lane.INTERACTIVE)
    assert world.user(good).enabled
    state = world.read(lambda tx: work_state.of_account(tx, late.id))
    assert state is not None
    assert state.quarantine is None
    world.pass_time(3600)
    world.work()
    assert world.user(late).enabled


@pytest.mark.req("H2")
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


@pytest.mark.req("D6", "H2")
def test_a_password_that_cannot_be_opened_stops_no_deactivation(world: World) -> None:
    """The key it was sealed with is missing: that account waits for the configuration, nobody else does."""
    leaver = world.join("lee.leaver")
    world.work()
    joiner = world.join("joy.joiner")
    leave(world, leaver.id, GatePolicy.REFUSE)
    url = f"sqlite:///{world.path}"
    other_key = replace(world.site, db=Database(url, Sealer([Fernet.generate_key().decode()])))
    provision_some(other_key, Lane.INTERACTIVE)
    assert not world.user(leaver).enabled
    state = world.read(lambda tx: work_state.of_account(tx, joiner.id))
    assert state is not None
    assert state.quarantine is None
    world.pass_time(3600)
    world.work()
    assert world.user(joiner).password == "temporary-secret-of-the-test"


@pytest.mark.req("H2")
def test_an_error_nobody_foresaw_stays_with_its_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It breaks the call that creates all of a batch; one by one, only the one it is about needs a person."""
    bad, good = world.join("bo.bad"), world.join("gil.good")
    create = world.accounts.create

    def broken(users: Sequence[NewUser], keep: Callable[[], None]) -> Mapping[str, Created | Failure]:
        if any(user.desired.account_id == bad.id for user in users):
            raise TypeError("an answer of a shape nobody foresaw")
        return create(users, keep)

    monkeypatch.setattr(world.accounts, "create", broken)
    world.work()
    assert world.user(good).enabled
    state = world.read(lambda tx: work_state.of_account(tx, bad.id))
    assert state is not None
    assert state.quarantine is not None
    assert "TypeError" in state.quarantine[1]


@pytest.mark.req("H1", "H2")
def test_what_a_batch_has_no_time_for_is_given_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keycloak takes half a minute for one account: the next is left to whoever claims it, with no try lost."""
    slow, waiting = world.join("sol.slow"), world.join("win.waits")
    world.work()
    rename = AccountChange(given_name="Anna")
    for account in (slow, waiting):
        world.do(lambda tx, of=account: change(tx, POLICY, of.id, rename, BY, world.clock.now()))  # type: ignore[misc]
    observe = world.accounts.observe

    def slowly(idp_user_id: str, *, sessions: bool) -> Observed | None:
        world.pass_time(LEASE.total_seconds() / 2 + 1)
        return observe(idp_user_id, sessions=sessions)

    monkeypatch.setattr(world.accounts, "observe", slowly)
    provision_some(world.site, Lane.INTERACTIVE)
    states = [world.read(lambda tx, of=each: work_state.of_account(tx, of.id)) for each in (slow, waiting)]  # type: ignore[misc]
    assert [state.applied for state in states if state] == [True, False]
    assert [state.leased_until for state in states if state] == [None, None]
    assert [state.attempts for state in states if state] == [0, 0]


@pytest.mark.req("A7")
def test_every_assignment_says_who_when_and_why(world: World) -> None:
    """The history grows by one for what grants access, and not for a new name."""
    account = world.join()
    renamed = AccountChange(given_name="Joanna")
    moved = AccountChange(profile="accountant")
    world.do(lambda tx: change(tx, POLICY, account.id, renamed, BY, world.clock.now()))
    world.do(lambda tx: change(tx, POLICY, account.id, moved, BY, world.clock.now()))
    first, second = world.read(lambda tx: history.assignments(tx, account.id))
    assert (first.profile, second.profile) == ("dispatcher", "accountant")
    assert (second.by, second.door, second.reason) == (BY.name, BY.door, BY.reason)


@pytest.mark.req("I4")
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


@pytest.mark.req("B2")
def test_a_technician_has_one_account(world: World) -> None:
    """The database keeps the link one to one, and says whose it is."""
    world.join_technician("T-1")
    other = world.join("olga.other", profile="technician", employee_number="7")
    with pytest.raises(Refused, match="tess"):
        link_technician(world.site, other.id, "T-1", BY)
    world.fsm.add(Technician("T-2", "Olga", None, assignable=True))
    assert link_technician(world.site, other.id, "T-2", BY).technician_id == "T-2"
    world.work()
    assert vocabulary.FIELD_TECHNICIANS in world.user(other).groups


def test_bring_about_raises_for_a_user_that_was_deleted(world: World) -> None:
    """Nobody of ours deletes users: somebody else did, and a person has to say what follows."""
    account = world.join()
    world.work()
    world.accounts.users.clear()
    with world.site.db.write() as tx:
        provisioning.look_again(tx, account.id, Lane.INTERACTIVE, world.clock.now())
        [claim] = provisioning.claim(tx, Lane.INTERACTIVE, world.clock.now(), LEASE, 1)
    with pytest.raises(NeedsPerson, match="deleted"):
        bring_about(world.site, world.accounts, claim, None)


@pytest.mark.req("H3")
def test_the_time_a_change_takes_is_counted_once(world: World) -> None:
    """From the moment it was wanted to the moment Keycloak has it; another look at the same counts nothing."""
    account = world.join()
    world.pass_time(3)
    world.work()
    with world.site.db.write() as tx:
        provisioning.look_again(tx, account.id, Lane.INTERACTIVE, world.clock.now())
    world.pass_time(100)
    world.work()
    counted = world.read(latency.read)[Lane.INTERACTIVE]
    assert (counted.count, counted.buckets["2"], counted.buckets["5"], counted.seconds) == (1, 0, 1, 3.0)


@pytest.mark.req("H1", "E6")
def test_changes_that_come_together_are_carried_out_together(world: World) -> None:
    """Three changes before anybody looked: Keycloak is told the last word once, and the history has all three."""
    account = world.join()
    world.work()
    world.accounts.applied.clear()
    for name in ("Joan", "Joanna", "Johanna"):
        rename = AccountChange(given_name=name)
        world.do(lambda tx, rename=rename: change(tx, POLICY, account.id, rename, BY, world.clock.now()))
    world.work()
    assert [str(applied) for _, applied in world.accounts.applied] == ["given_name: 'Jo' -> 'Johanna'"]
    timeline = world.read(lambda tx: history.timeline(tx, account.id))
    assert [each.title for each in timeline if each.kind == "keycloak"] == [
        "applied (version 1)",
        "applied (version 4)",
    ]
    assert len([each for each in timeline if each.title == "change"]) == 3


@pytest.mark.req("H1")
def test_one_account_is_never_worked_on_twice_at_once(world: World) -> None:
    """A change that comes while a worker is at the account waits for that worker, whatever lane it is in, and is
    carried out after it."""
    account = world.join()
    world.work()
    rename = AccountChange(given_name="Joanna")
    world.do(lambda tx: change(tx, POLICY, account.id, rename, BY, world.clock.now()))
    with world.site.db.write() as tx:
        [held] = provisioning.claim(tx, Lane.INTERACTIVE, world.clock.now(), LEASE, 1)
    move = AccountChange(family_name="Lindgren")
    world.do(lambda tx: change(tx, POLICY, account.id, move, BY, world.clock.now(), lane=Lane.BULK))
    assert provision_some(world.site, Lane.INTERACTIVE) == 0
    assert provision_some(world.site, Lane.BULK) == 0
    outcome = bring_about(world.site, world.accounts, held, None)
    with world.site.db.write() as tx:
        record(tx, POLICY, held, outcome, world.clock.now())
    assert world.user(account).family_name == "Lind"
    world.work()
    assert world.user(account).family_name == "Lindgren"


@pytest.mark.req("A4", "G4")
def test_the_applied_policy_is_remembered(world: World) -> None:
    """Beside the version: an account applied under other mapping files can be told from one that follows them."""
    account = world.join()
    world.work()
    with world.site.db.write() as tx:
        provisioning.look_again(tx, account.id, Lane.INTERACTIVE, world.clock.now())
        [claim] = provisioning.claim(tx, Lane.INTERACTIVE, world.clock.now(), LEASE, 1)
    assert (claim.applied_version, claim.applied_fingerprint) == (1, POLICY.fingerprint)


@pytest.mark.req("H1")
def test_a_batch_that_cannot_be_recorded_together_is_recorded_one_by_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keycloak's id of one of ten belongs to another account: that one is for a person, the others are done."""
    first = world.join("fay.first")
    world.work()
    people = [world.join(f"pat.p{number}") for number in range(10)]
    create, taken = world.accounts.create, Created(world.user(first).id, existed=False)
    monkeypatch.setattr(world.accounts, "create", lambda users, keep: {**create(users, keep), people[3].id: taken})
    world.work()
    states = world.read(lambda tx: {each.id: work_state.of_account(tx, each.id) for each in people})
    stuck = [account_id for account_id, state in states.items() if state is not None and state.quarantine]
    assert stuck == [people[3].id]
    assert all(state is not None and state.applied for key, state in states.items() if key not in stuck)


@pytest.mark.req("H1", "H2")
def test_accounts_that_cannot_be_observed_together_are_looked_at_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that nobody foresaw, such as JSON of another shape, holds up nobody until its lease is over."""
    people = [world.join(f"pat.p{number}") for number in range(5)]
    world.work()

    def other_shape(_: object) -> None:
        raise KeyError("id")

    monkeypatch.setattr(world.accounts, "observe_many", other_shape)
    world.do(lambda tx: provisioning.mark_all_due(tx, [each.id for each in people], Lane.BULK, world.clock.now()))
    world.work(Lane.BULK)
    states = [world.read(lambda tx, each=each: work_state.of_account(tx, each.id)) for each in people]
    assert all(state is not None and state.applied and state.due_at is None for state in states)


@pytest.mark.req("H1")
def test_a_user_is_created_only_while_the_lease_lasts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keycloak is so slow with the first of two that another worker has the second one by then: it is not sent
    again, with what was wanted before."""
    people = [world.join(f"pat.p{number}") for number in range(2)]
    make, sent = world.accounts._outcome, list[str]()

    def slow(user: NewUser) -> Created | Failure:
        sent.append(user.desired.account_id)
        made = make(user)
        if len(sent) == 1:
            world.pass_time(LEASE.total_seconds() + 1)
            world.work()
        return made

    monkeypatch.setattr(world.accounts, "_outcome", slow)
    provision_some(world.site, Lane.INTERACTIVE)
    assert sent.count(people[1].id) == 1
    world.pass_time(60)
    world.work()
    assert all(world.user(each).enabled for each in people)
