"""`python -m bench claiming`: what claiming and sweeping cost with many accounts at rest, against few.

The same hundred are due in both. Rounds on the one and the other take turns in the same run, so that a busy
machine slows both alike. Needs no Keycloak.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from cryptography.fernet import Fernet
from sqlalchemy import text

from bench.keycloak import Place
from bench.plans import plans
from bench.population import NOW, fill
from bench.row import Row
from sync.devstack.ports import free_ports
from sync.devstack.process import end, launch, wait_until_ready
from sync.devstack.services import postgres
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import CLAIM_AT_ONCE
from sync.jobs.schedule.sweep import sweep
from sync.jobs.systems import Systems
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from sync.store.operations import figures
from sync.store.work import account_claims, lease_rows
from sync.store.work.lease_rows import Terms

MANY, FEW, DUE = 1_000_000, 1_000, 100
ROUNDS = 30
REACH = 2
SWEEP_AND_CLAIM = "sweep and claim"
DEMANDED = {SWEEP_AND_CLAIM, f"claim {DUE}", "sweep"}

SHARE = CLAIM_AT_ONCE[Lane.BULK]
PASSWORD = "bench"


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of one round (median) among few and among many accounts."""

    database: str
    what: str
    few: float
    many: float

    @property
    def ratio(self) -> float:
        return self.many / self.few


@dataclass(frozen=True, slots=True)
class Result:
    """`bytes_each`, `fill_seconds` and `indexes` (which sweep and claim use) are of the large database, by name of
    the engine."""

    accounts: int
    costs: tuple[Cost, ...]
    bytes_each: dict[str, float]
    fill_seconds: dict[str, float]
    indexes: dict[str, str]


class _Silent:
    """What a sweep needs of Systems beside the database: nobody is woken, time stands still, one gateway."""

    accounts = bulk_accounts = object()
    longest_request = timedelta(seconds=10)

    def __init__(self, db: Database) -> None:
        self.db = db
        self.clock = self
        self.wake = _NoWake()

    def accounts_for(self, lane: Lane) -> object:
        del lane
        return self.accounts

    def now(self) -> datetime:
        return NOW


class _NoWake:
    def wake(self, lane: Lane) -> None:
        del lane


def measure(accounts: int = MANY, rounds: int = ROUNDS) -> Result:
    """Both engines. A million accounts take minutes to make and several GB of disk."""
    costs: list[Cost] = []
    sizes: dict[str, float] = {}
    seconds: dict[str, float] = {}
    indexes: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="bench-claiming-") as folder, _cluster(Path(folder)) as address:
        engines: dict[str, Callable[[str], str]] = {
            "SQLite": lambda name: f"sqlite:///{folder}/{name}.db",
            "PostgreSQL": address,
        }
        for engine, url_of in engines.items():
            few, many = (_made(url_of(name), size) for name, size in (("few", FEW), ("many", accounts)))
            seconds[engine] = many[1]
            sizes[engine] = _size(many[0]) / accounts
            costs += _compared(engine, few[0], many[0], rounds)
            indexes[engine] = _indexes(many[0])
    return Result(accounts, tuple(costs), sizes, seconds, indexes)


def _made(url: str, accounts: int) -> tuple[Database, float]:
    schema.upgrade(url)
    begun = time.monotonic()
    fill(url, accounts, DUE)
    return Database(url, Sealer([Fernet.generate_key().decode()])), time.monotonic() - begun


def _compared(engine: str, few: Database, many: Database, rounds: int) -> Iterator[Cost]:
    acts: dict[str, Callable[[Database], object]] = {
        f"claim {DUE}": _claim_all,
        "sweep": _sweep,
        SWEEP_AND_CLAIM: _sweep_and_claim,
        "backlog for the metrics": _backlog,
    }
    for what, act in acts.items():
        taken: dict[int, list[float]] = {id(few): [], id(many): []}
        for number in range(rounds + 2):
            for db in (few, many):
                begun = time.perf_counter()
                act(db)
                if number >= 2:
                    taken[id(db)].append((time.perf_counter() - begun) * 1000)
                _give_back(db)
        yield Cost(engine, what, statistics.median(taken[id(few)]), statistics.median(taken[id(many)]))


