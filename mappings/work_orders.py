"""Which work orders count as open, as `work_orders.toml` says it (D1, D2)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkOrderPolicy:
    """A status that is not in `closed_statuses` is open, an unknown one included (D2).

    `assignments` are the ways in which a technician holds a work order: lead, crew, appointment.
    """

    closed_statuses: frozenset[str]
    assignments: frozenset[str]
    hold_deadline_days: int
    after_deadline: str
    """"person": a person decides; "force": access ends (D4)."""

    def is_open(self, status: str) -> bool:
        """Compare without regard to case and surrounding blanks."""
        return status.strip().casefold() not in self.closed_statuses
