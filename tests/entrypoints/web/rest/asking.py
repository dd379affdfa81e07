"""Acts over the API, on a company whose workers nobody has started."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.routing import Mount

from sync.desk import Desk
from sync.domain.accounts.account import Account
from tests.entrypoints.web.rest.conftest import Company


def ask(firm: Company, method: str, path: str, by: Account, **content: Any) -> Any:
    """The answer to this person."""
    headers = {"Authorization": f"Bearer {firm.token(by)}"}
    return firm.api.request(method, f"/api/v1{path}", headers=headers, json=content)


def send(firm: Company, method: str, path: str, by: Account, version: int | None = 1, **content: Any) -> Any:
    """`ask` for a change of this version, with a reason. `version` None: none is named."""
    headers = {"Authorization": f"Bearer {firm.token(by)}"}
    headers |= {} if version is None else {"If-Match": f'"{version}"'}
    return firm.api.request(method, f"/api/v1{path}", headers=headers, json={"reason": "as agreed"} | content)


def desk_of(firm: Company) -> Desk:
    """What the web process works on."""
    app: Any = firm.api.app
    api = next(each.app for each in app.routes if isinstance(each, Mount) and each.path == "/api/v1")
    assert isinstance(api, FastAPI)
    found: Desk = api.state.parts.desk()
    return found
