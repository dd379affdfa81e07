"""/accounts/{id}/deactivation and /reactivation: who leaves, what holds it, and who comes back (D4, D7).

The work-order gate is asked at the door and, for good, by a worker right before anything is taken away.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from sync.commands.deactivation.deactivate import deactivate_account, reactivate_account, withdraw_deactivation
from sync.commands.perform import rehearsed
from sync.desk import Desk
from sync.domain.access.admission import Admitted
from sync.domain.accounts.account import Account
from sync.domain.deactivation.gate import GatePolicy, OpenWorkOrder
from sync.domain.deactivation.request import DeactivationState, OpenDeactivation
from sync.entrypoints.web.caller import administered
from sync.entrypoints.web.rest.because import Because, cause
from sync.entrypoints.web.rest.parts import By, Nothing, Parts, With
from sync.entrypoints.web.rest.rehearsal import Rehearsing
from sync.entrypoints.web.rest.resources.accounts.refusals import refusals_told
from sync.entrypoints.web.rest.resources.accounts.shapes import OneAccount
from sync.entrypoints.web.rest.resources.accounts.shown import after
from sync.entrypoints.web.rest.resources.accounts.target import ToDeactivate, ToReactivate
from sync.views.accounts.leaving import open_deactivation
from sync.views.accounts.versions import version_now

router = APIRouter(prefix="/accounts", tags=["accounts"])


class Leaving(Because):
    """`policy`: what open work orders do to it."""

    policy: GatePolicy = GatePolicy.REFUSE


class OpenWorkOrderShape(BaseModel):
    """`holds` says how the technician has it."""

    model_config = ConfigDict(from_attributes=True)

    number: str
    status: str
    customer: str
    date: date | None
    holds: list[str]


class DeactivationShape(BaseModel):
    """What waits for the gate. `work_orders` are those that the last look found; `deadline` ends a hold."""

    what: str = Field(description="deactivation, or change: one that takes the technician from somebody who stays")
    state: DeactivationState
    policy: GatePolicy
    requested_at: datetime
    requested_by: str
    door: str
    reason: str
    deadline: datetime | None
    after_deadline: str = Field(description="person: somebody decides then; force: it is done then")
    work_orders: list[OpenWorkOrderShape]


@router.put("/{account_id}/deactivation", response_model=DeactivationShape)
def deactivate(
    parts: With, by: By, query: Rehearsing, seen: ToDeactivate, content: Leaving, response: Response
) -> dict[str, Any]:
    """Take all access away. `refuse` does nothing while work orders are open and names them, `hold` waits until
    they are done, `force` does not look at them."""
    account_id, scope, desk = seen.account.id, administered(by), parts.desk()
    orders: list[OpenWorkOrder] = []

    def command(on: Desk) -> None:
        by_whom = cause(by, content)
        orders.extend(deactivate_account(on, account_id, content.policy, by_whom, version=seen.version))

    with seen.compared(), refusals_told(by):
        if query.dry_run:
            found = rehearsed(desk, command, lambda tx: open_deactivation(tx, scope, account_id))
            return _shape(found, orders)
        command(desk)
    return _shown(parts, by, account_id, response, orders)


@router.get("/{account_id}/deactivation", response_model=DeactivationShape)
def waiting(parts: With, by: By, _: Nothing, account_id: str, response: Response) -> dict[str, Any]:
    """What waits, and for which work orders; 404 where nothing does."""
    return _shown(parts, by, account_id, response)


@router.delete("/{account_id}/deactivation", response_model=OneAccount)
def withdraw(
    parts: With, by: By, query: Rehearsing, seen: ToReactivate, because: Because, response: Response
) -> dict[str, Any]:
    """Call off a deactivation that is not done yet; 404 where none waits."""

    def command(on: Desk) -> Account:
        return withdraw_deactivation(on, seen.account.id, cause(by, because), version=seen.version)

    return after(parts, by, seen, command, response, dry_run=query.dry_run)


@router.put("/{account_id}/reactivation", response_model=OneAccount)
def reactivate(
    parts: With, by: By, query: Rehearsing, seen: ToReactivate, because: Because, response: Response
) -> dict[str, Any]:
    """Give access back, with the profile, branch, team and technician there were; also calls off a hold."""

    def command(on: Desk) -> Account:
        return reactivate_account(on, seen.account.id, cause(by, because), version=seen.version)

    return after(parts, by, seen, command, response, dry_run=query.dry_run)


def _shown(
    parts: Parts, by: Admitted, account_id: str, response: Response, orders: Sequence[OpenWorkOrder] = ()
) -> dict[str, Any]:
    """`orders` are those that the door found, before the gate has looked."""
    with parts.database.read() as tx:
        found = open_deactivation(tx, administered(by), account_id)
        version = version_now(tx, administered(by), account_id)
    if version is not None:
        response.headers["ETag"] = f'"{version}"'
    return _shape(found, orders)


def _shape(found: OpenDeactivation, orders: Sequence[OpenWorkOrder]) -> dict[str, Any]:
    names = ("what", "state", "policy", "requested_at", "deadline", "after_deadline")
    return {name: getattr(found, name) for name in names} | {
        "requested_by": found.by.name,
        "door": found.by.way,
        "reason": found.by.reason,
        "work_orders": found.work_orders or orders,
    }
