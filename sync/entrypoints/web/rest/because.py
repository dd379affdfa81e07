"""Who wants something over the API, and why: what every act takes in its content (A7)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sync.domain.access.admission import Admitted
from sync.domain.access.cause import Cause, Door


def _storable(text: str) -> str:
    if any(sign == "\x00" or "\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError("no text can have the character U+0000, nor half of one")
    return text


Text: TypeAlias = Annotated[str, AfterValidator(_storable)]
"""JSON can write what no database keeps in a text."""


class Because(BaseModel):
    """What an act takes. Members that nobody knows are refused by name."""

    model_config = ConfigDict(extra="forbid")

    reason: Text = Field(min_length=1, max_length=1000, description="why; it stands in the history")


def cause(by: Admitted, because: Because) -> Cause:
    return Cause(by.caller, Door.REST, because.reason)
