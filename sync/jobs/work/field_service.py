"""The FSM system as workers ask it: left in peace while its circuit is open (H2, D2).

Only what asks the FSM system waits, each account for the probe; everything else goes on. A person's own question
at a door does not pass here: it is one request, and the person sees the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.errors import Failure, FailureCode, Transient
from sync.domain.work.circuit import Circuit, CircuitName
from sync.jobs.systems import Systems
from sync.jobs.work.circuits import admitted
from sync.ports.field_service import Technician
from sync.store.work import circuits

Answer = TypeVar("Answer")


class LeftInPeace(Transient):
    """The circuit is open: the FSM system was not asked."""

    code = FailureCode.NOT_ASKED

    def __init__(self, circuit: Circuit) -> None:
        super().__init__(f"the FSM system is not asked before it is well again: {circuit.reason}", system="fsm")


class WatchedFieldService:
    """What workers use of `sync.ports.field_service.FieldService`. Raises LeftInPeace while the circuit is open.

    One read of the circuit a question; nothing is written while the system works.
    """

    def __init__(self, systems: Systems) -> None:
        self._systems = systems
        self._real = systems.field_service

    def technician(self, technician_id: str) -> Technician | None:
        return self._asked(lambda: self._real.technician(technician_id))

    def open_work_orders(self, technician_id: str) -> Sequence[OpenWorkOrder]:
        return self._asked(lambda: self._real.open_work_orders(technician_id))

    def stop_assignments(self, technician_id: str, stop_id: str) -> None:
        self._asked(lambda: self._real.stop_assignments(technician_id, stop_id))

    def allow_assignments(self, technician_id: str, stop_id: str) -> None:
        self._asked(lambda: self._real.allow_assignments(technician_id, stop_id))

    def reassign(self, technician_id: str, to: str) -> Sequence[OpenWorkOrder]:
        return self._asked(lambda: self._real.reassign(technician_id, to))

    def _asked(self, question: Callable[[], Answer]) -> Answer:
        watch = admitted(self._systems, CircuitName.FSM)
        if watch is None:
            with self._systems.db.read() as tx:
                raise LeftInPeace(circuits.get(tx, CircuitName.FSM))
        try:
            answer = question()
        except Failure as failure:
            watch.report(failure)
            raise
        watch.report(None)
        return answer
