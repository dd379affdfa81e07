"""Who may ask at all: a genuine token for us, and an account that is now what the token says."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import Mount

from sync.entrypoints.web import create_app
from sync.entrypoints.web.problems import MEANINGS, Code
from tests.claims.issuer import rsa_key
from tests.entrypoints.web.rest.conftest import Company, problem


def test_without_a_token_nobody_is_answered(firm: Company) -> None:
    """The answer says how to come with one."""
    answer = firm.get("/me", None)
    assert problem(answer) == (401, "token-missing")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_every_route_asks_who_it_is(firm: Company) -> None:
    """A route that is added without asking fails here; only the document of the API is for everybody."""
    app = create_app(firm.settings)
    api = next(each.app for each in app.routes if isinstance(each, Mount) and each.path == "/api/v1")
    assert isinstance(api, FastAPI)
    paths = api.openapi()["paths"]
    assert len(paths) >= 4
    for path, methods in paths.items():
        for method in methods:
            named = re.sub(r"\{\w+\}", "any", path)
            answer = firm.api.request(method, f"/api/v1{named}")
            assert problem(answer) == (401, "token-missing"), (method, path)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example.com/realms/fsm"},
        {"aud": ["another-application"]},
        {"aud": ...},
        {"exp": int(time.time()) - 60},
        {"typ": "ID"},
    ],
)
def test_a_token_that_is_not_for_us_is_refused(firm: Company, changes: dict[str, Any]) -> None:
    """Of another issuer, for another application, too old, an ID token."""
    answer = firm.get("/me", firm.token(firm.administrator(), **changes))
    assert problem(answer) == (401, "token-refused")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_a_token_that_nobody_signed_is_refused(firm: Company) -> None:
    """With a key that Keycloak does not publish, with none, with rubbish; the token itself is never told again."""
    good = firm.token(firm.administrator())
    head, body, _ = good.split(".")
    foreign = firm.issuer.sign({"alg": "RS256"}, firm.issuer.claims(), rsa_key("first"))
    for token in (foreign, f"{head}.{body}.", f"{head}.{body}.AAAA", "rubbish", "a.b.c", "x" * 20_000):
        answer = firm.get("/me", token)
        assert problem(answer) == (401, "token-refused"), token[:20]
        assert body not in answer.text


def test_keycloak_is_asked_for_its_keys_alone(firm: Company) -> None:
    """Once for ten requests, and for nothing else."""
    root = firm.administrator()
    for _ in range(10):
        assert firm.get("/accounts", root).status_code == 200
    assert firm.issuer.paths == ["/realms/fsm/protocol/openid-connect/certs"]


@pytest.mark.req("I4")
def test_who_was_demoted_does_nothing_with_the_token_from_before(firm: Company) -> None:
    """Four ways in which an account becomes another one than the token says; reads are refused, too."""
    for number, changed in enumerate(
        ({"profile": "dispatcher"}, {"branch": "berlin"}, {"data_access": "branch"}, {"team": "hamburg-klima"})
    ):
        person = firm.join(f"demoted-{number}", profile="administrator")
        token = firm.token(person)
        assert firm.get("/me", token).status_code == 200
        firm.change(person, **changed)
        answer = firm.get("/me", token)
        assert problem(answer) == (401, "account-changed"), changed
        assert "ask for a new token" in answer.json()["detail"]


@pytest.mark.req("I4")
def test_who_is_wanted_inactive_is_out_at_once(firm: Company) -> None:
    """Before any worker has told Keycloak."""
    person = firm.administrator("leaver")
    token = firm.token(person)
    firm.change(person, life="inactive")
    assert problem(firm.get("/accounts", token)) == (403, "no-account")


def test_a_login_without_an_account_of_ours_is_nobody(firm: Company) -> None:
    """A genuine token of the realm, of a user whom somebody made in Keycloak's console, with a claim and all."""
    stranger = firm.token(firm.administrator(), sub="kc-unknown")
    assert problem(firm.get("/me", stranger)) == (403, "no-account")


def test_two_profiles_in_a_token_are_none(firm: Company) -> None:
    """Somebody put the person into a second group of profiles in Keycloak (A4)."""
    root = firm.administrator()
    answer = firm.get("/me", firm.token(root, fsm={"profile": ["administrator", "dispatcher"]}))
    assert problem(answer) == (401, "account-changed")


def test_every_problem_has_its_page(firm: Company) -> None:
    """`type` of a problem leads there, without logging in."""
    for code in Code:
        page = firm.api.get(f"/problems/{code}")
        assert page.status_code == 200
        assert MEANINGS[code].title.replace("'", "&#39;") in page.text
