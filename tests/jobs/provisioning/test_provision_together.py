"""Many accounts in one go: claimed, observed and recorded together, each still for itself (H1)."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from sync.commands.accounts.change import change
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.errors import Failure
from sync.domain.provisioning.observed import LockState, Observed
from sync.domain.work.lane import Lane
from sync.domain.work.lease import LEASE
from sync.jobs.provisioning.provision import bring_about, provision_some
from sync.jobs.work.recording import record
from sync.ports.accounts import Created, NewUser
from sync.ports.lease import unkept
from sync.store.audit.timeline import read_timeline
from sync.store.database.tables import provisioning as work
from sync.store.provisioning import due, observations, work_state
from sync.store.work import account_claims
from sync.store.work.account_claims import Claim
from sync.store.work.lease_rows import Terms
from tests.world import BY, POLICY, World


def mark_all_due(world: World, account_ids: list[str], lane: Lane) -> None:
    """Something else is wanted of each, at the same moment."""
    with world.systems.db.write() as tx:
        for account_id in account_ids:
            due.mark_due(tx, account_id, lane, world.clock.now())


@pytest.mark.supports("H1", "H2")
def test_what_a_batch_has_no_time_for_is_given_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keycloak takes half a minute for one account: the next is left to whoever claims it, with no try lost."""
    slow, waiting = world.join("sol.slow"), world.join("win.waits")
    world.work()
    moved = AccountChange(branch=next(key for key in POLICY.branches if key != slow.branch))
    for account in (slow, waiting):
        world.do(lambda tx, of=account: change(tx, POLICY, of.id, moved, BY, world.clock.now()))  # type: ignore[misc]
    observe = world.accounts.observe

    def slowly(idp_user_id: str, *, sessions: bool) -> Observed | None:
        world.pass_time(LEASE.total_seconds() / 2 + 1)
        return observe(idp_user_id, sessions=sessions)

    monkeypatch.setattr(world.accounts, "observe", slowly)
    provision_some(world.systems, Lane.INTERACTIVE)
    states = [world.read(lambda tx, of=each: work_state.of_account(tx, of.id)) for each in (slow, waiting)]  # type: ignore[misc]
    assert [state.applied for state in states if state] == [True, False]
    assert [state.leased_until for state in states if state] == [None, None]
    assert [state.attempts for state in states if state] == [0, 0]


@pytest.mark.supports("H1", "E6")
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
    timeline = world.read(lambda tx: read_timeline(tx, account.id))
    assert [each.title for each in timeline if each.kind == "keycloak"] == [
        "applied (version 1)",
        "applied (version 4)",
    ]
    assert len([each for each in timeline if each.title == "change"]) == 3


@pytest.mark.supports("H1")
def test_one_account_is_never_worked_on_twice_at_once(world: World) -> None:
    """A change that comes while a worker is at the account waits for that worker, whatever lane it is in, and is
    carried out after it."""
    account = world.join()
    world.work()
    rename = AccountChange(given_name="Joanna")
    world.do(lambda tx: change(tx, POLICY, account.id, rename, BY, world.clock.now()))
    with world.systems.db.write() as tx:
        [held] = account_claims.claim(tx, Lane.INTERACTIVE, Terms(world.clock.now()), 1)
    move = AccountChange(family_name="Lindgren")
    world.do(lambda tx: change(tx, POLICY, account.id, move, BY, world.clock.now(), lane=Lane.BULK))
    assert provision_some(world.systems, Lane.INTERACTIVE) == 0
    assert provision_some(world.systems, Lane.BULK) == 0
    outcome = bring_about(world.systems, world.accounts, held, None)
    with world.systems.db.write() as tx:
        record(tx, POLICY, held, outcome, world.clock.now())
    assert world.user(account).family_name == "Lind"
    world.work()
    assert world.user(account).family_name == "Lindgren"


@pytest.mark.supports("H1")
def test_a_batch_that_cannot_be_recorded_together_is_recorded_one_by_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keycloak's id of one of ten belongs to another account: that one is for a person, the others are done."""
    first = world.join("fay.first")
    world.work()
    people = [world.join(f"pat.p{number}") for number in range(10)]
    create, taken = world.accounts.create, Created(world.user(first).id, existed=False)
    monkeypatch.setattr(world.accounts, "create", lambda users: {**create(users), people[3].id: taken})
    world.work()
    states = world.read(lambda tx: {each.id: work_state.of_account(tx, each.id) for each in people})
    stuck = [account_id for account_id, state in states.items() if state is not None and state.quarantine]
    assert stuck == [people[3].id]
    assert all(state is not None and state.applied for key, state in states.items() if key not in stuck)


