"""What has been asked for and not yet ended of what the work-order gate decides: a deactivation, or a change that
takes the technician from somebody who stays. Who wants it, how the gate shall treat open work orders, and which
ones stand in its way. Commands open it, workers bring it to its end (D1-D4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sync.domain.access.cause import Cause
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.change import AccountChange, stated_fields, with_attributes
from sync.domain.deactivation.gate import GatePolicy, OpenWorkOrder


class DeactivationState(StrEnum):
    """REQUESTED and HELD are open; an account has at most one open deactivation."""

    REQUESTED = "requested"
    HELD = "held"
    COMPLETED = "completed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class TechnicianChange:
    """A change that takes `technician_id`, or the field work as that technician, from a person who stays; None:
    not known, the change was wanted before anybody asked how the gate shall treat it. `changed`: field → (before,
    after), all that was asked for together, so that a refusal undoes all of it."""

    technician_id: str | None
    changed: Mapping[str, tuple[Any, Any]] = field(default_factory=dict, hash=False)

    def undone(self, account: Account) -> Account:
        """The account without the change; what somebody has changed again since stays as it is."""
        now = stated_fields(account)
        before = {name: was for name, (was, became) in self.changed.items() if now.get(name) == became}
        return AccountChange(**with_attributes(before)).applied_to(account)


@dataclass(frozen=True, slots=True)
class OpenDeactivation:
    """`state` is REQUESTED or HELD. `by` is who asked for it and why. `change` None: the person leaves.

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
    change: TechnicianChange | None = None

    @property
    def what(self) -> str:
        return "deactivation" if self.change is None else "change"

    def undone(self, account: Account) -> Account:
        """The account as it was before this was asked for."""
        return replace(account, life=Life.ACTIVE) if self.change is None else self.change.undone(account)
