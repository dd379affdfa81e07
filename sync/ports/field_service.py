"""The FSM system: technicians and their work orders. Read for the gate, written only to stop or allow
assignments and to reassign (D1-D5).

Every method raises Transient when the FSM system cannot be asked: then nobody is deactivated (D2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sync.domain.deactivation.gate import OpenWorkOrder


@dataclass(frozen=True, slots=True)
class Technician:
    """A technician record of the workforce data (B2). `assignable` false: the FSM system refuses new work."""

    id: str
    name: str
    team: str | None
    assignable: bool


class FieldService(Protocol):
    def technicians(self) -> Sequence[Technician]:
        """All technician records, ordered by id."""
        ...

    def technician(self, technician_id: str) -> Technician | None:
        """None: there is no such technician record."""
        ...

    def open_work_orders(self, technician_id: str) -> Sequence[OpenWorkOrder]:
        """Every open work order the technician holds as lead, crew or appointment, ordered by number, each
        once, however many there are."""
        ...

    def stop_assignments(self, technician_id: str, stop_id: str) -> None:
        """From the return on the FSM system refuses to give this technician work (D3). Idempotent by `stop_id`,
        our id of who leaves: it is the same in every try, whatever worker makes it."""
        ...

    def allow_assignments(self, technician_id: str, stop_id: str) -> None:
        """Undo the `stop_assignments` of this id. Idempotent. A system that keeps each stop apart leaves those of
        others in force; one that keeps a mere switch turns it on."""
        ...

    def reassign(self, technician_id: str, to: str) -> Sequence[OpenWorkOrder]:
        """Move every open work order from one technician to another in one transaction (D5).

        Where the other one is on the work order already, the place is freed instead of doubled. Returns what
        was moved. Raises NeedsPerson if `to` does not exist or is not assignable; then nothing was moved.
        """
        ...
