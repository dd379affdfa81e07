"""The example FSM system over HTTP: the contract of docs/field-service.md on the example FSM database.

Run it as `python -m examples.fsm_server <SQLAlchemy URL> <port>` with the token in FSM_FIELD_SERVICE_TOKEN; with
`--openapi` instead it prints what docs/field-service.openapi.json holds.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Depends, FastAPI, Path, Query, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Engine, Row, delete, insert, select

from examples.fsm_database import ASSIGNMENT_STOP, TECHNICIAN, engine_for, is_stopped
from mappings import load
from mappings.work_orders import ASSIGNMENTS, WorkOrderPolicy
from sync.adapters.fsm.holdings import NO_STATUS, Holding, open_holdings
from sync.adapters.fsm.moving import move
from sync.adapters.fsm.tables import Tables, tables_of

BEARER = HTTPBearer(auto_error=False)
PAGE = 500
Way = Literal["lead", "crew", "appointment"]
Id = Annotated[str, Field(min_length=1, max_length=200)]
Item = TypeVar("Item", bound=BaseModel)


class Problem(BaseModel):
    """Why it was refused. Programs decide by `code`; `detail` is for people."""

    code: Literal[
        "token-refused",
        "technician-unknown",
        "target-unknown",
        "target-unassignable",
        "move-refused",
        "request-invalid",
    ]
    detail: str


class Technician(BaseModel):
    """`assignable` false: new work is refused, by the FSM system's own switch or by a stop."""

    id: Id
    name: str
    team: str | None
    assignable: bool


class WorkOrder(BaseModel):
    """`holds` says how the technician has it; `status` null counts as open."""

    number: Id
    status: str | None
    customer: str
    date: dt.date | None
    holds: list[Way]


class Page(BaseModel, Generic[Item]):
    """All pages of one list show one moment, whose mark is `snapshot`. Another mark means: begin again. `next`
    is the `page` to ask for next, null after the last; `total` counts the items of all pages."""

    snapshot: Id
    total: Annotated[int, Field(ge=0)]
    items: list[Item]
    next: Id | None


class TechnicianPage(Page[Technician]):
    """Ordered by id."""


class WorkOrderPage(Page[WorkOrder]):
    """The open work orders of one technician, ordered by number."""

    technician: Id


class Stop(BaseModel):
    """`assignable` is what the technician is after the request."""

    technician: Id
    stop: Id
    assignable: bool


class Move(BaseModel):
    """Which work orders: those that the technician holds in one of these ways and whose status is not one of
    these, whatever its case and surrounding blanks."""

    model_config = ConfigDict(extra="forbid")

    to: Id
    closed_statuses: list[str]
    holds: Annotated[list[Way], Field(min_length=1)]


class Moved(BaseModel):
    """`moved` are the work orders as the first technician held them."""

    technician: Id
    to: Id
    moved: list[WorkOrder]


class Refused(Exception):
    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.problem = {"code": code, "detail": detail}


TechnicianId = Annotated[str, Path(min_length=1, max_length=200)]
StopId = Annotated[str, Path(min_length=1, max_length=200)]
PageMark = Annotated[str | None, Query(max_length=200, description="`next` of the page before")]


