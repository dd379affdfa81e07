"""A system that is away: nothing is asked of it, nothing is burnt, and work goes on by itself (H2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sync.commands.deactivation.deactivate import deactivate
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account, Life
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import Failure, Misconfigured, NeedsPerson, Transient
from sync.domain.work.circuit import FAILURES_TO_OPEN, LONGEST_PAUSE, CircuitName, CircuitState
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import CLAIM_AT_ONCE, provision_some
from sync.jobs.schedule.sweep import sweep
from sync.jobs.work.circuits import SYSTEMS, admitted
from sync.jobs.work.lease import lost
from sync.store.accounts import accounts
from sync.store.provisioning import due, work_state
from sync.store.provisioning.work_state import WorkState
from sync.store.work import account_claims, circuits
from sync.store.work.lease_rows import Terms
from sync.views.operations.problems import problems
from tests.world import BY, POLICY, World

AWAY = "Keycloak at http://kc.example.com: not reachable (GET users)"
WRONG = "Keycloak gave client 'fsm-worker' no token: check FSM_KEYCLOAK__WORKER_SECRET"


def state(world: World, account: Account) -> WorkState:
    found = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert found is not None
    return found


def circuit_state(world: World, name: CircuitName = CircuitName.KEYCLOAK) -> CircuitState:
    return world.read(lambda tx: circuits.get(tx, name)).state


def break_keycloak(world: World, failure: Transient | Misconfigured | None = None) -> None:
    """Every request fails until `mend`."""
    world.accounts.always_fails = failure or Transient(AWAY, system="keycloak")


def mend_keycloak(world: World) -> None:
    world.accounts.always_fails = None


def try_until_open(world: World) -> None:
    for _ in range(20 * FAILURES_TO_OPEN):
        if circuit_state(world) is CircuitState.OPEN:
            return
        world.work()
        world.pass_time(5)
    raise AssertionError("the circuit does not open")


@pytest.mark.supports("H2")
@pytest.mark.parametrize("failure", [Transient(AWAY, system="keycloak"), Misconfigured(WRONG, system="keycloak")])
def test_an_outage_burns_no_attempts_and_ends_by_itself(world: World, failure: Transient | Misconfigured) -> None:
    """A hundred accounts and a long outage: a handful are tried, all attempts are as before, and after it all are
    in Keycloak."""
    people = [world.join(f"pat.p{number}") for number in range(100)]
    break_keycloak(world, failure)
    try_until_open(world)
    for _ in range(60):
        world.pass_time(60)
        sweep(world.systems)
        world.work()
    assert world.accounts.asked < FAILURES_TO_OPEN * 2 + 62
    assert {state(world, person).attempts for person in people} == {0}
    assert world.read(lambda tx: circuits.get(tx, CircuitName.KEYCLOAK)).reason == str(failure)
    mend_keycloak(world)
    world.pass_time(LONGEST_PAUSE.total_seconds())
    world.work()
    assert circuit_state(world) is CircuitState.CLOSED
    assert all(world.user(person).enabled for person in people)


@pytest.mark.supports("H2")
def test_an_account_alone_gets_all_its_attempts_back(world: World) -> None:
    """It failed again and again until the circuit opened, and it is the probe each time."""
    account = world.join()
    break_keycloak(world)
    try_until_open(world)
    for _ in range(5):
        world.pass_time(60)
        world.work()
    assert state(world, account).attempts == 0
    mend_keycloak(world)
    world.pass_time(60)
    world.work()
    assert state(world, account).applied


@pytest.mark.supports("H2")
def test_an_open_circuit_claims_nothing_and_wakes_nobody(world: World) -> None:
    """The lane stays due, a worker that is woken all the same stops at once, and the sweep waits for the probe."""
    account = world.join()
    break_keycloak(world)
    try_until_open(world)
    asked = world.accounts.asked
    assert world.read(lambda tx: circuits.get(tx, CircuitName.KEYCLOAK)).probe_at is not None
    with world.systems.db.write() as tx:
        circuits.change(
            tx, CircuitName.KEYCLOAK, lambda row: row.probing("other", world.clock.now()), world.clock.now()
        )
    assert provision_some(world.systems, Lane.INTERACTIVE) == 0
    assert world.accounts.asked == asked
    assert Lane.INTERACTIVE not in sweep(world.systems)
    assert state(world, account).due_at is not None
    world.pass_time(3600)
    assert Lane.INTERACTIVE in sweep(world.systems)


@pytest.mark.supports("H2")
def test_an_account_that_exists_is_a_probe_too(world: World) -> None:
    """Where nobody is to be created, only accounts that are compared, the circuit closes as well."""
    account = world.join()
    world.work()
    break_keycloak(world)
    with world.systems.db.write() as tx:
        due.mark_due(tx, account.id, Lane.INTERACTIVE, world.clock.now())
    try_until_open(world)
    mend_keycloak(world)
    world.pass_time(LONGEST_PAUSE.total_seconds())
    world.work()
    assert circuit_state(world) is CircuitState.CLOSED
    assert state(world, account).applied


@pytest.mark.supports("H2")
def test_half_open_sends_one_account(world: World) -> None:
    """Of many that wait one is the probe; when it fails the others were not touched."""
    for number in range(30):
        world.join(f"pat.p{number}")
    break_keycloak(world)
    try_until_open(world)
    world.pass_time(LONGEST_PAUSE.total_seconds())
    before = world.accounts.asked
    assert provision_some(world.systems, Lane.INTERACTIVE) == 1
    assert world.accounts.asked == before + 1
    assert circuit_state(world) is CircuitState.OPEN
    assert provision_some(world.systems, Lane.INTERACTIVE) == 0


@pytest.mark.supports("H2")
def test_one_request_for_many_counts_once(world: World) -> None:
    """A connection reset under twenty accounts is one failure, and nineteen of them were not tried."""
    people = [world.join(f"pat.p{number}") for number in range(CLAIM_AT_ONCE[Lane.INTERACTIVE])]
    world.accounts.fail_next(Transient(AWAY, system="keycloak"))
    provision_some(world.systems, Lane.INTERACTIVE)
    assert circuit_state(world) is CircuitState.CLOSED
    assert sorted(state(world, person).attempts for person in people) == [0] * (
        CLAIM_AT_ONCE[Lane.INTERACTIVE] - 1
    ) + [1]


@pytest.mark.supports("H2")
def test_an_accounts_own_failure_opens_nothing(world: World) -> None:
    """Refused rows, taken names and the 500 of a bad row say nothing about Keycloak."""
    for number in range(FAILURES_TO_OPEN * 2):
        account = world.join(f"pat.p{number}")
        world.accounts.fail_next(NeedsPerson("no") if number % 2 else Transient("500 to this one row"))
        world.work()
        assert world.read(lambda tx, which=account.id: work_state.of_account(tx, which)) is not None
    assert world.read(lambda tx: circuits.get(tx, CircuitName.KEYCLOAK)).failures == 0


@pytest.mark.supports("H2")
def test_a_probe_whose_worker_dies_is_followed_by_another(world: World) -> None:
    """Its account is taken over too."""
    account = world.join()
    break_keycloak(world)
    try_until_open(world)
    mend_keycloak(world)
    world.pass_time(LONGEST_PAUSE.total_seconds())
    with world.systems.db.write() as tx:
        assert circuits.begin_probe(tx, CircuitName.KEYCLOAK, world.clock.now()) is not None
        assert account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 1)
    world.work()
    assert world.accounts.users == {}
    world.pass_time(120)
    world.work()
    assert world.user(account).enabled


@pytest.mark.supports("H2")
def test_a_probe_that_asks_keycloak_nothing_closes_nothing(world: World) -> None:
    """A worker that does not know the account's profile stops before it asks; the next account is the probe."""
    unknown, _ = world.join("una.unknown"), world.join("pat.plain")
    break_keycloak(world)
    try_until_open(world)
    world.pass_time(LONGEST_PAUSE.total_seconds())
    with world.systems.db.write() as tx:
        due.look_again(tx, unknown.id, Lane.INTERACTIVE, world.clock.now() - timedelta(days=1))
    asked = world.accounts.asked
    newer = replace(world.systems.policy, profiles={})
    assert provision_some(replace(world.systems, policy=newer), Lane.INTERACTIVE) == 1
    assert world.accounts.asked == asked
    assert circuit_state(world) is CircuitState.OPEN
    mend_keycloak(world)
    world.work()
    assert circuit_state(world) is CircuitState.CLOSED


