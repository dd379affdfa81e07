"""Whether the FSM system has a technician record: asked before anything is stored that names one (B2)."""

from __future__ import annotations

from sync.desk import Desk
from sync.domain.errors import NotFound, Problem
from sync.ports.field_service import Technician


def require_technician(desk: Desk, technician_id: str) -> Technician:
    """The technician record. Raises NotFound if the FSM system has none of that id, Transient if it cannot be
    asked."""
    technician = desk.field_service.technician(technician_id)
    if technician is None:
        raise NotFound(
            [Problem("technician", f"{technician_id!r} is not in the FSM system", "see technician list")]
        )
    return technician