class FieldService:
    """What the routes do, each in one transaction."""

    def __init__(self, engine: Engine, tables: Tables) -> None:
        self._engine = engine
        self._tables = tables

    def technicians(self, page: str | None) -> TechnicianPage:
        with self._engine.begin() as connection:
            rows = connection.execute(select(TECHNICIAN).order_by(TECHNICIAN.c.id)).all()
            stopped = set(connection.scalars(select(ASSIGNMENT_STOP.c.technician)))
        items = [_technician(row, stopped=row.id in stopped) for row in rows]
        return TechnicianPage(**_page(items, lambda each: each.id, page))

    def technician(self, technician: str) -> Technician:
        with self._engine.begin() as connection:
            return self._found(connection, technician)

    def open_work_orders(self, technician: str, policy: WorkOrderPolicy, page: str | None) -> WorkOrderPage:
        with self._engine.begin() as connection:
            self._found(connection, technician)
            holdings = open_holdings(connection, self._tables, policy, technician)
        items = [_work_order(holding) for holding in holdings]
        return WorkOrderPage(technician=technician, **_page(items, lambda each: each.number, page))

    def stop(self, technician: str, stop: str) -> Stop:
        """The technician's row is locked first, as by whoever gives work (`examples.fsm_database.assign`)."""
        with self._engine.begin() as connection:
            self._found(connection, technician, lock=True)
            row = {"technician": technician, "id": stop}
            if connection.execute(select(ASSIGNMENT_STOP).filter_by(**row)).first() is None:
                connection.execute(insert(ASSIGNMENT_STOP).values(row))
        return Stop(technician=technician, stop=stop, assignable=False)

    def release(self, technician: str, stop: str) -> Stop:
        with self._engine.begin() as connection:
            self._found(connection, technician, lock=True)
            mine = (ASSIGNMENT_STOP.c.technician == technician, ASSIGNMENT_STOP.c.id == stop)
            connection.execute(delete(ASSIGNMENT_STOP).where(*mine))
            after = self._found(connection, technician)
        return Stop(technician=technician, stop=stop, assignable=after.assignable)

    def move(self, technician: str, wanted: Move) -> Moved:
        if technician == wanted.to:
            raise Refused(409, "move-refused", f"{technician} has these work orders already")
        policy = _policy(wanted.closed_statuses, wanted.holds)
        with self._engine.begin() as connection:
            for each in sorted((technician, wanted.to)):
                self._locked(connection, each)
            self._found(connection, technician)
            self._refuse_target(connection, wanted.to)
            holdings = open_holdings(connection, self._tables, policy, technician)
            ids = [holding.id for holding in holdings]
            move(connection, self._tables, policy, ids, technician, wanted.to)
        return Moved(technician=technician, to=wanted.to, moved=[_work_order(each) for each in holdings])

    def _refuse_target(self, connection: Connection, to: str) -> None:
        row = self._locked(connection, to)
        if row is None:
            raise Refused(409, "target-unknown", f"there is no technician {to}")
        if not row.assignable or is_stopped(connection, to):
            raise Refused(409, "target-unassignable", f"{to} cannot be given work")

    def _found(self, connection: Connection, technician: str, *, lock: bool = False) -> Technician:
        query = select(TECHNICIAN).where(TECHNICIAN.c.id == technician)
        row = self._locked(connection, technician) if lock else connection.execute(query).one_or_none()
        if row is None:
            raise Refused(404, "technician-unknown", f"there is no technician {technician}")
        return _technician(row, stopped=is_stopped(connection, technician))

    def _locked(self, connection: Connection, technician: str) -> Row[Any] | None:
        query = select(TECHNICIAN).where(TECHNICIAN.c.id == technician).with_for_update()
        return connection.execute(query).one_or_none()


def create_app(url: str, token: str) -> FastAPI:
    """The FSM system on the example database at `url`; whoever asks must carry `token`."""
    service = FieldService(engine_for(url), tables_of(load().field_service))

    def checked(carried: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]) -> None:
        if carried is None or not secrets.compare_digest(carried.credentials.encode(), token.encode()):
            raise Refused(401, "token-refused", "the token is missing or wrong")

    app = FastAPI(
        title="Field service for fsm-identity",
        version="1",
        description="What fsm-identity asks of an FSM system; docs/field-service.md says what it counts on.",
        dependencies=[Depends(checked)],
        responses={401: _problem("the token is missing or wrong"), 422: _problem("the request is not valid")},
    )

    def refused(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Refused)  # noqa: S101 - it is registered for this class
        return JSONResponse(error.problem, error.status, media_type="application/problem+json")

    def invalid(_request: Request, _error: Exception) -> JSONResponse:
        problem = {"code": "request-invalid", "detail": "the request does not keep to the contract"}
        return JSONResponse(problem, 422, media_type="application/problem+json")

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    _routes(app, service)
    return app


