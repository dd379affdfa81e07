"""/technicians: which account a technician record of the FSM system has, and who can be given work (B2-B4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from sync.commands.accounts.change import Changed
from sync.commands.accounts.technician import link_technician
from sync.desk import Desk
from sync.domain.access.admission import Admitted
from sync.domain.deactivation.gate import GatePolicy
from sync.entrypoints.web.caller import administered
from sync.entrypoints.web.problems import ApiProblem, Code
from sync.entrypoints.web.rest.because import Because, Text, cause
from sync.entrypoints.web.rest.parts import By, With
from sync.entrypoints.web.rest.rehearsal import Rehearsing
from sync.entrypoints.web.rest.resources.accounts.shapes import OneAccount
from sync.entrypoints.web.rest.resources.accounts.shown import after
from sync.entrypoints.web.rest.resources.accounts.target import IfMatch, Seen, Sent, seen
from sync.views.accounts.assignability import assignability
from sync.views.accounts.find import with_technician, within

router = APIRouter(prefix="/technicians", tags=["technicians"])


class Unlinking(Because):
    """`policy`: what open work orders of the technician do to it."""

    policy: GatePolicy = GatePolicy.REFUSE


class Linking(Unlinking):
    """`account_id` gets the technician. `policy` is for the work orders of the one that it has now."""

    account_id: Text = Field(max_length=100)


class WhoQuery(BaseModel):
    """Left out: all of them."""

    model_config = ConfigDict(extra="forbid")

    assignable: bool | None = Field(default=None, description="only who can, or cannot, be given work")


class AssignableShape(BaseModel):
    """A technician record. `reasons` say why nobody can give them work; none: they can be given it."""

    technician_id: str
    name: str | None
    team: str | None
    account_id: str | None
    username: str | None
    assignable: bool
    reasons: list[str]


def _to_link(parts: With, by: By, technician_id: str, sent: Sent, if_match: IfMatch = None) -> Seen:
    named = sent.get("account_id")
    if not isinstance(named, str):
        told = {"pointer": "/account_id", "code": "missing", "reason": "names no account"}
        raise ApiProblem(Code.BAD_CONTENT, pointers=[told])
    with parts.database.read() as tx:
        account = within(tx, administered(by), named)
    return seen(parts, by, account, {"technician_id": technician_id}, if_match)


def _to_unlink(parts: With, by: By, technician_id: str, if_match: IfMatch = None) -> Seen:
    with parts.database.read() as tx:
        account = with_technician(tx, administered(by), technician_id)
    return seen(parts, by, account, {"technician_id": None}, if_match)


ToLink: TypeAlias = Annotated[Seen, Depends(_to_link)]
ToUnlink: TypeAlias = Annotated[Seen, Depends(_to_unlink)]


@router.get("/assignable", response_model=list[AssignableShape])
def assignable(parts: With, by: By, query: Annotated[WhoQuery, Query()]) -> list[dict[str, Any]]:
    """The technician records that the caller sees, and why not where one cannot be given work. One that no account
    has is the whole company's."""
    found = [
        {
            "technician_id": each.technician.id,
            "name": each.technician.name,
            "team": each.technician.team,
            "account_id": None if each.account is None else each.account.id,
            "username": None if each.account is None else each.account.username,
            "assignable": not each.reasons,
            "reasons": each.reasons,
        }
        for each in assignability(parts.desk(), administered(by))
    ]
    return [each for each in found if query.assignable in (None, each["assignable"])]


@router.put("/{technician_id}/account", response_model=OneAccount)
def link(
    parts: With,
    by: By,
    query: Rehearsing,
    technician_id: str,
    target: ToLink,
    content: Linking,
    response: Response,
) -> dict[str, Any]:
    """Give the technician to an account, whose ETag is in If-Match."""
    command = _linking(by, target, technician_id, content)
    return after(parts, by, target, command, response, dry_run=query.dry_run)


@router.delete("/{technician_id}/account", response_model=OneAccount)
def unlink(
    parts: With, by: By, query: Rehearsing, target: ToUnlink, content: Unlinking, response: Response
) -> dict[str, Any]:
    """Take the technician from the account that has it, whose ETag is in If-Match."""
    command = _linking(by, target, None, content)
    return after(parts, by, target, command, response, dry_run=query.dry_run)


def _linking(
    by: Admitted, target: Seen, technician_id: str | None, content: Unlinking
) -> Callable[[Desk], Changed]:
    def command(on: Desk) -> Changed:
        by_whom = cause(by, content)
        return link_technician(
            on, target.account.id, technician_id, by_whom, content.policy, version=target.version
        )

    return command
