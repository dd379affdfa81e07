"""`ops status` answers the first question at night first, and says nothing that is over (H3, H6)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from sync.domain.errors import FailureCode, Transient
from sync.domain.provisioning.observed import LockState
from sync.domain.work.circuit import CircuitName
from sync.domain.work.lane import Lane
from sync.store import schedule
from sync.store.accounts import accounts
from sync.store.database.ids import new_id
from sync.store.database.tables import FOR_GOOD, login_failure, observation
from sync.store.database.tables import schedule as schedule_table
from sync.store.operations import heartbeats, troubles
from sync.store.operations.heartbeats import Worker
from sync.store.provisioning import due
from sync.store.work import circuits, processes
from sync.wiring import doors
from sync.wiring.doors import OperatorDesk
from tests.callers import granted
from tests.entrypoints.cli.conftest import Run
from tests.entrypoints.cli.operations.conftest import keycloak_said
from tests.people import an_account

pytestmark = [pytest.mark.req("H3", "H6"), pytest.mark.usefixtures("well")]

MINUTE = timedelta(minutes=1)


def lines(run: Run) -> list[str]:
    return run("status").stdout.splitlines()


def person(operations: OperatorDesk, username: str) -> str:
    now = operations.clock.now()
    account = an_account(f"{username}@example.com", id=new_id(now), username=username, created_at=now)
    with operations.db.write() as tx:
        accounts.insert(tx, granted(account))
    return account.id


def locked(operations: OperatorDesk, username: str, lock: LockState | None) -> None:
    """Somebody who was last seen with this lockout."""
    now, until = operations.clock.now(), None
    if lock is not None and (lock.permanent or lock.temporary):
        until = FOR_GOOD if lock.permanent else now + 10 * MINUTE
    state = {
        "enabled": True,
        "groups": [],
        "roles": [],
        "required_actions": [],
        "lock": None if lock is None else {"permanent": lock.permanent, "temporary": lock.temporary},
        "administers_realm": False,
        "sessions": None,
    }
    account_id = person(operations, username)
    with operations.db.write() as tx:
        row = {
            "account_id": account_id,
            "observed_at": now,
            "read_at": now,
            "locked_until": until,
            "state": state,
        }
        tx.connection.execute(insert(observation).values(row))


def test_the_first_lines_say_whether_people_can_log_in(run: Run, operations: OperatorDesk) -> None:
    """Keycloak and since when, who is locked out, what failed lately."""
    assert lines(run)[:3] == [
        "Keycloak: answers since 2026-03-02 06:00:00 UTC (3 h), asked 4 s ago",
        "Locked out: nobody, as last seen",
        "Failed logins: none in the last 10 minutes",
    ]
    locked(operations, "ann", LockState(temporary=True, failures=5))
    locked(operations, "ben", LockState(permanent=True))
    locked(operations, "cem", LockState(failures=2))
    locked(operations, "dana", None)
    now = operations.clock.now()
    rows = [(1, "u-1", 2), (2, "u-1", 3), (3, "u-2", 9), (4, "u-3", 11)]
    with operations.db.write() as tx:
        for number, user, ago in rows:
            row = {"event_id": f"e{number}", "idp_user_id": user, "at": now - ago * MINUTE}
            tx.connection.execute(insert(login_failure).values(row))
    assert lines(run)[1:3] == [
        "Locked out: 2 people, as last seen: 1 for a time, 1 for good",
        "Failed logins: 3 in the last 10 minutes, of 2 users",
    ]
    told = json.loads(run("status", "--json").output)["login"]
    assert (told["keycloak"]["reason"], told["locked_out"]) == (None, {"for_a_time": 1, "for_good": 1})


def test_a_keycloak_that_does_not_answer_is_the_first_that_is_wrong(run: Run, operations: OperatorDesk) -> None:
    """Before any work has met it, and before whatever else is wrong."""
    keycloak_said(operations, "no answer within 3 s", since=timedelta(seconds=28))
    with operations.db.write() as tx:
        troubles.note(tx, "realm", "the realm is not as the mapping files say", "apply it", operations.clock.now())
    done = run("status")
    assert done.exit_code == 1
    first, *_ = done.stdout.splitlines()
    assert first == "Keycloak: does not answer since 2026-03-02 08:59:32 UTC (28 s), asked 4 s ago"
    [what, *_] = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert what == "✗ nobody can log in: Keycloak does not answer (no answer within 3 s) (for 28 s)"
    assert "docs/operations.md, 'Nobody can log in'" in done.stdout


def test_an_old_answer_is_no_answer(run: Run, operations: OperatorDesk) -> None:
    """Whoever should ask is gone: then nobody knows, and that is wrong in itself."""
    keycloak_said(operations, None, ago=40 * timedelta(seconds=1))
    done = run("status")
    assert done.exit_code == 1
    assert done.stdout.startswith("Keycloak: not known whether it answers, asked 40 s ago")
    assert "nobody asks whether Keycloak answers" in done.stdout


def test_a_keycloak_that_answers_people_and_no_worker_is_told_so(run: Run, operations: OperatorDesk) -> None:
    """Its login page is there and its database is not, or our client's secret is wrong."""
    away = Transient("Keycloak answers HTTP 503", code=FailureCode.UNAVAILABLE, system="keycloak")
    now = operations.clock.now()
    with operations.db.write() as tx:
        for _ in range(3):
            circuits.change(tx, CircuitName.KEYCLOAK, lambda each: each.failed(away, now, 0.5), now)
    assert lines(run)[0].endswith(", but the workers cannot use it")


