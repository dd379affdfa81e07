"""Circuits that many workers share: one probe, no lost report, and accounts that wait come back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from sync.domain.accounts.account import Account
from sync.domain.errors import Transient
from sync.domain.work.circuit import FAILURES_TO_OPEN, PROBE_LIFE, Circuit, CircuitName, CircuitState
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.database.transactions import Database, Tx
from sync.store.provisioning import due, finishing, work_state
from sync.store.provisioning.finishing import Finished, Stuck
from sync.store.work import account_claims, circuits
from sync.store.work.circuits import Probe
from sync.store.work.lease_rows import Terms
from tests.callers import allowed, granted
from tests.store.conftest import MakeAccount

KEYCLOAK = CircuitName.KEYCLOAK


def fail(tx: Tx, now: datetime, name: CircuitName = KEYCLOAK, token: str | None = None) -> Circuit:
    return circuits.change(tx, name, lambda row: row.failed(Transient("away"), now, 0.0, token), now)


def opened(db: Database, now: datetime, name: CircuitName = KEYCLOAK) -> Circuit:
    for _ in range(FAILURES_TO_OPEN):
        with db.write() as tx:
            circuit = fail(tx, now, name)
    assert circuit.state is CircuitState.OPEN
    return circuit


def at_once(count: int, work: Callable[[], None]) -> None:
    together = threading.Barrier(count)

    def begin() -> None:
        together.wait(10)
        work()

    threads = [threading.Thread(target=begin) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


@pytest.mark.supports("H2")
def test_failures_reported_at_once_are_all_counted(db: Database, now: datetime) -> None:
    """The first ones too, when there is no row yet."""

    def report() -> None:
        with db.write() as tx:
            fail(tx, now)

    at_once(FAILURES_TO_OPEN, report)
    with db.read() as tx:
        assert circuits.get(tx, KEYCLOAK).state is CircuitState.OPEN
        assert [each.name for each in circuits.every(tx) if not each.closed] == [KEYCLOAK]


@pytest.mark.supports("H2")
def test_of_many_workers_one_probes(db: Database, now: datetime) -> None:
    """Nobody before the time; at it one; after a dead probe's time another one."""
    probe_at = opened(db, now).probe_at
    assert probe_at is not None
    probes: list[Probe | None] = []

    def begin() -> None:
        with db.write() as tx:
            probes.append(circuits.begin_probe(tx, KEYCLOAK, probe_at))

    with db.write() as tx:
        assert circuits.begin_probe(tx, KEYCLOAK, probe_at - timedelta(milliseconds=1)) is None
    at_once(5, begin)
    [sent] = [probe for probe in probes if probe is not None]
    later = probe_at + PROBE_LIFE
    with db.write() as tx:
        again = circuits.begin_probe(tx, KEYCLOAK, later)
        assert again is not None
        assert not circuits.change(tx, KEYCLOAK, lambda row: row.worked(sent.token), later).closed
        assert circuits.change(tx, KEYCLOAK, lambda row: row.worked(again.token), later).closed


@pytest.mark.supports("H2")
def test_a_person_can_ask_for_the_probe_now(db: Database, now: datetime) -> None:
    """Of an open circuit; a closed one has nothing to probe."""
    with db.write() as tx:
        assert not circuits.probe_soon(tx, allowed(), KEYCLOAK, now)
    opened(db, now)
    with db.write() as tx:
        assert circuits.probe_soon(tx, allowed(), KEYCLOAK, now)
        assert circuits.begin_probe(tx, KEYCLOAK, now) is not None


@pytest.mark.supports("H2")
def test_what_failed_on_the_way_gets_its_attempt_back_and_is_due_when_it_closes(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """All the attempts that this system cost it, and not an account that failed for a reason of its own."""
    once, twice, other = (make_account() for _ in range(3))
    for account, waits, times in ((once, KEYCLOAK, 1), (twice, KEYCLOAK, 2), (other, None, 1)):
        with db.write() as tx:
            accounts.insert(tx, granted(account))
            due.mark_due(tx, account.id, Lane.BULK, now)
        for time in range(1, times + 1):
            with db.write() as tx:
                [claim] = account_claims.claim(tx, Lane.BULK, Terms(now, lease=timedelta(seconds=60)), 1)
                finished = Finished(
                    outcome="retry",
                    applied_version=None,
                    due_at=now if time < times else now + timedelta(hours=1),
                    attempts=3 + time,
                    waits=Stuck(waits.value, "unreachable", "away") if waits else None,
                )
                assert finishing.finish(tx, claim, finished, now)
    circuit = opened(db, now)

    def state(account: Account) -> tuple[int, datetime | None]:
        with db.read() as tx:
            found = work_state.of_account(tx, account.id)
        assert found is not None
        return found.attempts, found.due_at

    hour = now + timedelta(hours=1)
    assert [state(each) for each in (once, twice, other)] == [(3, hour), (3, hour), (4, hour)]
    assert circuit.probe_at is not None
    with db.write() as tx:
        probe = circuits.begin_probe(tx, KEYCLOAK, circuit.probe_at)
        assert probe is not None
        circuits.change(tx, KEYCLOAK, lambda row: row.worked(probe.token), circuit.probe_at)
    assert [state(each)[1] for each in (once, other)] == [circuit.probe_at, hour]
