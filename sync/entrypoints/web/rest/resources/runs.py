"""/runs: what changes many at once: looked at, confirmed, approved, rejected, called off (E7, F2-F4).

They are about people of the whole company, and for its administrators.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from sync.commands import run_kinds
from sync.commands.imports import confirm as imports
from sync.domain.access.admission import Admitted
from sync.domain.access.cause import Cause
from sync.entrypoints.web.caller import administered
from sync.entrypoints.web.rest.because import Because, cause
from sync.entrypoints.web.rest.cursors import PageQuery, question
from sync.entrypoints.web.rest.parts import By, Nothing, Parts, With
from sync.spreadsheet.writing import write_table
from sync.store.database.tables import RowResult, RowVerdict, RunKind, RunState
from sync.store.runs.progress import Place, Progress
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run
from sync.views.runs import recent_runs, run_rows_page, run_state

_AT_ONCE = 1000

router = APIRouter(prefix="/runs", tags=["runs"])


class CauseShape(BaseModel):
    """Who wanted it, through which door, and why."""

    name: str
    door: str
    reason: str


class RunShape(BaseModel):
    """`counts` are rows by verdict, `fingerprint` the plan's, which a confirmation and an approval name."""

    id: str
    kind: RunKind
    state: RunState
    source: str
    fingerprint: str
    created_at: datetime
    made_by: CauseShape
    counts: dict[str, int]
    held_reasons: list[str]
    confirmed_at: datetime | None
    confirmed_by: CauseShape | None
    approved_at: datetime | None
    approved_by: CauseShape | None
    finished_at: datetime | None


class ProgressShape(BaseModel):
    """Rows that change something, by what became of them; the applied ones once more by how far Keycloak is."""

    pending: int
    applied: int
    refused: int
    places: dict[Place, int]
    finished: bool


class OneRun(RunShape):
    """A run, and how far it is."""

    progress: ProgressShape


class RunPage(BaseModel):
    """The newest first. `next` leads to the page after this one; null: this was the last."""

    items: list[RunShape]
    next: str | None


class RowShape(BaseModel):
    """A row: as it stood in the file (`original`), what it changes, and what became of it."""

    number: int
    account_id: str | None
    verdict: RowVerdict
    original: dict[str, Any]
    changes: dict[str, Any]
    messages: dict[str, Any]
    result: RowResult | None
    result_message: str | None
    place: Place | None
    place_reason: str | None


class RowPage(BaseModel):
    """By number. `next` leads to the page after this one; null: this was the last."""

    items: list[RowShape]
    next: str | None


class RunsQuery(PageQuery):
    """Which runs."""

    kind: RunKind | None = None
    state: RunState | None = None


class RowsQuery(PageQuery):
    """Which page of rows."""


class OfPlan(Because):
    """For what was looked at, and nothing else."""

    fingerprint: str = Field(min_length=8, max_length=64, description="the plan's, or its beginning")


@router.get("", response_model=RunPage)
def list_(parts: With, by: By, query: Annotated[RunsQuery, Query()]) -> dict[str, Any]:
    """Runs of every kind, the newest first."""
    scope = administered(by)
    asked = question(by, scope, "runs", query.kind, query.state)
    after = parts.cursors.after(query, asked)
    with parts.database.read() as tx:
        found = recent_runs(tx, scope, query.limit + 1, query.kind, query.state, after)
    more = len(found) > query.limit
    shown = found[: query.limit]
    return {
        "items": [_shape(run) for run in shown],
        "next": parts.cursors.write(shown[-1].id, asked) if more else None,
    }


@router.get("/{run_id}", response_model=OneRun)
def show(parts: With, by: By, _: Nothing, run_id: str) -> dict[str, Any]:
    """One run, why it is held, and how far it is."""
    return _shown(parts, by, run_id)


@router.get("/{run_id}/rows", response_model=RowPage)
def rows(parts: With, by: By, run_id: str, query: Annotated[RowsQuery, Query()]) -> dict[str, Any]:
    """The rows of a run, page by page."""
    scope = administered(by)
    asked = question(by, scope, "rows", run_id)
    after = int(parts.cursors.after(query, asked) or 0)
    with parts.database.read() as tx:
        page = run_rows_page(tx, scope, run_id, after, query.limit)
    return {
        "items": [_row(row, page.places.get(row.number)) for row in page.rows],
        "next": parts.cursors.write(str(page.rows[-1].number), asked) if page.more else None,
    }