@pytest.mark.supports("H2")
def test_a_probe_with_nothing_to_do_is_not_used_up(world: World) -> None:
    """An idle lane leaves the probe to the one that has work."""
    world.join()
    break_keycloak(world)
    try_until_open(world)
    world.pass_time(LONGEST_PAUSE.total_seconds())
    assert provision_some(world.systems, Lane.BULK) == 0
    mend_keycloak(world)
    world.work()
    assert circuit_state(world) is CircuitState.CLOSED


def leave(world: World, account: Account) -> None:
    world.do(lambda tx: deactivate(tx, POLICY, account.id, GatePolicy.HOLD, BY, world.clock.now()))


@pytest.mark.supports("H2", "D2")
def test_the_fsm_circuit_holds_up_only_what_asks_fsm(world: World) -> None:
    """Leavers wait without a request each; a new dispatcher is in Keycloak at once; after it all leave."""
    leavers = [world.join_technician(f"T-{number}", f"tess.t{number}") for number in range(8)]
    for leaver in leavers:
        leave(world, leaver)
    world.fsm.down = True
    for _ in range(10):
        world.work()
        world.pass_time(5)
    assert circuit_state(world, CircuitName.FSM) is CircuitState.OPEN
    assert circuit_state(world) is CircuitState.CLOSED
    dispatcher = world.join("dora.dispatch")
    world.work()
    assert world.user(dispatcher).enabled
    assert all(world.user(leaver).enabled for leaver in leavers)
    asked = world.fsm.asked
    attempts = {state(world, leaver).attempts for leaver in leavers}
    for _ in range(30):
        world.pass_time(60)
        world.work()
    assert world.fsm.asked - asked <= 31
    assert {state(world, leaver).attempts for leaver in leavers} <= attempts
    world.fsm.down = False
    world.pass_time(LONGEST_PAUSE.total_seconds() + 600)
    world.work()
    world.work()
    assert circuit_state(world, CircuitName.FSM) is CircuitState.CLOSED
    lives = [world.read(lambda tx, which=leaver.id: accounts.get(tx, which)) for leaver in leavers]
    assert [account.life for account in lives if account is not None] == [Life.INACTIVE] * 8
    assert not any(world.user(leaver).enabled for leaver in leavers)


