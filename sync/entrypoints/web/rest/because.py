"""Who wants something over the API, and why: what every act takes in its content (A7)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from sync.domain.access.admission import Admitted
from sync.domain.access.cause import Cause, Door


class Because(BaseModel):
    """What an act takes. Members that nobody knows are refused by name."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=1000, description="why; it stands in the history")


def cause(by: Admitted, because: Because) -> Cause:
    return Cause(by.caller, Door.REST, because.reason)