def test_a_keycloak_without_its_database_is_told_by_what_cannot_be_read(
    run: Run, operations: OperatorDesk
) -> None:
    """It answers the question from memory, and nobody's login; no account is due."""
    now = operations.clock.now()
    with operations.db.write() as tx:
        schedule.register(tx, ["login-events"], now + MINUTE)
        row = update(schedule_table).where(schedule_table.c.name == "login-events")
        tx.connection.execute(row.values(error_kind="transient", error="Keycloak answers HTTP 500", attempts=1))
    first, *_ = lines(run)
    assert first.endswith(", but the workers cannot use it")


def test_a_paused_lane_that_something_waits_for_comes_before_the_rest(run: Run, operations: OperatorDesk) -> None:
    """With how much waits; a pause that keeps nothing up stands further down."""
    run("pause", "mail", "--reason", "the mail server is moved")
    run("pause", "interactive", "--reason", "the realm is being moved")
    account_id = person(operations, "ann")
    with operations.db.write() as tx:
        due.mark_due(tx, account_id, Lane.INTERACTIVE, operations.clock.now())
        troubles.note(tx, "realm", "the realm is not as the mapping files say", "apply it", operations.clock.now())
    told = [each["what"].partition(":")[0] for each in json.loads(run("status", "--json").output)["troubles"]]
    assert [each.split(" by ")[0] for each in told] == [
        "interactive is paused",
        "the realm is not as the mapping files say",
        "mail is paused",
    ]
    assert "the realm is being moved; 1 due in it" in run("status").stdout


def test_what_was_noted_of_redis_is_over_when_redis_takes_wakes(run: Run, operations: OperatorDesk) -> None:
    """The page asks it itself, and says no more than that: a note waits for the next sweep."""
    with operations.db.write() as tx:
        note = "workers cannot be woken: the broker does not answer"
        troubles.note(tx, troubles.REDIS, note, "start it", operations.clock.now() - 9 * MINUTE)
    done = run("status")
    assert (done.exit_code, "woken" in done.stdout) == (0, False), done.stdout


@pytest.mark.parametrize(("ago", "asked_for"), [(2 * MINUTE, False), (20 * MINUTE, True)])
def test_without_redis_nobody_is_asked_to_start_workers_that_run(
    run: Run, operations: OperatorDesk, monkeypatch: pytest.MonkeyPatch, ago: timedelta, asked_for: bool
) -> None:
    """Their heartbeat waits for Redis as they do. One that was gone before it is still told."""

    def away(_url: str) -> None:
        raise Transient("Redis cannot be used: ConnectionError", code=FailureCode.UNREACHABLE, about="redis")

    monkeypatch.setattr(doors, "queue_depths", away)
    now = operations.clock.now()
    with operations.db.write() as tx:
        heartbeats.beat(tx, Worker("all@north", "north", 4711, tuple(sorted(Lane)), now - 60 * MINUTE, now - ago))
        processes.lives(tx, processes.beat_of("north"), "north", 4712, now - ago)
        note = "workers cannot be woken: the broker does not answer"
        troubles.note(tx, troubles.REDIS, note, "start it", now - 2 * MINUTE)
    done = run("status")
    assert done.exit_code == 1
    assert done.stdout.count("workers cannot be woken") == 1
    assert ("no worker serves the lane" in done.stdout) == asked_for
    assert ("fell silent" in done.stdout) == asked_for
    assert ("the beat does not tick" in done.stdout) == asked_for
    assert ("  gone  " in done.stdout) == asked_for


@pytest.mark.parametrize(("ago", "told"), [(timedelta(seconds=29), False), (timedelta(seconds=31), True)])
def test_a_beat_that_died_is_told_within_half_a_minute(
    run: Run, operations: OperatorDesk, ago: timedelta, told: bool
) -> None:
    """Nothing comes again by itself without it. One of several that ticks is enough."""
    now = operations.clock.now()
    with operations.db.write() as tx:
        processes.lives(tx, processes.beat_of("north"), "north", 4712, now - ago)
    assert ("the beat does not tick" in run("status").stdout) == told
    with operations.db.write() as tx:
        processes.lives(tx, processes.beat_of("south"), "south", 7, now)
    assert run("status").exit_code == 0


def test_a_worker_that_was_replaced_is_not_looked_for(run: Run, operations: OperatorDesk) -> None:
    """A container that was killed comes back under another name: its lanes are served again, and nothing is
    wrong."""
    now = operations.clock.now()
    before, after = now - 10 * MINUTE, now - 5 * MINUTE
    with operations.db.write() as tx:
        heartbeats.beat(tx, Worker("bulk@old", "old", 7, ("bulk",), now - 60 * MINUTE, before))
    assert "worker bulk@old fell silent" in run("status").stdout
    with operations.db.write() as tx:
        heartbeats.beat(tx, Worker("bulk@new", "new", 8, ("bulk",), after, now))
    assert run("status").exit_code == 0
