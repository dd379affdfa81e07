"""The FSM system in memory: technicians and work orders, for tests of what asks it.

The contract suite in tests/contract holds it to what the SQL adapter does on real databases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from mappings.work_orders import ASSIGNMENTS, WorkOrderPolicy
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.errors import FailureCode, NeedsPerson, Transient
from sync.ports.field_service import Technician
from sync.ports.lease import before_request


@dataclass(frozen=True)
class WorkOrder:
    """A work order as the FSM system keeps it. `appointments` are the visits: who and when."""

    number: str
    status: str | None = "scheduled"
    customer: str = "Klinikum Nordpark"
    date: date | None = None
    lead: str | None = None
    crew: frozenset[str] = frozenset()
    appointments: tuple[tuple[str, datetime], ...] = ()

    def held_as(self, technician_id: str) -> tuple[str, ...]:
        """The ways in which the technician has it, counted or not."""
        ways = {
            "lead": self.lead == technician_id,
            "crew": technician_id in self.crew,
            "appointment": any(who == technician_id for who, _ in self.appointments),
        }
        return tuple(way for way in ASSIGNMENTS if ways[way])


class FakeFieldService:
    """`down` makes every call raise Transient, as a database that cannot be reached does; `asked` counts all
    calls."""

    def __init__(
        self,
        policy: WorkOrderPolicy,
        technicians: Iterable[Technician] = (),
        work_orders: Iterable[WorkOrder] = (),
    ) -> None:
        self.down = False
        self.asked = 0
        self._policy = policy
        self._technicians = {technician.id: technician for technician in technicians}
        self._work_orders = {order.number: order for order in work_orders}

    def add(self, *records: Technician | WorkOrder) -> None:
        """Put records in, in place of those with the same id or number."""
        for record in records:
            if isinstance(record, Technician):
                self._technicians[record.id] = record
            else:
                self._work_orders[record.number] = record

    def remove(self, technician_id: str) -> None:
        """Take a technician record out; work orders under its id stay."""
        del self._technicians[technician_id]

    def assign(self, number: str, technician_id: str) -> bool:
        """What the FSM system's own people do: make a technician the lead. False: refused, not assignable."""
        if not self._technicians[technician_id].assignable:
            return False
        self._work_orders[number] = replace(self._work_orders[number], lead=technician_id)
        return True

    def technicians(self) -> Sequence[Technician]:
        self._answer()
        return tuple(self._technicians[key] for key in sorted(self._technicians))

    def technician(self, technician_id: str) -> Technician | None:
        self._answer()
        return self._technicians.get(technician_id)

    def open_work_orders(self, technician_id: str) -> Sequence[OpenWorkOrder]:
        self._answer()
        found = []
        for number in sorted(self._work_orders):
            order = self._work_orders[number]
            holds = tuple(way for way in order.held_as(technician_id) if way in self._policy.assignments)
            status = "no status" if order.status is None else order.status
            if holds and self._policy.is_open(status):
                found.append(OpenWorkOrder(number, status, order.customer, order.date, holds))
        return tuple(found)

    def stop_assignments(self, technician_id: str, stop_id: str) -> None:
        self._set_assignable(technician_id, assignable=False)

    def allow_assignments(self, technician_id: str, stop_id: str) -> None:
        self._set_assignable(technician_id, assignable=True)

    def reassign(self, technician_id: str, to: str) -> Sequence[OpenWorkOrder]:
        self._answer()
        target = self._technicians.get(to)
        told = f"technician {to} cannot take over these work orders; name another one"
        if to == technician_id:
            raise NeedsPerson(told, code=FailureCode.VALUE_REFUSED)
        if target is None:
            raise NeedsPerson(told, code=FailureCode.TECHNICIAN_UNKNOWN)
        if not target.assignable:
            raise NeedsPerson(told, code=FailureCode.TECHNICIAN_UNASSIGNABLE)
        moved = self.open_work_orders(technician_id)
        for order in moved:
            self._work_orders[order.number] = self._moved(self._work_orders[order.number], technician_id, to)
        return moved

    def _moved(self, order: WorkOrder, source: str, to: str) -> WorkOrder:
        if "lead" in self._policy.assignments and order.lead == source:
            order = replace(order, lead=to, crew=order.crew - {source, to})
        if "crew" in self._policy.assignments and source in order.crew:
            order = replace(order, crew=(order.crew - {source}) | ({to} if order.lead != to else set()))
        if "appointment" in self._policy.assignments:
            visits = dict.fromkeys((to if who == source else who, when) for who, when in order.appointments)
            order = replace(order, appointments=tuple(visits))
        return order

    def _set_assignable(self, technician_id: str, *, assignable: bool) -> None:
        self._answer()
        if technician_id in self._technicians:
            self._technicians[technician_id] = replace(self._technicians[technician_id], assignable=assignable)

    def _answer(self) -> None:
        before_request()
        self.asked += 1
        if self.down:
            raise Transient(
                "the FSM system cannot be asked just now", system="fsm", code=FailureCode.UNREACHABLE, about="fsm"
            )
