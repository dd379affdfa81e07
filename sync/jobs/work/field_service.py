"""The FSM system as workers ask it: left in peace while its circuit is open (H2, D2).

Only what asks the FSM system waits, each account for the probe; everything else goes on. A person's own question
at a door does not pass here: it is one request, and the person sees the answer.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.errors import Failure, FailureCode, Transient
from sync.domain.work.circuit import Admission, Circuit, CircuitName
from sync.jobs.systems import Systems
from sync.jobs.work.circuits import log_change
from sync.ports.field_service import Technician
from sync.store.work import circuits
from sync.store.work.circuits import Probe

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
        self._site = systems
        self._real = systems.field_service

    def technician(self, technician_id: str) -> Technician | None:
        return self._asked(lambda: self._real.technician(technician_id))

    def open_work_orders(self, technician_id: str) -> Sequence[OpenWorkOrder]:
        return self._asked(lambda: self._real.open_work_orders(technician_id))

    def stop_assignments(self, technician_id: str) -> None:
        self._asked(lambda: self._real.stop_assignments(technician_id))

    def allow_assignments(self, technician_id: str) -> None:
        self._asked(lambda: self._real.allow_assignments(technician_id))

    def reassign(self, technician_id: str, to: str) -> Sequence[OpenWorkOrder]:
        return self._asked(lambda: self._real.reassign(technician_id, to))

    def _asked(self, question: Callable[[], Answer]) -> Answer:
        circuit, probe = self._admitted()
        try:
            answer = question()
        except Failure as failure:
            if failure.system == "fsm":
                now, chance = self._site.clock.now(), random.random()  # noqa: S311 - jitter
                token = probe.token if probe is not None else None
                failed = failure
                self._report(circuit, lambda row: row.failed(failed, now, chance, token))
            elif probe is not None:
                self._report(circuit, lambda row: row.worked(probe.token))
            raise
        if probe is not None or circuit.failures:
            token = probe.token if probe is not None else None
            self._report(circuit, lambda row: row.worked(token))
        return answer

    def _admitted(self) -> tuple[Circuit, Probe | None]:
        now = self._site.clock.now()
        with self._site.db.read() as tx:
            circuit = circuits.get(tx, CircuitName.FSM)
        if circuit.admits(now) is Admission.PASS:
            return circuit, None
        probe = None
        if circuit.admits(now) is Admission.PROBE:
            with self._site.db.write() as tx:
                probe = circuits.begin_probe(tx, CircuitName.FSM, now)
        if probe is None:
            raise LeftInPeace(circuit)
        return circuit, probe

    def _report(self, before: Circuit, to: Callable[[Circuit], Circuit]) -> None:
        with self._site.db.write() as tx:
            after = circuits.change(tx, CircuitName.FSM, to, self._site.clock.now())
        log_change(before, after)
