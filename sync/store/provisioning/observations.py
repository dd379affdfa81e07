"""The last look at each user in Keycloak, kept without names and addresses, for status and drift."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from sync.domain.accounts.status import Observation, keeping_lock
from sync.domain.provisioning.observed import LockState, Sessions
from sync.domain.work.claimed import ClaimedAccount
from sync.store.database.batches import batches
from sync.store.database.tables import observation as observations
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert_all


def keep_all(tx: Tx, seen: Mapping[ClaimedAccount, Observation]) -> None:
    """Each replaces the look before, but for a lockout that was not looked at."""
    before = _last_of(tx, [claimed.row for claimed, each in seen.items() if each.lock is None])
    kept = {
        claimed.row: keeping_lock(each, before[claimed.row]) if claimed.row in before else each
        for claimed, each in seen.items()
    }
    upsert_all(
        tx,
        observations,
        [
            {"account_id": account_id, "observed_at": each.observed_at, "state": _state(each)}
            for account_id, each in sorted(kept.items())
        ],
    )


def forget(tx: Tx, claimed: ClaimedAccount) -> None:
    """The account has no user any more that anything could be known of."""
    tx.connection.execute(delete(observations).where(observations.c.account_id == claimed.row))


def last(tx: Tx, account_id: str) -> Observation | None:
    return _last_of(tx, [account_id]).get(account_id)


def _last_of(tx: Tx, account_ids: Collection[str]) -> Mapping[str, Observation]:
    found: dict[str, Observation] = {}
    for some in batches(account_ids):
        rows = tx.connection.execute(select(observations).where(observations.c.account_id.in_(some)))
        found |= {row.account_id: from_state(row.observed_at, row.state) for row in rows}
    return found


def from_state(observed_at: datetime, state: Mapping[str, Any]) -> Observation:
    sessions = state["sessions"]
    return Observation(
        observed_at=observed_at,
        enabled=state["enabled"],
        groups=frozenset(state["groups"]),
        roles=frozenset(state["roles"]),
        required_actions=frozenset(state["required_actions"]),
        lock=state["lock"] and LockState(**state["lock"]),
        administers_realm=state["administers_realm"],
        sessions=sessions and Sessions(sessions["online"], frozenset(sessions["offline_clients"])),
    )


def _state(seen: Observation) -> dict[str, object]:
    return {
        "enabled": seen.enabled,
        "groups": sorted(seen.groups),
        "roles": sorted(seen.roles),
        "required_actions": sorted(seen.required_actions),
        "lock": seen.lock and asdict(seen.lock),
        "administers_realm": seen.administers_realm,
        "sessions": seen.sessions
        and {"online": seen.sessions.online, "offline_clients": sorted(seen.sessions.offline_clients)},
    }
