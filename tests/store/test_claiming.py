"""The claim: one worker an account, fenced by a token, nothing lost when a worker dies (H1)."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Connection, event, insert, select, text

from sync.domain.account import Account
from sync.domain.gate import OpenWorkOrder
from sync.domain.lane import Lane
from sync.domain.observed import LockState, Observed, Sessions
from sync.store import accounts, finishing, history, observations, provisioning, work_state
from sync.store.account_rows import to_row
from sync.store.database import Database, Tx
from sync.store.finishing import Finished
from sync.store.provisioning import Claim
from sync.store.sealing import Sealer
from sync.store.tables import account as account_table
from sync.store.tables import attempt as attempt_table
from sync.store.tables import provisioning as provisioning_table

MakeAccount = Callable[..., Account]
LEASE = timedelta(seconds=60)
ORDER = OpenWorkOrder("WO-1", "scheduled", "Contoso", None, ("lead",))


def store(db: Database, account: Account, now: datetime, lane: Lane = Lane.BULK) -> Account:
    """An account that is due."""
    with db.write() as tx:
        accounts.insert(tx, account)
        provisioning.mark_due(tx, account.id, lane, now)
    return account


def claim_all(db: Database, now: datetime, lane: Lane = Lane.BULK, limit: int = 50) -> tuple[Claim, ...]:
    with db.write() as tx:
        return provisioning.claim(tx, lane, now, LEASE, limit)


def claim_one(db: Database, now: datetime, lane: Lane = Lane.BULK) -> Claim:
    (claim,) = claim_all(db, now, lane)
    return claim


def finish(db: Database, claim: Claim, now: datetime, **given: object) -> bool:
    values: dict[str, object] = {
        "outcome": "applied",
        "applied_version": claim.wanted_version,
        "fingerprint": "f1",
        "due_at": None,
        "attempts": 0,
    }
    with db.write() as tx:
        return finishing.finish(tx, claim, Finished(**(values | given)), now)  # type: ignore[arg-type]


def attempts_of(db: Database, account: Account) -> list[tuple[int, str]]:
    with db.read() as tx:
        rows = tx.connection.execute(
            select(attempt_table.c.version, attempt_table.c.outcome)
            .where(attempt_table.c.account_id == account.id)
            .order_by(attempt_table.c.id)
        )
        return [tuple(row) for row in rows]


def seen(account: Account) -> Observed:
    return Observed(
        idp_user_id=account.id,
        username=account.username,
        email=account.email,
        given_name=account.given_name,
        family_name=account.family_name,
        enabled=True,
        attributes={},
        groups=frozenset({"/fsm/profiles/dispatcher"}),
        roles=frozenset(),
        required_actions=frozenset({"UPDATE_PASSWORD"}),
        lock=LockState(temporary=True, failures=5),
        administers_realm=False,
        sessions=Sessions(online=2, offline_clients=frozenset({"mobile"})),
    )


@pytest.mark.req("H1")
def test_a_claim_carries_the_account_and_what_is_wanted(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """Everything the worker needs comes with the claim."""
    account = store(db, make_account(), now)
    claim = claim_one(db, now)
    assert claim.account == account
    assert (claim.wanted_version, claim.applied_version) == (1, None)
    assert claim.lease_until == now + LEASE
    assert not claim.took_over


@pytest.mark.req("H1")
def test_the_longest_due_come_first_and_no_more_than_asked(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """Claims take the oldest work of their lane, what is due later or in another lane stays."""
    late = store(db, make_account(), now - timedelta(minutes=1))
    early = store(db, make_account(), now - timedelta(minutes=5))
    middle = store(db, make_account(), now - timedelta(minutes=3))
    store(db, make_account(), now + timedelta(minutes=1))
    click = store(db, make_account(), now, Lane.INTERACTIVE)
    assert [each.account for each in claim_all(db, now, limit=2)] == [early, middle]
    assert [each.account for each in claim_all(db, now, limit=2)] == [late]
    assert [each.account for each in claim_all(db, now, Lane.INTERACTIVE)] == [click]


@pytest.mark.req("H1")
def test_what_is_claimed_is_nobody_elses_until_the_lease_is_over(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """While the lease runs nobody gets the account; afterwards the next one knows it took over."""
    store(db, make_account(), now)
    first = claim_one(db, now)
    assert claim_all(db, now + LEASE - timedelta(microseconds=1)) == ()
    second = claim_one(db, now + LEASE)
    assert second.took_over
    assert second.lease_expired_at == first.lease_until
    assert second.token != first.token


@pytest.mark.req("H1")
def test_a_lost_lease_writes_nothing(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """A worker that comes back late changes neither the work, nor the observation, nor the timeline; it only asks
    for one more look, because a request of its own may have come late too."""
    account = store(db, make_account(), now)
    late = claim_one(db, now)
    claim_one(db, now + LEASE)
    with db.read() as tx:
        before = tx.connection.execute(select(provisioning_table)).one()
    assert not finish(db, late, now + LEASE, observed=seen(account), changes=("join /fsm/x",))
    with db.write() as tx:
        assert not provisioning.extend(tx, late, now + 2 * LEASE)
        assert not provisioning.release(tx, late)
    with db.read() as tx:
        after = tx.connection.execute(select(provisioning_table)).one()
        assert after._asdict() == before._asdict() | {"asked": before.asked + 1}
        assert observations.last(tx, account.id) is None
    assert attempts_of(db, account) == []


@pytest.mark.req("H1")
def test_a_finished_claim_cannot_be_finished_twice(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """The token is spent with the first finish."""
    account = store(db, make_account(), now)
    claim = claim_one(db, now)
    assert finish(db, claim, now, changes=("create",))
    assert not finish(db, claim, now, changes=("create",))
    assert attempts_of(db, account) == [(1, "applied")]


@pytest.mark.req("D6", "H1")
def test_a_lost_lease_asks_for_another_look(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """However late the slow worker's last request came: after its word somebody looks at Keycloak once more."""
    store(db, make_account(), now)
    late = claim_one(db, now)
    assert finish(db, claim_one(db, now + LEASE), now + LEASE)
    assert claim_all(db, now + 2 * LEASE) == ()
    assert not finish(db, late, now + 2 * LEASE)
    assert finish(db, claim_one(db, now + 2 * LEASE), now + 2 * LEASE)
    assert claim_all(db, now + timedelta(days=1)) == ()


