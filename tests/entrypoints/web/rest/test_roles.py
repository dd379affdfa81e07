"""Every route for every role: who may call it, and that nobody else gets further than the door."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.routing import Mount

from sync.domain.accounts.account import Account
from sync.entrypoints.web import create_app
from sync.entrypoints.web.rest.roles import MEANS, ROUTES, Role, Route
from tests.authorisation_table import PAGE, page
from tests.entrypoints.web.rest.conftest import Company, problem


def served(firm: Company) -> Iterator[Route]:
    """The routes of the document of the API."""
    app = create_app(firm.settings)
    api = next(each.app for each in app.routes if isinstance(each, Mount) and each.path == "/api/v1")
    assert isinstance(api, FastAPI)
    for path, methods in api.openapi()["paths"].items():
        for method in methods:
            yield method.upper(), path


@pytest.mark.req("I4")
@pytest.mark.usefixtures("fsm")
def test_every_role_comes_to_its_routes_and_to_no_others(firm: Company) -> None:
    """A route that is in the document and not in the table answers nobody, and fails here."""
    everything = firm.administrator()
    people: dict[Account, frozenset[Role]] = {
        everything: frozenset({Role.OWN, Role.EVERYTHING, Role.OPERATOR}),
        firm.branch_administrator("local", "hamburg"): frozenset({Role.OWN, Role.BRANCH}),
        firm.join("dora"): frozenset({Role.OWN}),
    }
    routes = set(served(firm))
    assert routes == set(ROUTES)
    for method, path in routes:
        named = re.sub(r"\{\w+\}", "0192f0c1-0000-7000-8000-00000000ffff", path)
        for person, roles in people.items():
            headers = {"Authorization": f"Bearer {firm.token(person)}"}
            body = {} if method in {"POST", "PUT", "PATCH"} else None
            answer = firm.api.request(method, f"/api/v1{named}", headers=headers, json=body)
            where = (method, path, person.username)
            if roles & ROUTES[method, path]:
                assert answer.status_code in {200, 400, 404, 422, 428}, where
            else:
                assert problem(answer) == (403, "not-allowed"), where


def test_every_role_is_told_and_none_is_left_open() -> None:
    """A route for nobody would be a mistake; a reviewer has none before there are campaigns."""
    assert set(MEANS) == set(Role)
    assert all(ROUTES.values())
    assert not any(Role.REVIEWER in allowed for allowed in ROUTES.values())


def test_the_page_is_that_of_the_table() -> None:
    """Mend it by `python -m tests.authorisation_table`."""
    assert PAGE.read_text(encoding="utf-8") == page()
