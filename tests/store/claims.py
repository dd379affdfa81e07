"""Claiming and finishing, for the tests of the work on accounts."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from sync.domain.accounts.account import Account
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.provisioning.observed import LockState, Observed, Sessions
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.database.tables import attempt as attempt_table
from sync.store.database.transactions import Database
from sync.store.provisioning import due, finishing
from sync.store.provisioning.finishing import Finished
from sync.store.work import account_claims, lease_rows
from sync.store.work.account_claims import Claim
from sync.store.work.lease_rows import Terms
from tests.callers import granted

LEASE = timedelta(seconds=60)


ORDER = OpenWorkOrder("WO-1", "scheduled", "Contoso", None, ("lead",))


def store(db: Database, account: Account, now: datetime, lane: Lane = Lane.BULK) -> Account:
    """An account that is due."""
    with db.write() as tx:
        accounts.insert(tx, granted(account))
        due.mark_due(tx, account.id, lane, now)
    return account


def claim_all(db: Database, now: datetime, lane: Lane = Lane.BULK, limit: int = 50) -> tuple[Claim, ...]:
    """After a take-over, as the sweep does it; a request takes no time here."""
    with db.write() as tx:
        lease_rows.take_over(tx, now, timedelta())
        return account_claims.claim(tx, lane, Terms(now), limit)


def claim_one(db: Database, now: datetime, lane: Lane = Lane.BULK) -> Claim:
    (claim,) = claim_all(db, now, lane)
    return claim


def finish(db: Database, claim: Claim, now: datetime, **given: object) -> bool:
    values: dict[str, object] = {
        "outcome": "applied",
        "applied_version": claim.wanted_version,
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
