"""With many accounts at rest, finding the few that have something to do reads no table from end to end (H5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from bench.plans import plans
from bench.population import NOW, fill
from sync.domain.access.scope import Scope
from sync.domain.work.circuit import CircuitName
from sync.domain.work.lane import Lane
from sync.jobs.schedule.run_jobs import JOBS
from sync.store import logins, schedule
from sync.store.accounts import passwords
from sync.store.accounts.listing import list_accounts
from sync.store.accounts.query import AccountQuery
from sync.store.database.transactions import Database, Tx
from sync.store.mail import outbox
from sync.store.operations import figures
from sync.store.provisioning import stuck
from sync.store.runs import runs
from sync.store.work import account_claims, circuits, lease_rows
from sync.store.work.lease_rows import Terms

pytestmark = pytest.mark.supports("H5")

ACCOUNTS = 20_000
DUE = 100
LEASE = timedelta(minutes=1)
BIG = ("account", "login_name", "provisioning", "observation", "login_activity", "attempt", "mail")

Query = Callable[[Tx], object]
"""What is run, and the index that has to appear in its plan: none where the table is small or found by its key. Of
two that fit mails PostgreSQL may take either while both are empty."""
QUERIES: dict[str, tuple[Query, str]] = {
    "claim": (lambda tx: account_claims.claim(tx, Lane.BULK, Terms(NOW), 20), "ix_provisioning_claim"),
    "claim looks": (lambda tx: account_claims.claim_looks(tx, Terms(NOW), 5), "ix_provisioning_look"),
    "claim in quarantine": (lambda tx: account_claims.claim_quarantined(tx, Terms(NOW), 20), ""),
    "take over": (lambda tx: lease_rows.take_over(tx, NOW, LEASE), "ix_provisioning_leased"),
    "sweep: lanes": (lambda tx: account_claims.due_lanes(tx, NOW), "ix_provisioning_claim"),
    "sweep: mails": (lambda tx: outbox.any_due(tx, NOW), "ix_mail_"),
    "sweep: expired mails": (lambda tx: outbox.expire(tx, NOW), "ix_mail_"),
    "sweep: passwords": (lambda tx: passwords.erase_expired(tx, NOW), ""),
    "sweep: runs": (lambda tx: runs.any_to_apply(tx, NOW), ""),
    "sweep: jobs": (lambda tx: schedule.any_due(tx, JOBS.keys(), NOW), ""),
    "claim a mail": (lambda tx: outbox.claim(tx, Terms(NOW), 1), "ix_mail_"),
    "claim a job": (lambda tx: schedule.claim(tx, JOBS.keys(), Terms(NOW)), ""),
    "lanes": (lambda tx: figures.lanes_of_accounts(tx, NOW), "ix_provisioning_claim"),
    "quarantine by reason": (stuck.quarantine_groups, "ix_provisioning_quarantine"),
    "quarantine": (stuck.quarantined, "ix_provisioning_quarantine"),
    "what waits": (stuck.waiting_groups, "ix_provisioning_waits"),
    "a circuit closes": (
        lambda tx: circuits._all_due(tx, CircuitName.KEYCLOAK, NOW),
        "ix_provisioning_waits",
    ),
    "a page of accounts": (lambda tx: list_accounts(tx, Scope.all(), AccountQuery()), "ix_account_username_key"),
    "quarantined accounts": (
        lambda tx: list_accounts(tx, Scope.all(), AccountQuery(quarantined=True)),
        "ix_provisioning_quarantine",
    ),
    "held accounts": (
        lambda tx: list_accounts(tx, Scope.all(), AccountQuery(held=True)),
        "ix_provisioning_held",
    ),
    "logins": (lambda tx: logins.of_users(tx, [f"{n:032d}" for n in range(9)]), ""),
}


def scanned(plan: str) -> set[str]:
    """The big tables that are read from end to end, without an index."""
    whole = re.findall(r"Seq Scan on (\w+)", plan) + re.findall(r"SCAN (\w+)(?! USING)", plan)
    return set(whole) & set(BIG)


@pytest.fixture
def years(db: Database, database_url: str) -> Database:
    """A database after years."""
    fill(database_url, ACCOUNTS, DUE)
    return db


def test_no_table_is_read_from_end_to_end(years: Database) -> None:
    """Each of these runs all the time, or while an operator looks; each uses the index made for it."""
    wrong = []
    for name, (query, index) in QUERIES.items():
        with years.write() as tx:
            with plans(tx) as found:
                query(tx)
            whole = "\n".join(found)
            if scanned(whole) or index not in whole:
                wrong.append(f"{name} (wanted {index}, scans {scanned(whole)}):\n{whole}")
            tx.connection.rollback()
    assert not wrong, "\n\n".join(wrong)


def test_only_the_few_are_found(years: Database) -> None:
    """All that are due and no other."""
    with years.write() as tx:
        assert len(account_claims.claim(tx, Lane.BULK, Terms(NOW), 1000)) == DUE
        assert figures.lanes_of_accounts(tx, NOW)[Lane.BULK][:2] == (0, DUE)
        assert sum(group.count for group in stuck.quarantine_groups(tx)) == ACCOUNTS // 1000
