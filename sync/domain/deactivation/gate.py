"""The work-order gate: nobody who still has open work orders loses access to them by accident (D1-D4).

Pure: the worker reads the work orders, this decides. Its yes is never stored as a pass; it is asked again at
every look (rule: ask-the-gate).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sync.domain.errors import FailureCode, NeedsPerson, Problem, Refused


@dataclass(frozen=True, slots=True)
class OpenWorkOrder:
    """A work order that is not closed. `holds` says how the technician has it: lead, crew, appointment."""

    number: str
    status: str
    customer: str
    date: date | None
    holds: tuple[str, ...]

    def __str__(self) -> str:
        when = self.date.isoformat() if self.date else "no date"
        return f"{self.number} ({self.status}, {self.customer}, {when}, as {' and '.join(self.holds)})"


class GatePolicy(StrEnum):
    """What happens while work orders are open to whatever takes the technician from somebody: a deactivation, an
    unlinking, a way out of field work (D4). The weakest first."""

    REFUSE = "refuse"
    HOLD = "hold"
    FORCE = "force"

    def is_stronger_than(self, other: GatePolicy) -> bool:
        """Only a stronger wish takes the place of one that waits."""
        strength = tuple(GatePolicy)
        return strength.index(self) > strength.index(other)


class GateVerdict(StrEnum):
    """PASS: nothing is open. FORCED: go on, the open work orders need a new technician."""

    PASS = "pass"  # noqa: S105 - a verdict
    REFUSED = "refused"
    HELD = "held"
    FORCED = "forced"


def decide(
    work_orders: Sequence[OpenWorkOrder],
    policy: GatePolicy,
    *,
    now: datetime,
    deadline: datetime | None = None,
    after_deadline: str = "person",
) -> GateVerdict:
    """D1, D4. A hold whose deadline has passed is forced if so configured, else it stays held for a person."""
    if not work_orders:
        return GateVerdict.PASS
    if policy is GatePolicy.FORCE:
        return GateVerdict.FORCED
    if policy is GatePolicy.REFUSE:
        return GateVerdict.REFUSED
    if deadline is not None and now >= deadline and after_deadline == "force":
        return GateVerdict.FORCED
    return GateVerdict.HELD


def refuse_unknown(technician_id: str, policy: GatePolicy) -> None:
    """Raises NeedsPerson for an account whose technician record the FSM system does not have, unless forced: work
    orders may be kept under another id, and nobody can stop new ones (D1, D3)."""
    if policy is not GatePolicy.FORCE:
        raise NeedsPerson(
            f"technician {technician_id} is not in the FSM system, so nobody knows whether work orders are open; "
            "restore the record or link the right one and try again, unlink it, or ask for the same by force",
            code=FailureCode.TECHNICIAN_UNKNOWN,
        )


class WorkOrdersOpen(Refused):
    """Refused because of open work orders; names every one of them (D1)."""

    def __init__(self, who: str, work_orders: Sequence[OpenWorkOrder]) -> None:
        self.work_orders = tuple(work_orders)
        count = len(self.work_orders)
        super().__init__(
            [
                Problem(
                    "technician",
                    f"{who} still has {count} open work order{'s' if count != 1 else ''}",
                    "reassign them first, or ask to hold the change until they are done",
                )
            ]
        )
