"""A circuit by a person's hand: probe now, leave the system alone for a while, let everything through (H2, H3).

By itself a circuit needs none of it. What a state means is `sync.domain.work.circuit`'s. Each act raises Refused
without a reason.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from mappings.policy import Policy
from sync.commands.access import authority
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.work.circuit import Circuit, CircuitName, CircuitState
from sync.store.audit import trail
from sync.store.database.transactions import Tx
from sync.store.work import circuits


def probe(tx: Tx, policy: Policy | None, name: CircuitName, by: Cause, now: datetime) -> bool:
    """The next account that is due is the probe. False: the circuit is closed, or a probe is on its way."""
    granted = authority.allow(tx, policy, by, Permission.PROBE_CIRCUIT, now)
    changed = circuits.probe_soon(tx, granted, name, now)
    if changed:
        _audit(tx, "circuit: probe now", name, by, now)
    return changed


def leave_alone(
    tx: Tx, policy: Policy | None, name: CircuitName, span: timedelta, by: Cause, now: datetime
) -> Circuit:
    """Ask nothing of the system for that long; then a probe decides."""
    granted = authority.allow(tx, policy, by, Permission.OPEN_CIRCUIT, now)

    def opened(circuit: Circuit) -> Circuit:
        return replace(
            circuit,
            state=CircuitState.OPEN,
            openings=max(1, circuit.openings),
            opened_at=circuit.opened_at or now,
            probe_at=now + span,
            probe_token=None,
            reason=f"opened by {by.name}: {by.reason}",
            kind="transient",
        )

    _audit(tx, "circuit: opened", name, by, now)
    return circuits.put(tx, granted, name, opened, now)


def close(tx: Tx, policy: Policy | None, name: CircuitName, by: Cause, now: datetime) -> Circuit:
    """Let everything through, untried; all that waited is due. The next failures open it again."""
    granted = authority.allow(tx, policy, by, Permission.CLOSE_CIRCUIT, now)
    _audit(tx, "circuit: closed", name, by, now)
    return circuits.put(tx, granted, name, lambda _: Circuit(name), now)


def _audit(tx: Tx, action: str, name: CircuitName, by: Cause, now: datetime) -> None:
    trail.audit(tx, account_id=None, action=action, changed={"circuit": (None, name)}, by=by, now=now)