@pytest.mark.supports("H1", "H2")
def test_accounts_that_cannot_be_observed_together_are_looked_at_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that nobody foresaw, such as JSON of another shape, holds up nobody until its lease is over."""
    people = [world.join(f"pat.p{number}") for number in range(5)]
    world.work()

    def other_shape(_: object) -> None:
        raise KeyError("id")

    monkeypatch.setattr(world.accounts, "observe_many", other_shape)
    mark_all_due(world, [each.id for each in people], Lane.BULK)
    world.work(Lane.BULK)
    states = [world.read(lambda tx, each=each: work_state.of_account(tx, each.id)) for each in people]
    assert all(state is not None and state.applied and state.due_at is None for state in states)


@pytest.mark.supports("H1")
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
            with unkept():
                world.work()
        return made

    monkeypatch.setattr(world.accounts, "_outcome", slow)
    provision_some(world.systems, Lane.INTERACTIVE)
    assert sent.count(people[1].id) == 1
    world.pass_time(60)
    world.work()
    assert all(world.user(each).enabled for each in people)


@pytest.mark.supports("H1")
def test_who_was_created_first_stays_leased_to_the_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of three users of an import takes Keycloak 25 s, more than a lease in all: nobody else finds one of
    them to claim, and all that was done is recorded."""
    people = [world.join(f"pat.p{number}") for number in range(3)]
    world.do(lambda tx: tx.connection.execute(update(work).values(lane=Lane.BULK.value)))
    make, found = world.accounts._outcome, list[Claim]()

    def slow(user: NewUser) -> Created | Failure:
        made = make(user)
        world.pass_time(25)
        with world.systems.db.write() as tx:
            found.extend(account_claims.claim(tx, Lane.BULK, Terms(world.clock.now()), 10))
        return made

    monkeypatch.setattr(world.accounts, "_outcome", slow)
    assert provision_some(world.systems, Lane.BULK) == 3
    assert found == []
    states = [world.read(lambda tx, of=each: work_state.of_account(tx, of.id)) for each in people]  # type: ignore[misc]
    assert [state is not None and state.applied for state in states] == [True] * 3


@pytest.mark.supports("A8", "H1")
def test_a_mass_change_does_not_show_a_lockout_as_ended(world: World, people: list[Account]) -> None:
    """One of three was seen locked out for a time; who looks at many does not ask for that, so it stays known,
    until somebody looks at the one."""
    world.user(people[0]).lock = LockState(temporary=True, failures=5)
    ids = [each.id for each in people]

    def locks(*, of: list[str], by: Lane) -> list[LockState | None]:
        mark_all_due(world, of, by)
        world.work(by)
        seen = [world.read(lambda tx, each=each: observations.last(tx, each)) for each in ids]  # type: ignore[misc]
        return [each and each.lock for each in seen]

    assert locks(of=ids, by=Lane.BULK) == [LockState()] * 3
    assert locks(of=ids[:2], by=Lane.INTERACTIVE) == [world.user(people[0]).lock, LockState(), LockState()]
    known = locks(of=ids, by=Lane.BULK)
    assert known == [LockState(temporary=True, failures=5), LockState(), LockState()]
    world.user(people[0]).lock = LockState()
    assert locks(of=ids, by=Lane.BULK) == known
    assert locks(of=ids, by=Lane.INTERACTIVE) == [LockState()] * 3


@pytest.mark.supports("A8", "H1")
def test_who_is_switched_on_is_locked_for_good_no_more(world: World, people: list[Account]) -> None:
    """An administrator lifted the lockout in Keycloak's console, which a mass change sees by the switch."""
    user, ids = world.user(people[0]), [each.id for each in people]
    user.enabled, user.lock = False, LockState(permanent=True, failures=9)
    for lane in (Lane.INTERACTIVE, Lane.BULK):
        mark_all_due(world, ids, lane)
        world.work(lane)
        last = world.read(lambda tx: observations.last(tx, ids[0]))
        assert last is not None
        assert last.lock == (LockState(permanent=True, failures=9) if lane is Lane.INTERACTIVE else LockState())
        user.enabled, user.lock = True, LockState()
