"""/drift: what Keycloak holds and nobody wanted, and what somebody decides about it (G4).

Comparisons are of the whole company, and for its administrators.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from sync.commands.drift import decide
from sync.domain.access.admission import Admitted
from sync.entrypoints.web.caller import administered
from sync.entrypoints.web.rest.because import Because, cause
from sync.entrypoints.web.rest.cursors import PageQuery, question
from sync.entrypoints.web.rest.parts import By, Nothing, Parts, With
from sync.store.database.tables import ComparisonKind, DriftState
from sync.store.drift.findings import LIVE, Finding
from sync.views.drift import changed_by, drift_view, list_findings, one_finding

router = APIRouter(prefix="/drift", tags=["drift"])


class ComparisonShape(BaseModel):
    """A comparison of all of Keycloak with what is wanted. `error` says why it failed, where it did."""

    id: str
    kind: ComparisonKind
    state: str
    by: str
    started_at: datetime
    finished_at: datetime | None
    counts: dict[str, int]
    error: str | None


class DriftShape(BaseModel):
    """The last comparison of each kind, open findings by attribute, and the held run of repairs, if there
    is one."""

    comparisons: list[ComparisonShape]
    open: dict[str, int]
    held_run: str | None


class FindingShape(BaseModel):
    """One thing that differs. `decided_by` accepted it, had it repaired, or left it to a person."""

    id: str
    who: str
    account_id: str | None
    idp_user_id: str | None
    attribute: str
    wanted: str | None
    found: str | None
    reaction: str
    state: DriftState
    first_seen_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    repair_asked_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None


class OneFinding(FindingShape):
    """A finding, and who may have made it differ, as far as Keycloak's events tell."""

    changed_by: list[str]


class FindingPage(BaseModel):
    """The oldest first. `next` leads to the page after this one; null: this was the last."""

    items: list[FindingShape]
    next: str | None


class FindingsQuery(PageQuery):
    """Which findings; without a state those that are open or accepted."""

    state: DriftState | None = None


@router.get("", response_model=DriftShape)
def status(parts: With, by: By, _: Nothing) -> dict[str, Any]:
    """The last comparisons, and how much is open."""
    with parts.database.read() as tx:
        seen = drift_view(tx, administered(by))
    return {
        "comparisons": [
            {name: getattr(each, name) for name in ComparisonShape.model_fields if name != "counts"}
            | {"counts": asdict(each.counts)}
            for each in seen.comparisons
        ],
        "open": seen.open,
        "held_run": seen.held[0].id if seen.held else None,
    }


@router.get("/findings", response_model=FindingPage)
def list_(parts: With, by: By, query: Annotated[FindingsQuery, Query()]) -> dict[str, Any]:
    """Findings, the oldest first."""
    scope = administered(by)
    asked = question(by, scope, "findings", query.state)
    after = parts.cursors.after(query, asked)
    states = LIVE if query.state is None else (query.state,)
    with parts.database.read() as tx:
        found = list_findings(tx, scope, states, query.limit + 1, after)
    shown = found[: query.limit]
    return {
        "items": [_shape(each) for each in shown],
        "next": parts.cursors.write(shown[-1].id, asked) if len(found) > query.limit else None,
    }


@router.get("/findings/{finding_id}", response_model=OneFinding)
def show(parts: With, by: By, _: Nothing, finding_id: str) -> dict[str, Any]:
    """One finding with everything known about it."""
    return _shown(parts, by, finding_id)


@router.put("/findings/{finding_id}/acceptance", response_model=OneFinding)
def accept(parts: With, by: By, _: Nothing, finding_id: str, because: Because) -> dict[str, Any]:
    """What was found is wanted from now on, or left alone until it changes."""
    _exists(parts, by, finding_id)
    decide.accept(parts.desk(), finding_id, cause(by, because))
    return _shown(parts, by, finding_id)


@router.put("/findings/{finding_id}/repair", status_code=202, response_model=OneFinding)
def repair(
    parts: With, by: By, _: Nothing, finding_id: str, because: Because, response: Response
) -> dict[str, Any]:
    """The workers bring the account to what is wanted; a missing user is made anew."""
    _exists(parts, by, finding_id)
    decide.repair(parts.desk(), finding_id, cause(by, because))
    response.headers["Location"] = f"/api/v1/drift/findings/{finding_id}"
    return _shown(parts, by, finding_id)


def _exists(parts: Parts, by: Admitted, finding_id: str) -> None:
    """Before anything else is looked at. Raises NotFound, NotAllowed."""
    with parts.database.read() as tx:
        one_finding(tx, administered(by), finding_id)


def _shown(parts: Parts, by: Admitted, finding_id: str) -> dict[str, Any]:
    scope = administered(by)
    with parts.database.read() as tx:
        found = one_finding(tx, scope, finding_id)
    touches = changed_by(parts.desk(), scope, found)
    return _shape(found) | {"changed_by": [str(each) for each in touches]}


def _shape(finding: Finding) -> dict[str, Any]:
    own = set(FindingShape.model_fields) & set(Finding.__slots__)
    return {name: getattr(finding, name) for name in own} | {
        "who": finding.subject.who,
        "account_id": finding.subject.account_id,
        "idp_user_id": finding.subject.idp_user_id,
        "attribute": finding.what,
        "decided_by": None if finding.decision is None else str(finding.decision),
    }
