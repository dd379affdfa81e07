"""What a comparison finds is what a worker does, whatever somebody has made of a user in Keycloak (G4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.commands.drift.decide import accept
from sync.domain.accounts.account import Account
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.provisioning.aspect import Aspect, touched_by
from sync.domain.provisioning.change import Change
from sync.domain.provisioning.desired import desired_state
from sync.domain.provisioning.observed import ACCOUNT_ID, Observed, Sessions
from sync.domain.provisioning.plan import diff
from sync.domain.work.lane import Lane
from sync.ports.field_service import Technician
from sync.store.accounts import accounts
from sync.store.provisioning import due, work_state
from sync.store.work import account_claims
from sync.store.work.lease_rows import Terms
from tests.comparing import judge
from tests.domain.users import observations
from tests.fakes.accounts import FakeUser
from tests.fakes.field_service import WorkOrder
from tests.jobs.drift.drift_steps import findings
from tests.world import BY, World, leave

TECHNICIANS = ("T-1", "T-0001", "T-0002", "T-0009")


@pytest.fixture
def staff(at_work: World) -> Mapping[str, Account]:
    """Somebody in the office, a technician, and one who left; with an attribute of their company's own."""
    world = at_work
    world.accounts.declared |= world.systems.policy.attributes.keys()
    for technician_id in TECHNICIANS:
        world.fsm.add(Technician(technician_id, technician_id, None, assignable=True))
    made = {
        "office": world.join("ann.arno", attributes={"cost_centre": "4711"}),
        "field": world.join_technician("T-1"),
        "left": world.join("cem.cohn"),
    }
    world.work()
    leave(world, made["left"].id, GatePolicy.HOLD)
    settle(world)
    return world.read(lambda tx: {who: accounts.read_many(tx, [each.id])[each.id] for who, each in made.items()})


@pytest.mark.supports("G4")
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seen=observations,
    cost_centre=st.sampled_from([None, "4711", "0815"]),
    who=st.sampled_from(["office", "field", "left"]),
    accepting=st.booleans(),
    leased=st.booleans(),
    busy=st.booleans(),
)
def test_a_comparison_finds_what_a_worker_would_change(
    at_work: World,
    staff: Mapping[str, Account],
    seen: Observed,
    cost_centre: str | None,
    who: str,
    *,
    accepting: bool,
    leased: bool,
    busy: bool,
) -> None:
    """The plan of one look, without the sessions, which are the worker's alone, and without what was accepted.
    Nothing is found of an account that a worker has, or whose withdrawal is held. Afterwards neither finds
    anything more."""
    world, account = at_work, staff[who]
    user = world.user(account)
    tamper(world, user, seen, cost_centre)
    for technician_id in TECHNICIANS:
        status = "scheduled" if busy else "completed"
        world.fsm.add(WorkOrder(f"W-{technician_id}", status=status, lead=technician_id))
    if leased:
        assert silent_while_leased(world, account)
    else:
        judge(world.systems, [account.id])
        for finding in findings(world, "open"):
            if accepting and finding.attribute is Aspect.SWITCHED_OFF:
                accept(world.systems, finding.id, BY)
    look = world.accounts.observe(user.id, sessions=False)
    assert look is not None
    plan = diff(desired_state(account, world.systems.policy), look)
    wrong = touched(plan.changes) - about(world, account, "accepted")
    assert leased or about(world, account, "open") == wrong

    before = len(world.accounts.applied)
    world.do(lambda tx: due.look_again(tx, account.id, Lane.INTERACTIVE, world.clock.now()))
    world.work()
    if held(world, account):
        assert touched(change for _, change in world.accounts.applied[before:]) == wrong & {Aspect.ROLE}
        assert judge(world.systems, [account.id]).left_out == {account.id}
        for technician_id in TECHNICIANS:
            world.fsm.add(WorkOrder(f"W-{technician_id}", status="completed", lead=technician_id))
    settle(world)
    assert touched(change for _, change in world.accounts.applied[before:]) == wrong
    assert not (who == "left" and user.tokens)
    judge(world.systems, [account.id])
    assert about(world, account, "open") == set()


@pytest.mark.supports("G4", "H2")
@pytest.mark.parametrize("who", ["office", "field", "left"])
@pytest.mark.parametrize("accepting", [True, False])
@pytest.mark.parametrize("leased", [True, False])
def test_who_is_missed_is_whom_no_worker_makes_anew(
    at_work: World, staff: Mapping[str, Account], who: str, *, accepting: bool, leased: bool
) -> None:
    """The one finding, also of somebody who left; a worker asks a person about it, unless it was accepted."""
    world, account = at_work, staff[who]
    del world.accounts.users[world.user(account).id]
    if leased:
        assert silent_while_leased(world, account)
        settle(world)
    judge(world.systems, [account.id])
    assert about(world, account, "open") == {Aspect.MISSING}
    if accepting:
        [finding] = findings(world, "open")
        accept(world.systems, finding.id, BY)

    before, users = len(world.accounts.applied), set(world.accounts.users)
    world.do(lambda tx: due.look_again(tx, account.id, Lane.INTERACTIVE, world.clock.now()))
    settle(world)
    assert (world.accounts.applied[before:], set(world.accounts.users)) == ([], users)
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert state is not None
    assert (state.quarantine is None) == accepting
    judge(world.systems, [account.id])
    assert about(world, account, "accepted" if accepting else "open") == {Aspect.MISSING}


def silent_while_leased(world: World, account: Account) -> bool:
    """A worker has taken it and says nothing: what differs may be of its doing."""
    with world.systems.db.write() as tx:
        due.look_again(tx, account.id, Lane.INTERACTIVE, world.clock.now())
        [claim] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 10)
    judged = judge(world.systems, [account.id])
    with world.systems.db.write() as tx:
        account_claims.release(tx, claim)
    return judged.left_out == {account.id} and about(world, account, "open") == set()


def touched(changes: Iterable[Change]) -> set[Aspect]:
    return {each for change in changes for each in touched_by(change)}


def about(world: World, account: Account, state: str) -> set[object]:
    return {each.attribute for each in findings(world, state) if each.subject.account_id == account.id}


def held(world: World, account: Account) -> bool:
    state = world.read(lambda tx: work_state.of_account(tx, account.id))
    return state is not None and bool(state.held_work_orders)


def settle(world: World) -> None:
    """Until nobody is due any more, after the last hold and the life of an access token."""
    for _ in range(2):
        world.pass_time(3600)
        world.work()


def tamper(world: World, user: FakeUser, seen: Observed, cost_centre: str | None) -> None:
    """Like this, but for the mark that makes it ours."""
    user.username, user.email = seen.username, seen.email
    user.given_name, user.family_name = seen.given_name, seen.family_name
    user.enabled, user.lock = seen.enabled, seen.lock
    user.roles = set(seen.roles)
    user.groups = set(seen.groups & world.accounts.groups.keys())
    kept = {"cost_centre": (cost_centre,)} if cost_centre else {}
    sessions = seen.sessions if isinstance(seen.sessions, Sessions) else Sessions()
    user.tokens = dict.fromkeys(map(str, range(sessions.online))) | {
        each: each for each in sessions.offline_clients
    }
    user.attributes = {**seen.attributes, **kept, ACCOUNT_ID: user.attributes[ACCOUNT_ID]}
