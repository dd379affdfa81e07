"""A deactivation that has been asked for and not yet ended: who wants it, how the gate shall treat open work
orders, and which ones stand in its way. Commands open it, workers bring it to its end (D1-D4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sync.domain.access.cause import Cause
from sync.domain.deactivation.gate import GatePolicy, OpenWorkOrder


class DeactivationState(StrEnum):
    """REQUESTED and HELD are open; an account has at most one open deactivation."""

    REQUESTED = "requested"
    HELD = "held"
    COMPLETED = "completed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class OpenDeactivation:
    """`state` is REQUESTED or HELD. `by` is who asked for it and why.

    `deadline` ends a hold, None: no end; `after_deadline` is "person" or "force" (see `gate.decide`).
    `work_orders` are those the gate saw at the last look.
    """

    id: str
    account_id: str
    policy: GatePolicy
    state: DeactivationState
    requested_at: datetime
    by: Cause
    deadline: datetime | None = None
    after_deadline: str = "person"
    work_orders: tuple[OpenWorkOrder, ...] = ()
