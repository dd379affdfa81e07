"""What the FSM system may answer over HTTP, in every detail (docs/field-service.md).

Nothing is guessed and nothing unknown is passed over: an answer that is not exactly one of these is an error,
never "no open work orders".
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from mappings.work_orders import ASSIGNMENTS
from sync.adapters.fsm.holdings import NO_STATUS
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.ports.field_service import Technician

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Said = Annotated[str, StringConstraints(max_length=1000)]
Way = Literal["lead", "crew", "appointment"]
Item = TypeVar("Item", bound=BaseModel)


class Shape(BaseModel):
    """Each field is there, has its type as JSON says it, and there is no other."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class TechnicianShape(Shape):
    id: Name
    name: Said
    team: Said | None
    assignable: bool

    def technician(self) -> Technician:
        return Technician(self.id, self.name, self.team, assignable=self.assignable)


class WorkOrderShape(Shape):
    """`status` null: it has none, and so is open."""

    number: Name
    status: Said | None
    customer: Said
    date: dt.date | None
    holds: Annotated[list[Way], Field(min_length=1)]

    def work_order(self, counted: frozenset[str]) -> OpenWorkOrder:
        """As far as it is held in ways that are counted."""
        holds = tuple(way for way in ASSIGNMENTS if way in self.holds and way in counted)
        status = NO_STATUS if self.status is None else self.status
        return OpenWorkOrder(self.number, status, self.customer, self.date, holds)


class Page(Shape, Generic[Item]):
    """`snapshot` marks the moment that all pages show; `total` counts the items of all pages; `next` is what to
    ask for the next page, null after the last."""

    snapshot: Name
    total: Annotated[int, Field(ge=0)]
    items: list[Item]
    next: Name | None


class TechnicianPage(Page[TechnicianShape]):
    pass


class WorkOrderPage(Page[WorkOrderShape]):
    technician: Name


class StopShape(Shape):
    """`assignable` is what the technician is after the request, by all that the FSM system knows."""

    technician: Name
    stop: Name
    assignable: bool


class MovedShape(Shape):
    technician: Name
    to: Name
    moved: list[WorkOrderShape]


class ProblemShape(BaseModel):
    """Why the FSM system refuses, RFC 9457 and a code of the contract."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    code: Name
    detail: Said = ""