@router.get(
    "/{run_id}/rows.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "one line a row"}},
)
def rows_as_csv(parts: With, by: By, _: Nothing, run_id: str) -> Response:
    """Every row: number, account, verdict, what became of it and why. For spreadsheets."""
    titles = ("row", "account", "who", "verdict", "result", "message", "place", "reason")
    content = write_table("csv", titles, _lines(parts, by, run_id), sheet="Rows")
    headers = {"Content-Disposition": 'attachment; filename="rows.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


@router.put("/{run_id}/confirmation", status_code=202, response_model=OneRun)
def confirm(parts: With, by: By, _: Nothing, run_id: str, plan: OfPlan, response: Response) -> dict[str, Any]:
    """Hand a reviewed import to the workers; what the guard stops is held, and says so in `state`."""
    _exists(parts, by, run_id)
    imports.confirm(parts.desk(), run_id, cause(by, plan), fingerprint=plan.fingerprint)
    return _accepted(parts, by, run_id, response)


@router.put("/{run_id}/approval", status_code=202, response_model=OneRun)
def approve(parts: With, by: By, _: Nothing, run_id: str, plan: OfPlan, response: Response) -> dict[str, Any]:
    """Let a held run go on. It takes somebody else than who confirmed it."""
    _exists(parts, by, run_id)
    run_kinds.approve(parts.desk(), run_id, cause(by, plan), plan.fingerprint)
    return _accepted(parts, by, run_id, response)


@router.put("/{run_id}/rejection", response_model=OneRun)
def reject(parts: With, by: By, _: Nothing, run_id: str, because: Because) -> dict[str, Any]:
    """End a held run; nothing of it is applied."""
    _exists(parts, by, run_id)
    run_kinds.reject(parts.desk(), run_id, cause(by, because))
    return _shown(parts, by, run_id)


@router.put("/{run_id}/cancellation", response_model=OneRun)
def cancel(parts: With, by: By, _: Nothing, run_id: str, because: Because) -> dict[str, Any]:
    """Apply nothing more of an import; what was applied stays."""
    _exists(parts, by, run_id)
    imports.cancel(parts.desk(), run_id, cause(by, because))
    return _shown(parts, by, run_id)


def _exists(parts: Parts, by: Admitted, run_id: str) -> None:
    """What the caller may not see is not there, before anything else is looked at. Raises NotFound, NotAllowed."""
    with parts.database.read() as tx:
        run_state(tx, administered(by), run_id)


def _accepted(parts: Parts, by: Admitted, run_id: str, response: Response) -> dict[str, Any]:
    response.headers["Location"] = f"/api/v1/runs/{run_id}"
    return _shown(parts, by, run_id)


def _shown(parts: Parts, by: Admitted, run_id: str) -> dict[str, Any]:
    with parts.database.read() as tx:
        run, progress = run_state(tx, administered(by), run_id)
    return _shape(run) | {"progress": _progress(progress)}


def _lines(parts: Parts, by: Admitted, run_id: str) -> Iterator[tuple[str, ...]]:
    after, more = 0, True
    while more:
        with parts.database.read() as tx:
            page = run_rows_page(tx, administered(by), run_id, after, _AT_ONCE)
        for row in page.rows:
            place, reason = page.places.get(row.number, (None, None))
            who = row.messages.get("who")
            told = (row.account_id, who, row.verdict, row.result, row.result_message, place, reason)
            yield (str(row.number), *(str(each or "") for each in told))
            after = row.number
        more = page.more


def _shape(run: Run) -> dict[str, Any]:
    names = ("id", "kind", "state", "source", "fingerprint", "created_at", "counts")
    times = ("confirmed_at", "approved_at", "finished_at")
    return {name: getattr(run, name) for name in names + times} | {
        "made_by": _cause(run.by),
        "held_reasons": run.held_reasons or (),
        "confirmed_by": _cause(run.confirmation),
        "approved_by": _cause(run.approval),
    }


def _cause(of: Cause | None) -> Mapping[str, str] | None:
    return None if of is None else {"name": of.name, "door": of.way, "reason": of.reason}


def _progress(of: Progress) -> dict[str, Any]:
    return {name: getattr(of, name) for name in ProgressShape.model_fields}


def _row(row: RunRow, place: tuple[Place, str | None] | None) -> dict[str, Any]:
    where, reason = place or (None, None)
    names = set(RowShape.model_fields) - {"place", "place_reason"}
    return {name: getattr(row, name) for name in names} | {"place": where, "place_reason": reason}
