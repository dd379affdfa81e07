"""What the routes of the API work with, and what they ask of every request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict

from mappings.policy import Policy
from sync.desk import Desk
from sync.domain.access.admission import Admitted
from sync.domain.errors import NotFound, Problem
from sync.entrypoints.web.caller import Callers, bearer
from sync.entrypoints.web.problems import ApiProblem, Code
from sync.entrypoints.web.rest import roles
from sync.entrypoints.web.rest.cursors import Cursors
from sync.ports.signals import Clock
from sync.store.database.transactions import Database


@dataclass(frozen=True, slots=True)
class Parts:
    """`policy` returns the one in force, `desk` what a command works on, by the same; a route asks it once."""

    callers: Callers
    database: Database
    policy: Callable[[], Policy]
    clock: Clock
    cursors: Cursors
    desk: Callable[[], Desk]

    def field_workers(self) -> frozenset[str]:
        """The profiles that cannot work without a technician (B3)."""
        return frozenset(key for key, profile in self.policy().profiles.items() if profile.field_work)


class NoParameters(BaseModel):
    """Of a route that takes none: an unknown one is refused, not passed over."""

    model_config = ConfigDict(extra="forbid")


def _parts(request: Request) -> Parts:
    found: Parts = request.app.state.parts
    return found


def _admitted(
    parts: Annotated[Parts, Depends(_parts)], token: Annotated[str, Depends(bearer)], request: Request
) -> Admitted:
    admitted = parts.callers.of(token)
    roles.require(admitted, request.method, request.scope["route"].path)
    _refuse_nul(request)
    return admitted


def _refuse_nul(request: Request) -> None:
    """No name of ours has U+0000 in it, and PostgreSQL refuses to look for it. Raises NotFound, ApiProblem."""
    if any("\0" in str(value) for value in request.path_params.values()):
        raise NotFound([Problem("", "there is no such thing", "see the list")])
    for name, value in request.query_params.multi_items():
        if "\0" in name or "\0" in value:
            raise ApiProblem(Code.BAD_PARAMETER, "a parameter holds the character U+0000")


With: TypeAlias = Annotated[Parts, Depends(_parts)]
By: TypeAlias = Annotated[Admitted, Depends(_admitted)]
"""Who asks, and has a role that may call the route. A route without it answers anybody."""
Nothing: TypeAlias = Annotated[NoParameters, Query()]