def _routes(app: FastAPI, service: FieldService) -> None:
    unknown: dict[int | str, dict[str, Any]] = {404: _problem("technician-unknown: there is no such record")}
    refused = {**unknown, 409: _problem("target-unknown, target-unassignable or move-refused: nothing was moved")}

    @app.get("/technicians", summary="All technician records, in pages")
    def technicians(page: PageMark = None) -> TechnicianPage:
        return service.technicians(page)

    @app.get("/technicians/{technician}", summary="One technician record", responses=unknown)
    def technician(technician: TechnicianId) -> Technician:
        return service.technician(technician)

    @app.get(
        "/technicians/{technician}/work-orders",
        summary="Every open work order the technician holds, in pages",
        responses=unknown,
    )
    def work_orders(
        technician: TechnicianId,
        closed_status: Annotated[list[str], Query(description="what is closed; all else is open")],
        holds: Annotated[list[Way], Query(description="the ways of holding that count")],
        page: PageMark = None,
    ) -> WorkOrderPage:
        return service.open_work_orders(technician, _policy(closed_status, holds), page)

    @app.put(
        "/technicians/{technician}/assignment-stops/{stop}",
        summary="Give the technician no work from the answer on; again is as good as once",
        responses=unknown,
    )
    def stop(technician: TechnicianId, stop: StopId) -> Stop:
        return service.stop(technician, stop)

    @app.delete(
        "/technicians/{technician}/assignment-stops/{stop}",
        summary="Undo this stop; others stay in force; again is as good as once",
        responses=unknown,
    )
    def release(technician: TechnicianId, stop: StopId) -> Stop:
        return service.release(technician, stop)

    @app.post(
        "/technicians/{technician}/work-orders/move",
        summary="Move every open work order to another technician in one transaction",
        responses=refused,
    )
    def move_work_orders(technician: TechnicianId, wanted: Move) -> Moved:
        return service.move(technician, wanted)


def _problem(description: str) -> dict[str, Any]:
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"model": Problem, "description": description, "content": {"application/problem+json": schema}}


def _page(items: Sequence[Item], key: Callable[[Item], str], page: str | None) -> dict[str, Any]:
    """The items after the one that `page` names. The mark is made of all of them, so it changes when any does."""
    mark = hashlib.sha256("\n".join(item.model_dump_json() for item in items).encode()).hexdigest()
    after = [item for item in items if page is None or key(item) > page]
    rest = len(after) > PAGE
    return {
        "snapshot": mark,
        "total": len(items),
        "items": after[:PAGE],
        "next": key(after[PAGE - 1]) if rest else None,
    }


def _policy(closed: Sequence[str], holds: Sequence[str]) -> WorkOrderPolicy:
    closed_statuses = frozenset(status.strip().casefold() for status in closed)
    return WorkOrderPolicy(closed_statuses, frozenset(holds), hold_deadline_days=1, after_deadline="person")


def _technician(row: Row[Any], *, stopped: bool) -> Technician:
    return Technician(id=row.id, name=row.name, team=row.team, assignable=row.assignable and not stopped)


def _work_order(holding: Holding) -> WorkOrder:
    order = holding.work_order
    return WorkOrder(
        number=order.number,
        status=None if order.status == NO_STATUS else order.status,
        customer=order.customer,
        date=order.date,
        holds=[way for way in ASSIGNMENTS if way in order.holds],
    )


def main(arguments: Sequence[str]) -> None:
    if list(arguments) == ["--openapi"]:
        sys.stdout.write(openapi())
        return
    import uvicorn

    url, port = arguments
    uvicorn.run(create_app(url, os.environ["FSM_FIELD_SERVICE_TOKEN"]), host="127.0.0.1", port=int(port))


def openapi() -> str:
    """The contract as docs/field-service.openapi.json holds it."""
    app = create_app("sqlite:///none.db", "none")
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
