"""/audit: who did what and why, the whole trail as a file, and whether anybody touched it (G1).

Who administers a branch reads what was done to its accounts; the file and its verification are for who administers
the whole company. Heads that were kept elsewhere are compared at the command line, where they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import StreamingResponse

from sync.domain.audit.verifying import Flaw
from sync.entrypoints.web.caller import administered
from sync.entrypoints.web.rest.cursors import PageQuery, question
from sync.entrypoints.web.rest.parts import By, Nothing, Parts, With
from sync.store.audit.listing import AuditEntry, AuditQuery
from sync.views.audit.chain import export_chain, verify_chain
from sync.views.audit.listing import list_audit

router = APIRouter(prefix="/audit", tags=["audit"])


class AuditListQuery(PageQuery):
    """Which entries."""

    account_id: str | None = None
    action: str | None = None
    since: AwareDatetime | None = Field(default=None, description="from this time on")
    until: AwareDatetime | None = Field(default=None, description="before this time")


class AuditShape(BaseModel):
    """One thing that somebody did."""

    number: int | None = Field(description="its place in the chain; null: not chained yet")
    id: str
    at: datetime
    actor: str
    door: str = Field(description="the way it came in, and what made it where no person did")
    action: str
    account_id: str | None
    username: str | None
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str
    correlation_id: str


class AuditPage(BaseModel):
    """The newest first. `next` leads to the page after this one; null: this was the last."""

    items: list[AuditShape]
    next: str | None


class FlawShape(BaseModel):
    """What was done to the trail, and where."""

    flaw: Flaw
    number: int | None
    what: str


class VerifiedShape(BaseModel):
    """`consistent` is no proof: who can write to the database could have written all of it anew."""

    consistent: bool
    number: int = Field(description="where the chain ends")
    hash: str
    findings: list[FlawShape] = Field(description="the first hundred")
    found: int
    waiting: int = Field(description="entries that are not chained yet")
    waiting_since: datetime | None


@router.get("", response_model=AuditPage)
def list_(parts: With, by: By, query: Annotated[AuditListQuery, Query()]) -> dict[str, Any]:
    """Who did what, page by page."""
    scope = administered(by)
    filters = query.model_dump(exclude={"cursor", "limit"})
    asked = question(by, scope, "audit", query.filters())
    place = parts.cursors.after(query, asked)
    after = None if place is None else _place(place)
    with parts.database.read() as tx:
        found = list_audit(tx, scope, AuditQuery(**filters, after=after, limit=query.limit + 1))
    page = found[: query.limit]
    return {
        "items": [_shape(entry) for entry in page],
        "next": parts.cursors.write(f"{page[-1].at.isoformat()} {page[-1].id}", asked)
        if len(found) > len(page)
        else None,
    }


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/jsonl": {}}, "description": "A line an entry, as it was hashed"}},
)
def export(parts: With, by: By, _: Nothing) -> StreamingResponse:
    """All chained entries, for `fsm-identity audit verify --file`."""
    scope = administered(by)
    scope.require_everything("the audit trail as a file")
    return StreamingResponse(
        _lines(parts, by),
        media_type="application/jsonl",
        headers={"Content-Disposition": 'attachment; filename="audit.jsonl"'},
    )


@router.get("/verify", response_model=VerifiedShape)
def verify(parts: With, by: By, _: Nothing) -> dict[str, Any]:
    """Read the whole trail; it takes a while where it is long."""
    with parts.database.read() as tx:
        seen = verify_chain(tx, administered(by), {}, parts.clock.now())
    found = seen.verified
    return {
        "consistent": found.whole,
        "number": found.head.number,
        "hash": found.head.hash,
        "findings": [{"flaw": each.flaw, "number": each.number, "what": each.what} for each in found.findings],
        "found": sum(found.counts.values()),
        "waiting": seen.waiting.count,
        "waiting_since": seen.waiting.since,
    }


def _lines(parts: Parts, by: By) -> Iterator[str]:
    with parts.database.read() as tx:
        for line in export_chain(tx, administered(by)):
            yield f"{line}\n"


def _place(after: str) -> tuple[datetime, str]:
    at, _, entry_id = after.partition(" ")
    return datetime.fromisoformat(at), entry_id


def _shape(entry: AuditEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in AuditShape.model_fields}
