"""The last look at each user in Keycloak, kept without names and addresses, for status and drift."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from sync.domain.accounts.status import Observation
from sync.domain.provisioning.observed import LockState, Sessions
from sync.store.database.tables import observation as observations
from sync.store.database.transactions import Tx
from sync.store.database.upserts import upsert_all


def keep_all(tx: Tx, seen: Mapping[str, Observation]) -> None:
    """By account id; each replaces the look before."""
    upsert_all(
        tx,
        observations,
        [
            {"account_id": account_id, "observed_at": each.observed_at, "state": _state(each)}
            for account_id, each in sorted(seen.items())
        ],
    )


def forget(tx: Tx, account_id: str) -> None:
    """There is no user any more that anything could be known of."""
    tx.connection.execute(delete(observations).where(observations.c.account_id == account_id))


def last(tx: Tx, account_id: str) -> Observation | None:
    row = tx.connection.execute(
        select(observations.c.observed_at, observations.c.state).where(observations.c.account_id == account_id)
    ).one_or_none()
    return None if row is None else from_state(row.observed_at, row.state)


def locked_for_now(tx: Tx, account_ids: Collection[str]) -> frozenset[str]:
    """Those of these accounts whom the last look found locked out for a time."""
    seen = tx.connection.execute(
        select(observations.c.account_id, observations.c.state).where(
            observations.c.account_id.in_(sorted(account_ids))
        )
    )
    return frozenset(account_id for account_id, state in seen if state["lock"]["temporary"])


def from_state(observed_at: datetime, state: Mapping[str, Any]) -> Observation:
    sessions = state["sessions"]
    return Observation(
        observed_at=observed_at,
        enabled=state["enabled"],
        groups=frozenset(state["groups"]),
        roles=frozenset(state["roles"]),
        required_actions=frozenset(state["required_actions"]),
        lock=LockState(**state["lock"]),
        administers_realm=state["administers_realm"],
        sessions=sessions and Sessions(sessions["online"], frozenset(sessions["offline_clients"])),
    )


def _state(seen: Observation) -> dict[str, object]:
    return {
        "enabled": seen.enabled,
        "groups": sorted(seen.groups),
        "roles": sorted(seen.roles),
        "required_actions": sorted(seen.required_actions),
        "lock": {
            "temporary": seen.lock.temporary,
            "permanent": seen.lock.permanent,
            "failures": seen.lock.failures,
        },
        "administers_realm": seen.administers_realm,
        "sessions": seen.sessions
        and {"online": seen.sessions.online, "offline_clients": sorted(seen.sessions.offline_clients)},
    }
