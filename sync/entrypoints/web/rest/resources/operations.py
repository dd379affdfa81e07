"""/operations: whether everything runs, and what an operator does when it does not (H2, H3).

For whoever has the feature `operations` and sees the whole company, with or without administering accounts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, model_validator

from sync.commands import mail
from sync.commands.operations import circuits, lanes, quarantine
from sync.commands.perform import perform
from sync.commands.waking import wake
from sync.desk import Desk
from sync.domain.access.admission import Admitted
from sync.domain.access.cause import Cause
from sync.domain.access.scope import Scope
from sync.domain.errors import NotAllowed, Problem, Refused
from sync.domain.work.circuit import CircuitName, CircuitState
from sync.domain.work.lane import Lane
from sync.entrypoints.web.rest.because import Because, cause
from sync.entrypoints.web.rest.parts import By, Nothing, Parts, With
from sync.store.database.transactions import Tx
from sync.views.mail import failed
from sync.views.operations.circuits import circuit, every_circuit
from sync.views.operations.quarantine import list_quarantine
from sync.views.operations.status import operations_view

MAILS_SHOWN = 200

router = APIRouter(prefix="/operations", tags=["operations"])


class TroubleShape(BaseModel):
    """What is wrong, since when (null: not known), and what mends it."""

    what: str
    since: datetime | None
    remedy: str


class PauseShape(BaseModel):
    """Nothing of the lane is begun until somebody resumes it."""

    paused_at: datetime
    paused_by: str
    reason: str


class LaneShape(BaseModel):
    """`due` waits to be taken up, `leased` is being worked on, `later` waits for a time to come; `failing` of all
    these failed at the last look."""

    lane: Lane
    due: int
    leased: int
    later: int
    failing: int
    oldest_due_at: datetime | None
    pause: PauseShape | None


class WorkerShape(BaseModel):
    """`doing` null: it waits. `trouble` says why it touches no account."""

    name: str
    lanes: list[str]
    started_at: datetime
    seen_at: datetime
    doing: str | None
    trouble: str | None


class OperationsShape(BaseModel):
    """All numbers are of one moment. `held` changes wait for open work orders, `overdue` of them too long;
    `stranded` work orders came to somebody who had left. `mails` by state, without those that were sent."""

    at: datetime
    troubles: list[TroubleShape]
    lanes: list[LaneShape]
    workers: list[WorkerShape]
    quarantined: dict[str, int]
    held: int
    overdue: int
    stranded: int
    mails: dict[str, int]


class CircuitShape(BaseModel):
    """A way to a system, which is left in peace while it cannot work. `reason` is that of the last failure."""

    name: CircuitName
    state: CircuitState
    failures: int
    opened_at: datetime | None
    probe_at: datetime | None
    reason: str | None


class QuarantinedShape(BaseModel):
    """An account that nobody looks at before a person asks."""

    account_id: str
    username: str
    reason: str
    since: datetime


class GroupShape(BaseModel):
    """Accounts in quarantine for the same cause; `accounts` are the first few."""

    kind: str
    code: str
    reason: str
    count: int
    since: datetime | None
    accounts: list[QuarantinedShape]


class MailShape(BaseModel):
    """A mail that failed. `may_have_left`: somebody may have it all the same. `sendable`: it can go once more."""

    id: str
    account_id: str
    username: str
    kind: str
    state: str
    at: datetime | None
    error: str | None
    may_have_left: bool
    sendable: bool


class Tried(BaseModel):
    """How many it was about."""

    count: int


class Retry(Because):
    """Exactly one of the three says which."""

    account_ids: list[str] | None = Field(default=None, min_length=1, max_length=500)
    code: str | None = Field(default=None, min_length=1, max_length=200, description="that of a group")
    everything: Literal[True] | None = None

    @model_validator(mode="after")
    def _one(self) -> Retry:
        if sum(each is not None for each in (self.account_ids, self.code, self.everything)) != 1:
            raise ValueError("name account_ids, a code, or everything")
        return self


class Resend(Because):
    """`even_if_it_left` takes one id alone: two mails with one password are worse than one."""

    ids: list[str] = Field(min_length=1, max_length=200)
    even_if_it_left: bool = False


@router.get("", response_model=OperationsShape)
def status(parts: With, by: By, _: Nothing) -> dict[str, Any]:
    """Can people log in, what is wrong, and the numbers behind it."""
    with parts.database.read() as tx:
        seen = operations_view(tx, _scope(by), parts.clock.now())
    figures = seen.figures
    troubles = (*seen.login_troubles, *seen.troubles)
    return {
        "at": figures.at,
        "troubles": [_of(TroubleShape, each) for each in troubles],
        "lanes": [
            _of(LaneShape, each) | {"pause": None if each.pause is None else _of(PauseShape, each.pause)}
            for each in figures.lanes
        ],
        "workers": [_of(WorkerShape, each) for each in figures.workers],
    } | {name: getattr(figures, name) for name in ("quarantined", "held", "overdue", "stranded", "mails")}


@router.get("/circuits", response_model=list[CircuitShape])
def list_circuits(parts: With, by: By, _: Nothing) -> list[dict[str, Any]]:
    """The circuits, one for each way to a system."""
    with parts.database.read() as tx:
        return [_of(CircuitShape, each) for each in every_circuit(tx, _scope(by))]


@router.post("/circuits/{name}/probe", response_model=CircuitShape)
def probe(parts: With, by: By, _: Nothing, name: CircuitName, because: Because) -> dict[str, Any]:
    """The system is mended: the next account that is due tries it."""
    desk, why = parts.desk(), cause(by, because)
    if not perform(
        desk, lambda tx: circuits.probe(tx, desk.policy, name, why, desk.clock.now()), wakes=Lane.INTERACTIVE
    ):
        raise Refused([Problem("", f"the circuit {name.value} is closed, or a probe is on its way")])
    wake(desk, Lane.BULK)
    return _circuit(parts, by, name)


@router.post("/circuits/{name}/close", response_model=CircuitShape)
def close(parts: With, by: By, _: Nothing, name: CircuitName, because: Because) -> dict[str, Any]:
    """Let everything through at once, untried; failures open it again."""
    desk, why = parts.desk(), cause(by, because)
    perform(desk, lambda tx: circuits.close(tx, desk.policy, name, why, desk.clock.now()), wakes=Lane.INTERACTIVE)
    wake(desk, Lane.BULK)
    return _circuit(parts, by, name)


@router.post("/lanes/{lane}/pause", response_model=LaneShape)
def pause(parts: With, by: By, _: Nothing, lane: Lane, because: Because) -> dict[str, Any]:
    """Begin nothing more of the lane. What a worker holds already it finishes."""
    desk, why = parts.desk(), cause(by, because)
    if not perform(desk, lambda tx: lanes.pause(tx, desk.policy, lane, why, desk.clock.now()), wakes=None):
        raise Refused([Problem("", f"{lane.value} is paused already")])
    return _lane(parts, by, lane)


@router.post("/lanes/{lane}/resume", response_model=LaneShape)
def resume(parts: With, by: By, _: Nothing, lane: Lane, because: Because) -> dict[str, Any]:
    """Let a paused lane go on."""
    desk, why = parts.desk(), cause(by, because)
    if not perform(desk, lambda tx: lanes.resume(tx, desk.policy, lane, why, desk.clock.now()), wakes=lane):
        raise Refused([Problem("", f"{lane.value} is not paused")])
    return _lane(parts, by, lane)


@router.get("/quarantine", response_model=list[GroupShape])
def show_quarantine(parts: With, by: By, _: Nothing) -> list[dict[str, Any]]:
    """Accounts that need a person, in groups of the same cause, the largest first."""
    with parts.database.read() as tx:
        groups = list_quarantine(tx, _scope(by))
    return [
        _of(GroupShape, group) | {"accounts": [_of(QuarantinedShape, each) for each in group.accounts]}
        for group in groups
    ]


@router.post("/quarantine/retry", status_code=202, response_model=Tried)
def retry(parts: With, by: By, _: Nothing, which: Retry) -> dict[str, int]:
    """Try accounts in quarantine again, once what stopped them is mended."""
    desk, why = parts.desk(), cause(by, which)
    tried = perform(
        desk,
        lambda tx: quarantine.retry(
            tx, desk.policy, why, desk.clock.now(), account_ids=which.account_ids, code=which.code
        ),
        wakes=Lane.INTERACTIVE,
    )
    wake(desk, Lane.BULK)
    return {"count": tried}


@router.get("/mails", response_model=list[MailShape])
def list_mails(parts: With, by: By, _: Nothing) -> list[dict[str, Any]]:
    """The newest mails that failed or expired."""
    with parts.database.read() as tx:
        return [_of(MailShape, each) for each in failed(tx, _scope(by), parts.clock.now(), MAILS_SHOWN)]


@router.post("/mails/resend", status_code=202, response_model=Tried)
def resend(parts: With, by: By, _: Nothing, which: Resend) -> dict[str, int]:
    """Send mails again that failed, to the address that the account has now."""
    desk, why = parts.desk(), cause(by, which)
    sent = perform(desk, lambda tx: _resend(tx, desk, why, which), wakes=Lane.MAIL)
    return {"count": sent}


def _resend(tx: Tx, desk: Desk, why: Cause, which: Resend) -> int:
    return mail.send_again(
        tx, desk.policy, why, desk.clock.now(), which.ids, even_if_it_left=which.even_if_it_left
    )


def _scope(by: Admitted) -> Scope:
    """Queues and circuits are everybody's. Raises NotAllowed."""
    if not by.operates:
        raise NotAllowed([Problem("", "this is for operators of the whole company")])
    return Scope.all()


def _circuit(parts: Parts, by: Admitted, name: CircuitName) -> dict[str, Any]:
    with parts.database.read() as tx:
        return _of(CircuitShape, circuit(tx, _scope(by), name))


def _lane(parts: Parts, by: Admitted, lane: Lane) -> dict[str, Any]:
    with parts.database.read() as tx:
        seen = operations_view(tx, _scope(by), parts.clock.now())
    found = next(each for each in seen.figures.lanes if each.lane is lane)
    return _of(LaneShape, found) | {"pause": None if found.pause is None else _of(PauseShape, found.pause)}


def _of(shape: type[BaseModel], value: object) -> dict[str, Any]:
    return {name: getattr(value, name) for name in shape.model_fields}
