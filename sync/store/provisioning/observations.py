"""The last look at each user in Keycloak, kept without names and addresses, for status and drift."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, delete, select, update

from sync.domain.accounts.status import Observation, keeping_lock
from sync.domain.provisioning.observed import LockState, Sessions
from sync.domain.work.claimed import ClaimedAccount, ClaimedJob
from sync.store.database.batches import batches
from sync.store.database.tables import FOR_GOOD
from sync.store.database.tables import observation as observations
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert_all

_OF_LOCK = tuple(each.name for each in fields(LockState) if each.name != "until")
COLUMNS = (observations.c.observed_at, observations.c.read_at, observations.c.locked_until, observations.c.state)


def keep_all(tx: Tx, seen: Mapping[ClaimedAccount, Observation]) -> None:
    """Each replaces what was known before, but for a lockout that was not looked at."""
    before = _last_of(tx, [claimed.row for claimed, each in seen.items() if each.lock is None])
    kept = {
        claimed.row: keeping_lock(each, before[claimed.row]) if claimed.row in before else each
        for claimed, each in seen.items()
    }
    upsert_all(
        tx,
        observations,
        [
            {
                "account_id": account_id,
                "observed_at": each.observed_at,
                "read_at": None if each.as_sent else each.observed_at,
                "locked_until": _locked_until(each.lock),
                "state": _state(each),
            }
            for account_id, each in sorted(kept.items())
        ],
    )


def confirm(tx: Tx, _claimed: ClaimedJob, account_ids: Collection[str], began_at: datetime) -> None:
    """A comparison that began then saw these as wanted: what is known of them as sent before is read now."""
    for some in batches(account_ids):
        tx.connection.execute(
            update(observations)
            .where(
                observations.c.account_id.in_(some),
                observations.c.read_at.is_(None),
                observations.c.observed_at < began_at,
            )
            .values(observed_at=began_at, read_at=began_at)
        )


def any_as_sent(tx: Tx) -> bool:
    """True while of some account only what was sent is known."""
    query = select(observations.c.account_id).where(observations.c.read_at.is_(None)).limit(1)
    return tx.connection.scalar(query) is not None


def forget(tx: Tx, claimed: ClaimedAccount) -> None:
    """The account has no user any more that anything could be known of."""
    tx.connection.execute(delete(observations).where(observations.c.account_id == claimed.row))


def last(tx: Tx, account_id: str) -> Observation | None:
    return _last_of(tx, [account_id]).get(account_id)


def seen_at(tx: Tx, account_ids: Collection[str]) -> Mapping[str, datetime]:
    """When each of these was last looked at; whoever never was is not in it."""
    found: dict[str, datetime] = {}
    for some in batches(account_ids):
        rows = tx.connection.execute(
            select(observations.c.account_id, observations.c.observed_at).where(
                observations.c.account_id.in_(some)
            )
        )
        found |= {row.account_id: row.observed_at for row in rows}
    return found


def _last_of(tx: Tx, account_ids: Collection[str]) -> Mapping[str, Observation]:
    found: dict[str, Observation] = {}
    for some in batches(account_ids):
        rows = tx.connection.execute(select(observations).where(observations.c.account_id.in_(some)))
        found |= {row.account_id: from_row(row._mapping) for row in rows}
    return found


def from_row(row: RowMapping) -> Observation:
    """From a row with `COLUMNS`."""
    state = row["state"]
    sessions = state["sessions"]
    return Observation(
        observed_at=row["observed_at"],
        enabled=state["enabled"],
        groups=frozenset(state["groups"]),
        roles=frozenset(state["roles"]),
        required_actions=frozenset(state["required_actions"]),
        lock=state["lock"] and _lock(state["lock"], row["locked_until"]),
        administers_realm=state["administers_realm"],
        sessions=sessions and Sessions(sessions["online"], frozenset(sessions["offline_clients"])),
        as_sent=row["read_at"] is None,
    )


def _lock(state: Mapping[str, Any], until: datetime | None) -> LockState:
    return LockState(**state, until=until if state["temporary"] else None)


def _locked_until(lock: LockState | None) -> datetime | None:
    if lock is None:
        return None
    return FOR_GOOD if lock.permanent else lock.until


def _state(seen: Observation) -> dict[str, object]:
    return {
        "enabled": seen.enabled,
        "groups": sorted(seen.groups),
        "roles": sorted(seen.roles),
        "required_actions": sorted(seen.required_actions),
        "lock": seen.lock and {name: getattr(seen.lock, name) for name in _OF_LOCK},
        "administers_realm": seen.administers_realm,
        "sessions": seen.sessions
        and {"online": seen.sessions.online, "offline_clients": sorted(seen.sessions.offline_clients)},
    }
