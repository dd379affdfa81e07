"""When people logged in, as Keycloak's events said so, and what of it may have been missed (A9).

The reading of events is the only writer. Everybody else reads what is known of a user by its id in Keycloak.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from sync.domain.logins.activity import NOTHING, LoginActivity, LoginEvent, LoginKind, after
from sync.domain.logins.event_reading import Gap
from sync.domain.operations import RecentFailures
from sync.domain.work.claimed import ClaimedJob
from sync.store.database.batches import batches
from sync.store.database.tables import login_activity as activities
from sync.store.database.tables import login_failure as failures
from sync.store.database.tables import login_gap as gap_table
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert

COLUMNS = (
    activities.c.first_login_at,
    activities.c.last_login_at,
    activities.c.last_used_at,
    activities.c.failures,
    activities.c.last_failure_at,
)


def from_row(row: RowMapping) -> LoginActivity:
    """From a row with `COLUMNS`; all of them NULL where an outer join found nothing."""
    if row["failures"] is None:
        return NOTHING
    return LoginActivity(**{column.name: row[column.name] for column in COLUMNS})


def of_user(tx: Tx, idp_user_id: str | None) -> LoginActivity:
    """What is known of a user of Keycloak; nothing of one that is not there yet."""
    return NOTHING if idp_user_id is None else of_users(tx, [idp_user_id]).get(idp_user_id, NOTHING)


def of_users(tx: Tx, idp_user_ids: Collection[str]) -> Mapping[str, LoginActivity]:
    found: dict[str, LoginActivity] = {}
    for some in batches(idp_user_ids):
        query = select(activities.c.idp_user_id, *COLUMNS).where(activities.c.idp_user_id.in_(some))
        found.update((row["idp_user_id"], from_row(row)) for row in tx.connection.execute(query).mappings())
    return found


def take(tx: Tx, _claimed: ClaimedJob, events: Sequence[LoginEvent]) -> None:
    """Add what these events say. One that was taken before changes nothing. Whoever holds the job is the only
    reader."""
    of: dict[str, list[LoginEvent]] = defaultdict(list)
    for event in events:
        if event.idp_user_id is not None:
            of[event.idp_user_id].append(event)
    fresh = _keep_failures(tx, [event for some in of.values() for event in some])
    recent = _recent_failures(tx, of.keys())
    known = of_users(tx, of.keys())
    changed = {
        user: now
        for user, some in of.items()
        if (now := after(known.get(user, NOTHING), some, fresh.get(user, ()), recent.get(user, ())))
        != known.get(user, NOTHING)
    }
    _write(tx, activities, [{"idp_user_id": user, **asdict(changed[user])} for user in sorted(changed)])


def forget_failures(tx: Tx, _claimed: ClaimedJob, before: datetime) -> None:
    """They will not be read again, and nobody counts them as recent. What they added to the counts stays."""
    tx.connection.execute(delete(failures).where(failures.c.at < before))


def add_gap(tx: Tx, _claimed: ClaimedJob, gap: Gap) -> None:
    """A gap of the same beginning and reason goes on."""
    row = {"begins": gap.begins, "reason": gap.reason, "ends": gap.ends}
    tx.connection.execute(upsert(tx, gap_table, row, changes={"ends": gap.ends}))


def gaps(tx: Tx, since: datetime | None = None) -> tuple[Gap, ...]:
    """Those that were not over at that time, the oldest first."""
    query = select(gap_table).order_by(gap_table.c.begins, gap_table.c.reason)
    if since is not None:
        query = query.where(gap_table.c.ends > since)
    return tuple(Gap(row.begins, row.ends, row.reason) for row in tx.connection.execute(query))


def recent_failures(tx: Tx, since: datetime) -> RecentFailures:
    """Failed attempts of users since then; what was not read yet is not in it."""
    row = tx.connection.execute(
        select(func.count(), func.count(failures.c.idp_user_id.distinct())).where(failures.c.at >= since)
    ).one()
    return RecentFailures(*row)


def _keep_failures(tx: Tx, events: Iterable[LoginEvent]) -> Mapping[str, list[datetime]]:
    """The times of those that were not known, by user."""
    failed = {event.id: event for event in events if event.kind is LoginKind.FAILURE}
    for some in batches(failed.keys()):
        for known in tx.connection.scalars(select(failures.c.event_id).where(failures.c.event_id.in_(some))):
            del failed[known]
    fresh: dict[str, list[datetime]] = defaultdict(list)
    for event in failed.values():
        fresh[str(event.idp_user_id)].append(event.at)
    rows = [{"event_id": each.id, "idp_user_id": each.idp_user_id, "at": each.at} for each in failed.values()]
    _write(tx, failures, rows)
    return fresh


def _recent_failures(tx: Tx, users: Collection[str]) -> Mapping[str, list[datetime]]:
    recent: dict[str, list[datetime]] = defaultdict(list)
    for some in batches(users):
        query = select(failures.c.idp_user_id, failures.c.at).where(failures.c.idp_user_id.in_(some))
        for row in tx.connection.execute(query):
            recent[row.idp_user_id].append(row.at)
    return recent


def _write(tx: Tx, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert or replace, many at once."""
    if not rows:
        return
    insert = postgresql.insert(table) if tx.dialect == "postgresql" else sqlite.insert(table)
    key = list(table.primary_key.columns)
    changes = {column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key}
    tx.connection.execute(insert.on_conflict_do_update(index_elements=key, set_=changes), rows)
