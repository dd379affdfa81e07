"""The FSM system over HTTP: the FieldService port on the contract of docs/field-service.md.

What counts as open and as held is asked with each question, by our work_orders.toml, and looked at again in the
answer. A list comes in pages that all show one moment; if that passes, it is begun again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from mappings.work_orders import ASSIGNMENTS, WorkOrderPolicy
from sync.adapters.fsm.http_asking import Asking, Params, Refusal, segment
from sync.adapters.fsm.http_shapes import (
    Item,
    MovedShape,
    Page,
    StopShape,
    TechnicianPage,
    TechnicianShape,
    WorkOrderPage,
    WorkOrderShape,
)
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.errors import Failure, FailureCode, NeedsPerson
from sync.ports.field_service import Technician

Answer = TypeVar("Answer")

BEGUN_AGAIN = 5
"""How often one list is begun before we wait: then the FSM system changes faster than it can be read."""

PAGES = 1000
"""Of one list; more are a loop that never names the same page twice."""

NO_TECHNICIAN = "technician-unknown"


class HttpFieldService:
    """Opens nothing before the first question, so one may be made before a fork.

    Every method raises Transient if the FSM system cannot be asked or its answer is not whole, Misconfigured if
    it refuses us or does not keep to the contract.
    """

    def __init__(self, url: str, token: str, policy: WorkOrderPolicy, *, timeout_seconds: float) -> None:
        """`timeout_seconds` bounds each request."""
        self._asking = Asking(url, token, timeout_seconds)
        self._policy = policy

    def check(self) -> None:
        """To be called at start: the list of technicians must be readable and keep to the contract."""
        self._told(lambda: self._asking.get("technicians", TechnicianPage))

    def technicians(self) -> Sequence[Technician]:
        def page(params: Params) -> TechnicianPage:
            return self._asking.get("technicians", TechnicianPage, params)

        found = self._told(lambda: self._list(page, lambda each: each.id))
        return tuple(each.technician() for each in sorted(found, key=lambda each: each.id))

    def technician(self, technician_id: str) -> Technician | None:
        found = self._known(lambda: self._asking.get(_of(technician_id), TechnicianShape))
        if found is None:
            return None
        self._about(found.id, technician_id)
        return found.technician()

    def open_work_orders(self, technician_id: str) -> Sequence[OpenWorkOrder]:
        counting = self._counting()

        def page(params: Params) -> WorkOrderPage:
            found = self._asking.get(f"{_of(technician_id)}/work-orders", WorkOrderPage, (*counting, *params))
            self._about(found.technician, technician_id)
            return found

        found = self._known(lambda: self._list(page, lambda each: each.number))
        return () if found is None else self._open(found)

    def stop_assignments(self, technician_id: str, stop_id: str) -> None:
        """A technician whom the FSM system does not know gets no work anyway."""
        stop = self._known(lambda: self._asking.put(_stop(technician_id, stop_id), StopShape))
        if stop is None:
            return
        self._stop_about(stop, technician_id, stop_id)
        if stop.assignable:
            raise self._asking.differs("a technician is still assignable after the stop")

    def allow_assignments(self, technician_id: str, stop_id: str) -> None:
        stop = self._known(lambda: self._asking.delete(_stop(technician_id, stop_id), StopShape))
        if stop is not None:
            self._stop_about(stop, technician_id, stop_id)

    def reassign(self, technician_id: str, to: str) -> Sequence[OpenWorkOrder]:
        if technician_id == to:
            raise NeedsPerson(
                f"technician {to} has these work orders already; name another one", code=FailureCode.VALUE_REFUSED
            )
        body = {
            "to": to,
            "closed_statuses": sorted(self._policy.closed_statuses),
            "holds": [way for way in ASSIGNMENTS if way in self._policy.assignments],
        }
        try:
            answer = self._asking.post(f"{_of(technician_id)}/work-orders/move", MovedShape, body)
        except Refusal as refusal:
            if (refusal.status, refusal.code) == (404, NO_TECHNICIAN):
                return ()
            raise self._not_moved(refusal, to) from None
        self._about(answer.technician, technician_id)
        self._about(answer.to, to)
        return self._open(answer.moved)

    def _list(self, page: Callable[[Params], Page[Item]], key: Callable[[Item], str]) -> list[Item]:
        for _ in range(BEGUN_AGAIN):
            found = self._pages(page)
            if found is not None:
                if len({key(each) for each in found}) != len(found):
                    raise self._asking.differs("one list names the same thing twice")
                return found
        raise self._asking.away("what it has changes while it is read")

    def _pages(self, page: Callable[[Params], Page[Item]]) -> list[Item] | None:
        """The items of all pages. None: a page shows another moment than the first."""
        first = each = page(())
        found, seen = list(first.items), set[str]()
        while each.next is not None:
            if each.next in seen or len(seen) == PAGES:
                raise self._asking.differs("its pages go round in a circle")
            seen.add(each.next)
            each = page((("page", each.next),))
            if (each.snapshot, each.total) != (first.snapshot, first.total):
                return None
            found.extend(each.items)
            if len(found) > first.total:
                raise self._asking.differs(f"more than the {first.total} items that a list should have")
        if len(found) != first.total:
            raise self._asking.away(f"it sends {len(found)} of {first.total} items of a list")
        return found

    def _counting(self) -> Params:
        return (
            *(("closed_status", status) for status in sorted(self._policy.closed_statuses)),
            *(("holds", way) for way in ASSIGNMENTS if way in self._policy.assignments),
        )

    def _open(self, found: Sequence[WorkOrderShape]) -> tuple[OpenWorkOrder, ...]:
        orders = (each.work_order(self._policy.assignments) for each in found)
        counted = (order for order in orders if order.holds and self._policy.is_open(order.status))
        return tuple(sorted(counted, key=lambda order: order.number))

    def _known(self, question: Callable[[], Answer]) -> Answer | None:
        """None: the FSM system itself says that there is no such technician."""
        try:
            return question()
        except Refusal as refusal:
            if (refusal.status, refusal.code) == (404, NO_TECHNICIAN):
                return None
            raise self._foreign(refusal) from None

    def _told(self, question: Callable[[], Answer]) -> Answer:
        try:
            return question()
        except Refusal as refusal:
            raise self._foreign(refusal) from None

    def _not_moved(self, refusal: Refusal, to: str) -> Failure:
        match refusal.code:
            case "target-unknown":
                return NeedsPerson(
                    f"there is no technician {to} in the FSM system; name another one",
                    code=FailureCode.TECHNICIAN_UNKNOWN,
                )
            case "target-unassignable":
                return NeedsPerson(
                    f"technician {to} cannot be given work; name another one",
                    code=FailureCode.TECHNICIAN_UNASSIGNABLE,
                )
            case "move-refused":
                return NeedsPerson(
                    f"the FSM system does not move these work orders to {to}; name another one",
                    code=FailureCode.VALUE_REFUSED,
                )
        return self._foreign(refusal)

    def _foreign(self, refusal: Refusal) -> Failure:
        return self._asking.differs(f"it refuses with {refusal.status}, code {refusal.code[:60]!r}")

    def _stop_about(self, stop: StopShape, technician_id: str, stop_id: str) -> None:
        self._about(stop.technician, technician_id)
        self._about(stop.stop, stop_id)

    def _about(self, named: str, asked: str) -> None:
        if named != asked:
            raise self._asking.differs(f"asked about {asked} it answers about another one")


def _of(technician_id: str) -> str:
    return f"technicians/{segment(technician_id)}"


def _stop(technician_id: str, stop_id: str) -> str:
    return f"{_of(technician_id)}/assignment-stops/{segment(stop_id)}"