@pytest.mark.supports("H2")
def test_a_lost_lease_is_no_outage(world: World) -> None:
    """Another worker took the account over: the circuit hears nothing of it."""
    world.join()
    world.accounts.fail_next(lost())
    world.work()
    world.pass_time(timedelta(hours=1).total_seconds())
    assert world.read(circuits.every)[0].failures == 0


OURS = [
    pytest.param(lost, id="the lease was lost"),
    pytest.param(lambda: Transient("no answer", system="database"), id="our database is away"),
    pytest.param(lambda: Misconfigured("other tables", system="database"), id="our tables differ"),
    pytest.param(lambda: Misconfigured("no key opens the password"), id="a setting of ours"),
]


@pytest.mark.supports("H2")
@pytest.mark.parametrize("failed", OURS)
@pytest.mark.parametrize("name", CircuitName)
def test_a_probe_that_stops_on_our_side_tells_nothing(
    world: World, name: CircuitName, failed: Callable[[], Failure]
) -> None:
    """The pause does not grow, and another probe may go at once."""
    away, now = Transient("no answer", system=SYSTEMS[name]), world.clock.now()
    for _ in range(FAILURES_TO_OPEN):
        world.do(lambda tx: circuits.change(tx, name, lambda circuit: circuit.failed(away, now, 0.5), now))
    world.pass_time(LONGEST_PAUSE.total_seconds())
    watch = admitted(world.systems, name)
    assert watch is not None
    before = watch.circuit
    watch.report(failed())
    after = world.read(lambda tx: circuits.get(tx, name))
    assert (after.openings, after.reason) == (before.openings, before.reason)
    assert after.state is CircuitState.OPEN
    assert admitted(world.systems, name) is not None


@pytest.mark.supports("H1", "H3")
def test_a_redis_that_is_away_is_shown_until_wakes_go_out_again(world: World) -> None:
    """The change is stored all the same."""
    world.wake.down = True
    account = world.join()
    [trouble] = world.read(lambda tx: problems(tx, Scope.all(), world.clock.now()))
    assert "workers cannot be woken" in trouble.what
    assert "maxmemory" in trouble.remedy
    assert Lane.INTERACTIVE in sweep(world.systems)
    assert len(world.read(lambda tx: problems(tx, Scope.all(), world.clock.now()))) == 1
    world.wake.down = False
    sweep(world.systems)
    assert world.read(lambda tx: problems(tx, Scope.all(), world.clock.now())) == ()
    world.work()
    assert world.user(account).enabled
