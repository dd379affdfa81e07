"""/reports: who had access to what at a moment and why (G2), and whose account nobody uses (D8), of the accounts
that the caller administers."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sync.domain.accounts.account import Life, login_key
from sync.domain.logins.unused import Patience, Use
from sync.domain.reports.access import Access
from sync.entrypoints.web.caller import administered
from sync.entrypoints.web.rest.cursors import PageQuery, question
from sync.entrypoints.web.rest.parts import By, With
from sync.store.reports import AccessQuery
from sync.views.reports import access as access_of_all
from sync.views.reports import unused as unused_accounts

LONGEST_WAIT = 3650
"""Days."""

router = APIRouter(prefix="/reports", tags=["reports"])


class AccessReportQuery(PageQuery):
    """When, and whose access."""

    at: AwareDatetime | None = Field(default=None, description="a moment that has passed; left out: now")
    account_id: str | None = Field(default=None, description="this one, whatever it had")
    profile: str | None = Field(default=None, description="had it then, on either side")
    branch: str | None = Field(default=None, description="was in it then, on either side")
    everybody: bool = Field(default=False, description="also people to whom neither side gave anything")


class UnusedQuery(PageQuery):
    """How long an account may go unused."""

    days: int = Field(default=90, ge=1, le=LONGEST_WAIT, description="not used for so many days")
    never: int = Field(default=30, ge=1, le=LONGEST_WAIT, description="never used, and made so many days ago")


class _OfValue(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class WordShape(_OfValue):
    """Who said so, when, through which door and why."""

    at: datetime
    by: str
    door: str
    reason: str


class WantedAccessShape(_OfValue):
    """What was wanted. `features` and `data_access` are those of the mapping files of then; null: not known."""

    life: Life | None
    profile: str
    features: tuple[str, ...] | None
    branch: str | None
    team: str | None
    data_access: str | None
    technician_id: str | None
    given: WordShape
    life_given: WordShape | None


class KeycloakAccessShape(_OfValue):
    """What the user in Keycloak had. `drift` names what somebody else made different."""

    enabled: bool
    sessions_may_go_on: bool
    profiles: tuple[str, ...]
    features: tuple[str, ...] | None = Field(description="null: not known; of several profiles none")
    branches: tuple[str, ...]
    teams: tuple[str, ...]
    data_access: tuple[str, ...]
    technician_id: str | None
    roles: tuple[str, ...] = Field(description="of ours that somebody gave directly")
    since: datetime
    drift: tuple[str, ...]


class AccessShape(_OfValue):
    """One account, under its names of today. Access is what Keycloak lets in."""

    account_id: str
    username: str
    full_name: str
    access: Access
    wanted: WantedAccessShape | None = Field(description="null: not known")
    keycloak_known: bool
    keycloak: KeycloakAccessShape | None = Field(description="null: no user, or not known")


class AccessPage(BaseModel):
    """By username. `at` is the moment of all pages; `next` leads to the page after this; null: there is none."""

    at: datetime
    items: list[AccessShape]
    next: str | None


class UnusedShape(BaseModel):
    """`use`: unused, never, or unknown where logins may have been missed."""

    account_id: str
    username: str
    profile: str
    branch: str | None
    use: Use
    last_used_at: datetime | None
    created_at: datetime


class UnusedPage(BaseModel):
    """By username. `next` leads to the page after this one; null: this was the last."""

    items: list[UnusedShape]
    next: str | None


@router.get("/access", response_model=AccessPage)
def access(parts: With, by: By, query: Annotated[AccessReportQuery, Query()]) -> dict[str, Any]:
    """Who had access at a moment, page by page."""
    scope = administered(by)
    asked = question(by, scope, "access", query.filters())
    at, after = query.at or parts.clock.now(), None
    if (place := parts.cursors.after(query, asked)) is not None:
        at, after = _place(place)
    wanted = AccessQuery(at, query.account_id, query.profile, query.branch, after=after, limit=query.limit + 1)
    rows = access_of_all(parts.desk(), scope, wanted, everybody=query.everybody or query.account_id is not None)
    found = list(islice(rows, query.limit + 1))
    page = found[: query.limit]
    more = len(found) > len(page)
    return {
        "at": at,
        "items": [AccessShape.model_validate(row) for _, row in page],
        "next": parts.cursors.write(f"{at.isoformat()} {page[-1][0]}", asked) if more else None,
    }


@router.get("/unused", response_model=UnusedPage)
def unused(parts: With, by: By, query: Annotated[UnusedQuery, Query()]) -> dict[str, Any]:
    """Active accounts that nobody uses, page by page. Nothing is done about them."""
    scope = administered(by)
    asked = question(by, scope, "unused", query.days, query.never)
    after = parts.cursors.after(query, asked)
    patience = Patience(timedelta(days=query.days), timedelta(days=query.never))
    rows = unused_accounts(parts.desk(), scope, patience, parts.clock.now(), after)
    found = list(islice(rows, query.limit + 1))
    page = found[: query.limit]
    return {
        "items": [
            {
                "account_id": each.account.id,
                "username": each.account.username,
                "profile": each.account.profile,
                "branch": each.account.branch,
                "use": each.use,
                "last_used_at": each.last_used_at,
                "created_at": each.account.created_at,
            }
            for each in page
        ],
        "next": parts.cursors.write(login_key(page[-1].account.username), asked)
        if len(found) > len(page)
        else None,
    }


def _place(after: str) -> tuple[datetime, str]:
    at, _, key = after.partition(" ")
    return datetime.fromisoformat(at), key