@pytest.mark.req("H1")
def test_an_extended_lease_holds_longer(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """Who extends in time keeps the account."""
    store(db, make_account(), now)
    claim = claim_one(db, now)
    with db.write() as tx:
        assert provisioning.extend(tx, claim, now + 2 * LEASE)
    assert claim_all(db, now + LEASE) == ()
    assert finish(db, claim, now + LEASE)


@pytest.mark.req("H1")
def test_a_released_claim_is_free_at_once(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """A worker that stops gives back what it has not begun, and the next one did not take over."""
    store(db, make_account(), now)
    with db.write() as tx:
        (claim,) = provisioning.claim(tx, Lane.BULK, now, LEASE, 5)
        assert provisioning.release(tx, claim)
    assert not claim_one(db, now).took_over


@pytest.mark.req("H1")
@pytest.mark.parametrize("outcome", ["given back", "retry"])
def test_a_takeover_is_known_until_the_account_is_as_wanted(
    db: Database, make_account: MakeAccount, now: datetime, outcome: str
) -> None:
    """The one that took over has no time for it, or fails: a write of the dead worker may still be on its way, so
    the next one has to know as well."""
    store(db, make_account(), now)
    dead = claim_one(db, now)
    second = claim_one(db, now + LEASE)
    if outcome == "given back":
        with db.write() as tx:
            assert provisioning.release(tx, second)
    else:
        assert finish(db, second, now + LEASE, outcome="retry", due_at=now + LEASE)
    third = claim_one(db, now + LEASE)
    assert third.lease_expired_at == dead.lease_until
    assert finish(db, third, now + LEASE, due_at=now + 2 * LEASE)
    assert not claim_one(db, now + 2 * LEASE).took_over


@pytest.mark.req("H1")
def test_a_change_during_the_work_leaves_the_account_due(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """The worker finishes the version it saw; the newer one is due now and keeps nothing of the older's end."""
    account = store(db, make_account(), now)
    claim = claim_one(db, now)
    with db.write() as tx:
        assert provisioning.mark_due(tx, account.id, Lane.INTERACTIVE, now) == 2
    assert finish(
        db, claim, now, outcome="quarantined", applied_version=None, attempts=7, quarantine=("conflict", "taken")
    )
    again = claim_one(db, now, Lane.INTERACTIVE)
    assert (again.wanted_version, again.attempts) == (2, 0)


@pytest.mark.req("H1", "D5")
def test_a_look_asked_for_during_the_work_is_not_lost(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """Work orders reassigned while the worker reads the old ones: it looks again, at once, not in a minute."""
    account = store(db, make_account(), now)
    claim = claim_one(db, now)
    with db.write() as tx:
        assert provisioning.look_again(tx, account.id, Lane.INTERACTIVE, now)
    finish(db, claim, now, outcome="held", due_at=now + timedelta(minutes=1), held_work_orders=(ORDER,))
    again = claim_one(db, now, Lane.INTERACTIVE)
    assert again.wanted_version == 1


@pytest.mark.req("H1")
def test_looking_again_never_makes_it_later(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """The earlier of two times counts, and nothing else is wanted of the account."""
    account = store(db, make_account(), now)
    with db.write() as tx:
        provisioning.look_again(tx, account.id, Lane.BULK, now + timedelta(hours=1))
    assert finish(db, claim_one(db, now), now)
    with db.write() as tx:
        provisioning.look_again(tx, account.id, Lane.BULK, now + timedelta(hours=1))
        provisioning.look_again(tx, account.id, Lane.BULK, now + timedelta(hours=2))
    assert claim_all(db, now + timedelta(minutes=59)) == ()
    assert claim_one(db, now + timedelta(hours=1)).wanted_version == 1


@pytest.mark.req("H3")
def test_a_click_is_not_put_behind_an_import(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """Work that waits in the interactive lane stays there when an import touches the account too."""
    account = store(db, make_account(), now, Lane.INTERACTIVE)
    with db.write() as tx:
        provisioning.mark_due(tx, account.id, Lane.BULK, now)
    finish(db, claim_one(db, now, Lane.INTERACTIVE), now)
    with db.write() as tx:
        provisioning.mark_due(tx, account.id, Lane.BULK, now)
    assert claim_one(db, now, Lane.BULK).wanted_version == 3


@pytest.mark.req("H2", "H3")
def test_quarantine_waits_for_a_person(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """Nobody claims it, a look does not lift it; a person's retry or a new wish does."""
    account = store(db, make_account(), now)
    finish(
        db,
        claim_one(db, now),
        now,
        outcome="quarantined",
        applied_version=None,
        quarantine=("conflict", "the name is taken"),
        attempts=1,
    )
    with db.write() as tx:
        provisioning.look_again(tx, account.id, Lane.BULK, now)
    assert claim_all(db, now) == ()
    with db.read() as tx:
        state = work_state.of_account(tx, account.id)
    assert state is not None
    assert state.quarantine == ("conflict", "the name is taken")
    with db.write() as tx:
        assert provisioning.lift_quarantine(tx, account.id, Lane.INTERACTIVE, now)
        assert not provisioning.lift_quarantine(tx, account.id, Lane.INTERACTIVE, now)
    assert claim_one(db, now, Lane.INTERACTIVE).attempts == 0


@pytest.mark.req("H3")
def test_the_timeline_does_not_fill_with_looks(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """Two weeks of a hold are one line until the work orders change; the first success of a version is a line."""
    account = store(db, make_account(), now)
    later = OpenWorkOrder("WO-2", "scheduled", "Contoso", None, ("crew",))
    for orders in ((ORDER,), (ORDER,), (ORDER,), (ORDER, later), (ORDER, later)):
        finish(db, claim_one(db, now), now, outcome="held", due_at=now, held_work_orders=orders)
    finish(db, claim_one(db, now), now, due_at=now, changes=("disable",))
    finish(db, claim_one(db, now), now, due_at=now)
    finish(db, claim_one(db, now), now, due_at=now, changes=("leave /fsm/x",))
    with db.write() as tx:
        provisioning.mark_due(tx, account.id, Lane.BULK, now)
    finish(db, claim_one(db, now), now)
    assert attempts_of(db, account) == [
        (1, "held"),
        (1, "held"),
        (1, "applied"),
        (1, "applied"),
        (2, "applied"),
    ]
    with db.read() as tx:
        details = [entry.details for entry in history.timeline(tx, account.id)]
    assert details[1] == ("2 open work orders: WO-1, WO-2",)


@pytest.mark.req("D4", "H2")
def test_a_failed_look_keeps_what_holds(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """FSM cannot be asked: the work orders of the last look stay shown; success clears them."""
    account = store(db, make_account(), now)
    finish(db, claim_one(db, now), now, outcome="held", due_at=now, held_work_orders=(ORDER,))
    finish(db, claim_one(db, now), now, outcome="retry", due_at=now, attempts=1, error="transient: no answer")
    with db.read() as tx:
        state = work_state.of_account(tx, account.id)
    assert state is not None
    assert (state.held_work_orders, state.attempts) == ((ORDER,), 1)
    finish(db, claim_one(db, now), now)
    with db.read() as tx:
        state = work_state.of_account(tx, account.id)
    assert state is not None
    assert state.held_work_orders == ()
    assert state.applied


@pytest.mark.req("A8", "G5")
def test_the_observation_is_kept_without_names(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """The state of the user comes back as it was seen; names and addresses are not stored a second time."""
    account = store(db, make_account(family_name="Rumpelstilz", email="r@example.com"), now)
    finish(db, claim_one(db, now), now, observed=seen(account))
    with db.read() as tx:
        observation = observations.last(tx, account.id)
        raw = tx.connection.execute(text("SELECT state FROM observation")).scalar_one()
    assert observation is not None
    assert observation.observed_at == now
    assert observation.lock == LockState(temporary=True, failures=5)
    assert observation.sessions == Sessions(online=2, offline_clients=frozenset({"mobile"}))
    assert observation.required_actions == {"UPDATE_PASSWORD"}
    assert "Rumpelstilz" not in str(raw)
    assert "example.com" not in str(raw)


@pytest.mark.req("H3")
def test_the_backlog_counts_what_waits_and_what_is_worked_on(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """Operators see count and age for each lane; the sweep sees which lanes to wake."""
    for minutes in (1, 9, 5):
        store(db, make_account(), now - timedelta(minutes=minutes))
    claim_all(db, now, limit=1)
    with db.read() as tx:
        bulk, interactive = work_state.backlog(tx, now)
        assert provisioning.due_lanes(tx, now) == (Lane.BULK,)
        assert set(provisioning.due_lanes(tx, now - timedelta(hours=1))) == set()
    assert (bulk.due, bulk.leased, bulk.oldest_due_at) == (2, 1, now - timedelta(minutes=5))
    assert (interactive.due, interactive.leased, interactive.oldest_due_at) == (0, 0, None)


def drain(db: Database, now: datetime, limit: int) -> list[str]:
    """Claim until nothing is left."""
    got: list[str] = []
    while claims := claim_all(db, now, limit=limit):
        assert len(claims) <= limit
        got.extend(claim.account.id for claim in claims)
    return got


@pytest.mark.req("H1", "H5")
def test_threads_never_share_a_claim(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """Six threads drain the lane at once: every account is claimed, each by one of them."""
    stored = {store(db, make_account(), now).id for _ in range(60)}
    drained: list[list[str]] = []
    threads = [threading.Thread(target=lambda: drained.append(drain(db, now, 3))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    claimed = [account_id for got in drained for account_id in got]
    assert len(drained) == 6
    assert sorted(claimed) == sorted(stored)


def drain_in_process(url: str, key: str, now: datetime, ready: object, answers: object) -> None:
    """What a worker process does in the test below."""
    db = Database(url, Sealer([key]))
    ready.wait(30)  # type: ignore[attr-defined]
    answers.put(drain(db, now, 3))  # type: ignore[attr-defined]


@pytest.mark.req("H1", "H5")
def test_processes_never_share_a_claim(
    db: Database, database_url: str, make_account: MakeAccount, now: datetime
) -> None:
    """The same with processes of their own, as workers on other machines are."""
    stored = {store(db, make_account(), now).id for _ in range(45)}
    context = multiprocessing.get_context("spawn")
    ready, answers = context.Barrier(3), context.Queue()
    key = Fernet.generate_key().decode()
    workers = [
        context.Process(target=drain_in_process, args=(database_url, key, now, ready, answers)) for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    claimed = [account_id for _ in workers for account_id in answers.get(timeout=60)]
    for worker in workers:
        worker.join(30)
    assert sorted(claimed) == sorted(stored)


@pytest.mark.req("H1")
def test_a_forked_process_gets_connections_of_its_own(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """Celery forks workers from a process that may have used the database: both go on working."""
    store(db, make_account(), now)
    store(db, make_account(), now)
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=lambda: answers.put([each.account.id for each in claim_all(db, now, limit=1)]))
    child.start()
    theirs = answers.get(timeout=30)
    child.join(30)
    ours = [each.account.id for each in claim_all(db, now)]
    assert len(theirs) == len(ours) == 1
    assert theirs != ours


MANY = 50_000


@pytest.mark.req("H4", "H5")
def test_a_claim_among_many_accounts_uses_the_index(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """With 50,000 accounts, all at rest but a few, the claim reads the index of due work, not the table."""
    with db.write() as tx:
        people = [make_account() for _ in range(MANY)]
        tx.connection.execute(insert(account_table), [to_row(each) for each in people])
        work = {"wanted_version": 1, "lane": "bulk", "asked": 1, "attempts": 0, "updated_at": now}
        tx.connection.execute(
            insert(provisioning_table),
            [
                work | {"account_id": each.id, "due_at": now if place % 1000 == 0 else None}
                for place, each in enumerate(people)
            ],
        )
    with db.write() as tx:
        tx.connection.execute(text("ANALYZE"))
        plan = explained(tx.connection, now)
    assert "ix_provisioning_claim" in plan
    assert "Seq Scan on provisioning" not in plan
    assert "SCAN provisioning" not in plan
    assert len(claim_all(db, now, limit=100)) == MANY // 1000


def explained(connection: Connection, now: datetime) -> str:
    """How the database carries out the very statement of `claim`."""
    caught: list[tuple[str, Any]] = []

    def catch(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        caught.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", catch)
    with connection.begin_nested() as savepoint:
        tx = Tx(connection, Sealer([Fernet.generate_key().decode()]), writing=True)
        provisioning.claim(tx, Lane.BULK, now, LEASE, 20)
        savepoint.rollback()
    event.remove(connection, "before_cursor_execute", catch)
    [(statement, parameters)] = [each for each in caught if each[0].startswith("WITH chosen")]
    prefix = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    cursor = connection.connection.cursor()
    cursor.execute(prefix + statement, parameters)
    return "\n".join(str(row) for row in cursor.fetchall())


@pytest.mark.req("F5")
def test_versions_of_a_whole_company_are_read(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """More accounts than one statement of either database takes parameters: an all-or-nothing run asks so."""
    account = store(db, make_account(), now)
    with db.read() as tx:
        found = work_state.wanted_versions(tx, [account.id, *(f"nobody-{number}" for number in range(70_000))])
    assert found == {account.id: 1}
