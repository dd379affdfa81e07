"""/accounts: lists, one account, its story. They show what the caller administers, and nothing else exists."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from sync.domain.accounts.account import Life
from sync.entrypoints.web.caller import administered
from sync.entrypoints.web.rest.cursors import PageQuery, question
from sync.entrypoints.web.rest.parts import By, Nothing, With
from sync.entrypoints.web.rest.resources.accounts.shapes import (
    AccountPage,
    OneAccount,
    TimelineShape,
    of_entry,
    of_row,
)
from sync.entrypoints.web.rest.resources.accounts.shown import shown
from sync.store.accounts.query import AccountQuery
from sync.views.accounts.account import timeline_of
from sync.views.accounts.listing import count_accounts, list_accounts

_FILTERS = {"text", "profile", "branch", "team", "life", "held", "quarantined"}

router = APIRouter(prefix="/accounts", tags=["accounts"])


class ListQuery(PageQuery):
    """Which accounts."""

    text: str | None = Field(
        default=None,
        max_length=200,
        description="anywhere in username, e-mail, name, employee number or technician id",
    )
    profile: str | None = None
    branch: str | None = None
    team: str | None = None
    life: Life | None = None
    held: bool | None = None
    quarantined: bool | None = None
    locked: bool = Field(default=False, description="only whom Keycloak's lockout keeps out just now")
    unlinked: bool = Field(default=False, description="only field workers without a technician")
    count: bool = Field(default=False, description="tell how many there are on all pages")


@router.get("", response_model=AccountPage)
def list_(parts: With, by: By, query: Annotated[ListQuery, Query()]) -> dict[str, Any]:
    """Accounts by username, page by page."""
    scope, now = administered(by), parts.clock.now()
    asked = question(by, scope, query.filters("count"))
    wanted = AccountQuery(
        **query.model_dump(include=_FILTERS),
        limit=query.limit,
        locked_at=now if query.locked else None,
        unlinked_profiles=parts.field_workers() if query.unlinked else None,
        after=parts.cursors.after(query, asked),
    )
    with parts.database.read() as tx:
        page = list_accounts(tx, scope, wanted)
        count = count_accounts(tx, scope, wanted) if query.count else None
    return {
        "items": [of_row(row, now) for row in page.items],
        "next": None if page.next is None else parts.cursors.write(page.next, asked),
        "count": count,
    }


@router.get("/{account_id}", response_model=OneAccount)
def show(parts: With, by: By, _: Nothing, account_id: str, response: Response) -> dict[str, Any]:
    """One account; the ETag is its wanted version."""
    return shown(parts, by, account_id, response)


@router.get("/{account_id}/timeline", response_model=list[TimelineShape])
def timeline(parts: With, by: By, _: Nothing, account_id: str) -> list[dict[str, Any]]:
    """Everything that happened to the account, in the order of time."""
    with parts.database.read() as tx:
        return [of_entry(entry) for entry in timeline_of(tx, administered(by), account_id)]