def _claim_all(db: Database) -> None:
    got = 0
    while True:
        with db.write() as tx:
            claims = account_claims.claim(tx, Lane.BULK, Terms(NOW), SHARE)
        if not claims:
            break
        got += len(claims)
    if got != DUE:
        raise AssertionError(f"{got} were claimed instead of {DUE}")


def _sweep(db: Database) -> None:
    woken = sweep(cast(Systems, _Silent(db)))
    if Lane.BULK not in woken:
        raise AssertionError("the sweep did not see what is due")


def _sweep_and_claim(db: Database) -> None:
    _sweep(db)
    _claim_all(db)


def _indexes(db: Database) -> str:
    """Of what sweep and claim read, by EXPLAIN. Raises AssertionError if they read all accounts."""
    with db.write() as tx, plans(tx) as found:
        lease_rows.take_over(tx, NOW, timedelta(seconds=10))
        account_claims.due_lanes(tx, NOW)
        account_claims.claim(tx, Lane.BULK, Terms(NOW), SHARE)
    whole = [plan for plan in found if re.search(r"(Seq Scan on|SCAN) (provisioning|account)\b(?! USING)", plan)]
    if whole:
        raise AssertionError(f"all accounts are read: {whole[0]}")
    _give_back(db)
    return ", ".join(sorted(set(re.findall(r"\b(?:ix|pk|uq)_\w+", "\n".join(found)))))


def _backlog(db: Database) -> None:
    with db.read() as tx:
        figures.lanes_of_accounts(tx, NOW)


def _give_back(db: Database) -> None:
    with db.write() as tx:
        tx.connection.execute(
            text(
                "UPDATE provisioning SET lease_token = NULL, lease_until = NULL, held_by = NULL "
                "WHERE due_at IS NOT NULL AND quarantine_kind IS NULL"
            )
        )


def _size(db: Database) -> int:
    with db.read() as tx:
        if tx.dialect == "sqlite":
            pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            return int(pages) * int(tx.connection.exec_driver_sql("PRAGMA page_size").scalar_one())
        return int(tx.connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())


@contextmanager
def _cluster(folder: Path) -> Iterator[Callable[[str], str]]:
    folder.chmod(0o711)
    cluster = postgres.cluster_for(folder / "cluster")
    postgres.prepare(cluster, PASSWORD)
    [port] = free_ports(1)
    running = launch(postgres.postgres_launch(cluster, port, folder / "postgres.log"))
    try:
        wait_until_ready(running, lambda: postgres.postgres_answers(port, PASSWORD), seconds=30)

        def address(name: str) -> str:
            postgres.create_database(port, PASSWORD, name)
            return postgres.postgres_url(port, PASSWORD, name)

        yield address
    finally:
        end([running])


def report(place: Place, people: int) -> list[Row]:
    """Rows of the report. Neither Keycloak nor the size of an import matters here."""
    del place, people
    found = measure()
    rows = [
        Row(
            measure=f"{cost.what}, {found.accounts:,} accounts, {cost.database}",
            ours=f"{cost.many:.1f} ms",
            against=f"{cost.few:.1f} ms with {FEW:,} accounts",
            ratio=f"{cost.ratio:.2f} times",
            reach=f"≤ {REACH} times" if cost.what in DEMANDED else "",
            reached=cost.ratio <= REACH if cost.what in DEMANDED else None,
        )
        for cost in found.costs
    ]
    sizes = [
        Row(f"database bytes an account, {name}", f"{size:,.0f}", "", "")
        for name, size in found.bytes_each.items()
    ]
    used = [
        Row(f"indexes of sweep and claim by EXPLAIN, {name}", each, "", "") for name, each in found.indexes.items()
    ]
    return rows + sizes + used
