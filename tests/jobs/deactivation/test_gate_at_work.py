"""The work-order gate as workers ask it: refuse, hold, force, and work that slips in (D1-D5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync.commands.accounts.change import change
from sync.commands.accounts.technician import link_technician
from sync.commands.deactivation.deactivate import deactivate_account, reactivate
from sync.commands.deactivation.reassign import reassign_work_orders
from sync.domain.access import vocabulary
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Life
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import GatePolicy, WorkOrdersOpen
from sync.domain.errors import FailureCode, Refused, Transient
from sync.domain.provisioning.change import Disable
from sync.domain.work.lane import Lane
from sync.domain.work.lease import LEASE
from sync.jobs.provisioning.provision import bring_about, bring_about_safely, provision_some
from sync.jobs.work.recording import Failed, record
from sync.ports.field_service import Technician
from sync.ports.lease import unkept
from sync.store.accounts import accounts
from sync.store.audit.timeline import read_timeline
from sync.store.deactivation import deactivations
from sync.store.provisioning import work_state
from sync.store.work import account_claims
from sync.store.work.lease_rows import Terms
from tests.fakes.field_service import WorkOrder
from tests.world import BY, POLICY, World, leave


def forced_while_a_worker_looks(world: World, account_id: str, before: GatePolicy) -> None:
    """A worker looks at the leaver as it was asked before; the force comes before it writes down what it found."""
    leave(world, account_id, before)
    with world.systems.db.write() as tx:
        [claim] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 1)
    outcome = bring_about(world.systems, world.accounts, claim, None)
    leave(world, account_id, GatePolicy.FORCE)
    with world.systems.db.write() as tx:
        record(tx, POLICY, claim, outcome, world.clock.now())


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

    @pytest.mark.supports("D1", "D4")
    def test_a_person_is_told_at_once(self, world: World) -> None:
        """Refused with every work order, and nothing is stored."""
        account_id = self.busy(world)
        with pytest.raises(WorkOrdersOpen) as refused:
            deactivate_account(world.systems, account_id, GatePolicy.REFUSE, BY)
        assert [order.number for order in refused.value.work_orders] == ["WO-1", "WO-2", "WO-3"]
        assert world.read(lambda tx: accounts.get(tx, account_id)).life is Life.ACTIVE  # type: ignore[union-attr]

    @pytest.mark.supports("D3")
    def test_work_that_comes_in_between_refuses_in_the_worker(self, world: World) -> None:
        """The door saw nothing, the gate does: the account stays active and the technician assignable."""
        account = world.join_technician("T-1")
        deactivate_account(world.systems, account.id, GatePolicy.REFUSE, BY)
        world.fsm.add(WorkOrder("WO-9", lead="T-1"))
        world.work()
        assert world.user(account).enabled
        assert world.read(lambda tx: accounts.get(tx, account.id)).life is Life.ACTIVE  # type: ignore[union-attr]
        assert world.fsm.technician("T-1").assignable  # type: ignore[union-attr]
        titles = [entry.title for entry in world.read(lambda tx: read_timeline(tx, account.id))]
        assert "deactivation refused" in titles

    @pytest.mark.supports("D4")
    def test_a_refusal_does_not_undo_a_force_that_came_meanwhile(self, world: World) -> None:
        """While a worker looks, the request is replaced by force: the worker's no was for the other one."""
        account_id = self.busy(world)
        forced_while_a_worker_looks(world, account_id, GatePolicy.REFUSE)
        world.work()
        account = world.read(lambda tx: accounts.get(tx, account_id))
        assert account is not None
        assert account.life is Life.INACTIVE
        assert not world.user(account).enabled

    @pytest.mark.supports("D3", "D4")
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
        reassign_work_orders(world.systems, "T-1", "T-2", BY)
        world.work()
        assert [order.number for order in world.fsm.open_work_orders("T-2")] == ["WO-1", "WO-2", "WO-3"]
        assert not world.user(account).enabled
        assert world.read(lambda tx: deactivations.list_held(tx, Scope.all())) == ()

    @pytest.mark.supports("D4")
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
        reassign_work_orders(world.systems, "T-1", "T-2", BY)
        world.work()
        assert world.read(lambda tx: deactivations.stranded(tx, Scope.all())) == ()

    @pytest.mark.supports("D4", "D7")
    def test_whoever_comes_back_can_do_the_work_again(self, world: World) -> None:
        """What a forced deactivation left behind needs nobody else then."""
        account_id = self.busy(world)
        leave(world, account_id, GatePolicy.FORCE)
        world.work()
        assert len(world.read(lambda tx: deactivations.stranded(tx, Scope.all()))) == 3
        world.do(lambda tx: reactivate(tx, POLICY, account_id, BY, world.clock.now()))
        world.work()
        assert world.read(lambda tx: deactivations.stranded(tx, Scope.all())) == ()

    @pytest.mark.supports("D5", "H1")
    def test_reassigning_what_is_moved_already_clears_the_list(self, world: World) -> None:
        """Somebody has moved the work orders in the FSM system: there is nothing left to move."""
        account_id = self.busy(world)
        leave(world, account_id, GatePolicy.FORCE)
        world.work()
        world.join_technician("T-2", "theo.tor")
        world.fsm.reassign("T-1", "T-2")
        reassign_work_orders(world.systems, "T-1", "T-2", BY)
        world.work()
        assert world.read(lambda tx: deactivations.stranded(tx, Scope.all())) == ()

    @pytest.mark.supports("A7", "D5")
    def test_nothing_is_reassigned_without_a_reason(self, world: World) -> None:
        """The work orders stay where they are."""
        self.busy(world)
        world.join_technician("T-2", "theo.tor")
        with pytest.raises(Refused, match="reason: is missing"):
            reassign_work_orders(world.systems, "T-1", "T-2", replace(BY, reason=" "))
        assert [order.number for order in world.fsm.open_work_orders("T-1")] == ["WO-1", "WO-2", "WO-3"]

    @pytest.mark.supports("A8", "D4")
    def test_a_force_after_a_hold_is_not_shown_as_held(self, world: World) -> None:
        """Whoever waits for it is not told of the hold before a worker has looked."""
        account_id = self.busy(world)
        leave(world, account_id, GatePolicy.HOLD)
        world.work()
        leave(world, account_id, GatePolicy.FORCE)
        state = world.read(lambda tx: work_state.of_account(tx, account_id))
        assert state is not None
        assert state.held_work_orders == ()

    @pytest.mark.supports("A8", "D4")
    def test_a_look_begun_before_a_force_does_not_show_it_as_held(self, world: World) -> None:
        """What the worker found was about the hold."""
        account_id = self.busy(world)
        forced_while_a_worker_looks(world, account_id, GatePolicy.HOLD)
        state = world.read(lambda tx: work_state.of_account(tx, account_id))
        assert state is not None
        assert state.held_work_orders == ()

    @pytest.mark.supports("D3")
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

    @pytest.mark.supports("D3", "H1")
    def test_work_that_slips_in_is_found_after_a_crash_too(self, world: World) -> None:
        """The worker died right after disabling; who goes on looks after the life of an access token."""
        account = world.join_technician("T-1")
        leave(world, account.id, GatePolicy.REFUSE)
        with world.systems.db.write() as tx:
            assert account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 1)
        world.accounts.apply(world.user(account).id, Disable())
        world.pass_time(LEASE.total_seconds() + 1)
        world.work()
        world.fsm.add(WorkOrder("WO-7", lead="T-1"))
        world.pass_time(POLICY.realm.sessions.access_token_seconds + 5)
        world.work()
        [late] = world.read(lambda tx: deactivations.stranded(tx, Scope.all()))
        assert late.work_order.number == "WO-7"

    @pytest.mark.supports("D3", "B4", "H1")
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
            with world.systems.db.write() as tx:
                [claim] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 1)
            bring_about(world.systems, world.accounts, claim, None)
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

    @pytest.mark.supports("D2")
    def test_a_silent_fsm_system_stops_the_deactivation(self, world: World) -> None:
        """Never guess: at the door it is an error, in the worker it is tried again."""
        account = world.join_technician("T-1")
        world.fsm.down = True
        with pytest.raises(Transient):
            deactivate_account(world.systems, account.id, GatePolicy.HOLD, BY)
        leave(world, account.id, GatePolicy.HOLD)
        provision_some(world.systems, Lane.INTERACTIVE)
        assert world.user(account).enabled
        world.fsm.down = False
        world.pass_time(3600)
        world.work()
        assert not world.user(account).enabled

    @pytest.mark.supports("D1", "B4")
    def test_unlinking_is_no_way_around(self, world: World) -> None:
        """Refused at the door; behind the door the worker keeps role and technician id until the work is gone."""
        account_id = self.busy(world)
        with pytest.raises(WorkOrdersOpen):
            link_technician(world.systems, account_id, None, BY)
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

    @pytest.mark.supports("B4", "D4")
    @pytest.mark.parametrize("then", ["person", "force"])
    def test_a_held_change_has_a_deadline_too(self, world: World, then: str) -> None:
        """A person decides from then on, or it goes on by itself, as work_orders.toml says."""
        account_id = self.busy(world)
        policy = replace(POLICY, work_orders=replace(POLICY.work_orders, after_deadline=then))
        office = AccountChange(profile="dispatcher")
        world.do(lambda tx: change(tx, policy, account_id, office, BY, world.clock.now()))
        world.work()
        [held] = world.read(lambda tx: deactivations.list_held(tx, Scope.all()))
        assert held.deactivation.deadline == world.clock.now() + timedelta(days=14)
        world.pass_time(timedelta(days=14, minutes=2).total_seconds())
        world.work()
        account = world.read(lambda tx: accounts.get(tx, account_id))
        assert account is not None
        assert (vocabulary.FIELD_TECHNICIANS in world.user(account).groups) is (then == "person")
        assert len(world.read(lambda tx: deactivations.list_held(tx, Scope.all()))) == (then == "person")

    @pytest.mark.supports("B3", "D3")
    def test_who_leaves_field_work_is_given_none(self, world: World) -> None:
        """The technician link stays, the profile has no field work: assignments stay stopped until it has."""
        account = world.join_technician("T-1")
        for profile, assignable in (("dispatcher", False), ("technician", True)):
            wanted = AccountChange(profile=profile)
            world.do(lambda tx, to=wanted: change(tx, POLICY, account.id, to, BY, world.clock.now()))  # type: ignore[misc]
            world.work()
            assert world.fsm.technician("T-1").assignable is assignable  # type: ignore[union-attr]

    @pytest.mark.supports("D1", "D2")
    @pytest.mark.parametrize("policy", [GatePolicy.REFUSE, GatePolicy.HOLD])
    def test_a_link_to_nobody_is_for_a_person(self, world: World, policy: GatePolicy) -> None:
        """The record is gone from the FSM system: that is no "nothing is open". Force goes on."""
        account = world.join_technician("T-1")
        world.fsm.remove("T-1")
        leave(world, account.id, policy)
        world.work()
        assert world.user(account).enabled
        state = world.read(lambda tx: work_state.of_account(tx, account.id))
        assert state is not None
        assert state.quarantine is not None
        assert "technician T-1 is not in the FSM system" in str(state.quarantine)
        leave(world, account.id, GatePolicy.FORCE)
        world.work()
        assert not world.user(account).enabled

    @pytest.mark.supports("D1", "B3")
    def test_who_is_linked_to_nobody_does_not_go_to_the_office(self, world: World) -> None:
        """Leaving field work stops in the same way; a person who takes the link away decides, and it goes on."""
        account = world.join_technician("T-1")
        world.fsm.remove("T-1")
        for wanted in (AccountChange(profile="dispatcher"), AccountChange(technician_id=None)):
            assert vocabulary.FIELD_TECHNICIANS in world.user(account).groups
            world.do(lambda tx, to=wanted: change(tx, POLICY, account.id, to, BY, world.clock.now()))  # type: ignore[misc]
            world.work()
        assert vocabulary.FIELD_TECHNICIANS not in world.user(account).groups

    @pytest.mark.supports("D3")
    def test_a_stop_and_its_release_carry_one_id(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """That of who leaves: a second try, or another worker's, is the same stop."""
        account_id = self.busy(world)
        told: list[tuple[str, str, str]] = []

        def stop(technician_id: str, stop_id: str) -> None:
            told.append(("stop", technician_id, stop_id))

        def allow(technician_id: str, stop_id: str) -> None:
            told.append(("allow", technician_id, stop_id))

        monkeypatch.setattr(world.fsm, "stop_assignments", stop)
        monkeypatch.setattr(world.fsm, "allow_assignments", allow)
        leave(world, account_id, GatePolicy.HOLD)
        world.work()
        world.do(lambda tx: reactivate(tx, POLICY, account_id, BY, world.clock.now()))
        world.work()
        assert told[0] == ("stop", "T-1", account_id)
        assert told[-1] == ("allow", "T-1", account_id)
        assert {stop_id for _, _, stop_id in told} == {account_id}

    @pytest.mark.supports("D3", "H1")
    def test_a_lease_lost_while_fsm_answers_stops_no_assignments(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The FSM system took longer over its first answer than the lease lasts, and somebody else went on."""
        account = world.join_technician("T-1")
        leave(world, account.id, GatePolicy.HOLD)
        with world.systems.db.write() as tx:
            [slow] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 1)
        answer = world.fsm.technician

        def late(technician_id: str) -> Technician | None:
            found = answer(technician_id)
            monkeypatch.undo()
            world.do(lambda tx: reactivate(tx, POLICY, account.id, BY, world.clock.now()))
            world.pass_time(LEASE.total_seconds() + 1)
            with unkept():
                world.work()
            return found

        monkeypatch.setattr(world.fsm, "technician", late)
        outcome = bring_about_safely(world.systems, world.accounts, slow, None)
        assert isinstance(outcome, Failed)
        assert outcome.failure.code is FailureCode.LEASE_LOST
        assert world.fsm.technician("T-1").assignable  # type: ignore[union-attr]

    @pytest.mark.supports("D3", "H1")
    def test_a_worker_that_lost_its_lease_stops_no_assignments(self, world: World) -> None:
        """It slept over a reactivation: the technician it would have stopped is at work again."""
        account = world.join_technician("T-1")
        leave(world, account.id, GatePolicy.REFUSE)
        with world.systems.db.write() as tx:
            [asleep] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 1)
        world.do(lambda tx: reactivate(tx, POLICY, account.id, BY, world.clock.now()))
        world.pass_time(LEASE.total_seconds() + 1)
        world.work()
        outcome = bring_about_safely(world.systems, world.accounts, asleep, None)
        assert isinstance(outcome, Failed)
        assert outcome.failure.code is FailureCode.LEASE_LOST
        assert world.fsm.technician("T-1").assignable  # type: ignore[union-attr]

    @pytest.mark.supports("D4")
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
