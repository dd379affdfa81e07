"""Many who claim at once, and many accounts to claim from."""

from __future__ import annotations

import multiprocessing
import threading
from datetime import datetime
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Connection, event, insert, text

from sync.domain.work.lane import Lane
from sync.store.accounts.rows import to_row
from sync.store.database.sealing import Sealer
from sync.store.database.tables import account as account_table
from sync.store.database.tables import provisioning as provisioning_table
from sync.store.database.transactions import Database, Tx
from sync.store.work import account_claims
from sync.store.work.lease_rows import Terms
from tests.store.claims import claim_all, store
from tests.store.conftest import MakeAccount


def drain(db: Database, now: datetime, limit: int) -> list[str]:
    """Claim until nothing is left."""
    got: list[str] = []
    while claims := claim_all(db, now, limit=limit):
        assert len(claims) <= limit
        got.extend(claim.account.id for claim in claims)
    return got


@pytest.mark.supports("H1", "H5")
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


@pytest.mark.supports("H1", "H5")
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


@pytest.mark.supports("H1")
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


@pytest.mark.supports("H4", "H5")
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
        account_claims.claim(tx, Lane.BULK, Terms(now), 20)
        savepoint.rollback()
    event.remove(connection, "before_cursor_execute", catch)
    [(statement, parameters)] = [each for each in caught if each[0].startswith("WITH chosen")]
    prefix = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    cursor = connection.connection.cursor()
    cursor.execute(prefix + statement, parameters)
    return "\n".join(str(row) for row in cursor.fetchall())
