"""/me: who the caller is here, and what they may see. It is there for everybody with an account."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from sync.domain.access.scope import Scope
from sync.entrypoints.web.rest.parts import By, Nothing, With
from sync.entrypoints.web.rest.resources.accounts.shapes import OneAccount, of_view
from sync.views.accounts.account import account_view

router = APIRouter(tags=["me"])


class Me(BaseModel):
    """`account` is null for a break-glass login, which has none."""

    name: str
    administers: str | None = Field(description="everything, the key of a branch, or null")
    account: OneAccount | None


@router.get("/me", response_model=Me)
def me(parts: With, by: By, _: Nothing) -> dict[str, Any]:
    """The own account, and whose accounts the caller administers."""
    own = None
    if by.account is not None:
        with parts.database.read() as tx:
            own = of_view(account_view(tx, Scope.all(), by.account.id, parts.clock.now()))
    scope = by.administers
    return {
        "name": by.caller.name,
        "administers": None if scope is None else scope.branch or "everything",
        "account": own,
    }
