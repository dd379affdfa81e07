"""`create_api`: the API as an application of its own, mounted by `web.app`; its errors are problems, not pages."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from sync.entrypoints.web.problems import MEDIA_TYPE, ProblemShape, add_problems
from sync.entrypoints.web.rest.parts import Parts
from sync.entrypoints.web.rest.resources import (
    acts,
    audit,
    catalog,
    drift,
    me,
    operations,
    reports,
    runs,
    technicians,
)
from sync.entrypoints.web.rest.resources.accounts import changes, deactivation
from sync.entrypoints.web.rest.resources.accounts import routes as accounts

API_PATH = "/api/v1"


def _problem(description: str) -> dict[str, Any]:
    schema = ProblemShape.model_json_schema()
    errors = schema.pop("$defs")["ErrorShape"]
    schema["properties"]["errors"] = {"type": "array", "items": errors}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


def create_api(parts: Parts, public_url: str) -> FastAPI:
    """`public_url` has no slash at its end."""
    api = FastAPI(
        title="fsm-identity",
        version="1",
        description="Accounts of the field service: who may log in, with which access, and why.",
        docs_url=None,
        redoc_url=None,
        responses={
            "4XX": _problem("Refused; nothing was stored"),
            "5XX": _problem("Not possible just now"),
        },
    )
    add_problems(api, public_url)
    api.state.parts = parts
    resources = (
        me,
        accounts,
        changes,
        deactivation,
        acts,
        technicians,
        catalog,
        runs,
        drift,
        operations,
        audit,
        reports,
    )
    for each in resources:
        api.include_router(each.router)
    return api
