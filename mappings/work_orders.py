"""Which work orders count as open, as `work_orders.toml` says it (D1, D2)."""

from __future__ import annotations

from dataclasses import dataclass

from mappings.files.reading import Document


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


ASSIGNMENTS = ("lead", "crew", "appointment")
"""The ways in which the FSM system knows a technician on a work order (D1)."""


def read(document: Document) -> WorkOrderPolicy:
    root = document.root
    closed = root.texts("closed_statuses")
    if not closed:
        root.report("closed_statuses", "must hold at least one status: nobody could ever be deactivated")
    assignments = root.choices("assignments", ASSIGNMENTS, "way to hold a work order")
    if not assignments:
        root.report("assignments", "must hold at least one: the gate would see no work order")
    return WorkOrderPolicy(
        closed_statuses=frozenset(status.casefold() for status in closed),
        assignments=frozenset(assignments),
        hold_deadline_days=root.integer("hold_deadline_days", 1, 365),
        after_deadline=root.choice("after_deadline", ("person", "force"), "way to go on after the deadline"),
    )
