"""`dry_run` of the routes that can tell what they would do (`commands.perform.rehearsed`)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import Query
from pydantic import Field

from sync.entrypoints.web.rest.parts import NoParameters


class MayRehearse(NoParameters):
    """Of a route that can tell what it would do."""

    dry_run: bool = Field(default=False, description="answer as if it was done, and store nothing")


Rehearsing: TypeAlias = Annotated[MayRehearse, Query()]
