"""A person logs in at a real Keycloak, sees the own account, and logs out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests
from cryptography.fernet import Fernet
from fastapi import FastAPI
from lxml import html
from starlette.testclient import TestClient

from sync.entrypoints.web import create_app
from sync.settings import Settings
from sync.store.accounts import accounts
from sync.store.audit import trail
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from tests.callers import granted, wanted_by
from tests.entrypoints.web.conftest import MakeSettings
from tests.entrypoints.web.console.test_own_account import ACCOUNT
from tests.entrypoints.web.keycloak_login import PUBLIC_URL, Person
from tests.realms import PASSWORD, ConfiguredRealm

pytestmark = [pytest.mark.keycloak, pytest.mark.req("I5")]

GROUPS = (
    "/fsm/profiles/technician",
    "/fsm/branches/hamburg",
    "/fsm/teams/hamburg-klima",
    "/fsm/data-access/personal",
)


@pytest.fixture
def settings(make_settings: MakeSettings, configured_realm: ConfiguredRealm) -> Settings:
    secret = configured_realm.secrets["fsm-console"]
    return make_settings({"url": configured_realm.url, "realm": configured_realm.realm, "console_secret": secret})


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


def store_account(settings: Settings, user_id: str, username: str) -> None:
    database = Database(settings.database_url.get_secret_value(), Sealer([Fernet.generate_key().decode()]))
    account = replace(ACCOUNT, idp_user_id=user_id, username=username, email=username)
    with database.write() as tx:
        accounts.insert(tx, granted(account))
        by = wanted_by("ada", "hired as <b>technician</b>")
        trail.record_assignments(tx, [account], by, datetime(2026, 3, 1, 8, 0, tzinfo=UTC))


def text_of(page: str) -> str:
    return " ".join(html.fromstring(page).text_content().split())


def test_a_person_sees_the_own_account_and_why(
    app: FastAPI, settings: Settings, configured_realm: ConfiguredRealm
) -> None:
    """Through Keycloak's login form to the page: profile, branch, team, data access, technician, and who gave
    them. Logging out ends the single sign-on session too."""
    user_id = configured_realm.create_user(*GROUPS, attributes={"technician_id": ["T-0042"]})
    username = configured_realm.username(user_id)
    store_account(settings, user_id, username)
    person = Person(app)

    arrived = person.console.get(person.login(username, PASSWORD))
    assert (arrived.status_code, arrived.headers["Location"]) == (303, "/")
    page = person.console.get("/")
    assert page.status_code == 200
    seen = text_of(page.text)
    for part in ("Anna Ek", username, "Technician", "Personal", "Hamburg", "Klima", "T-0042", "Mobile app"):
        assert part in seen
    who, why = "an administrator of Nordwind Gebäudetechnik", "hired as <b>technician</b>"
    given = f"Profile, data access, branch, team and technician record: since 1 March 2026, 09:00, by {who}"
    assert f"{given} (command line): {why}" in seen
    assert seen.count(why) == 1
    assert "ada" not in seen
    assert "on its way" not in seen

    leaving = person.console.post("/logout")
    assert leaving.status_code == 303
    back = person.at_keycloak("GET", leaving.headers["Location"])
    assert back.headers["Location"] == f"{PUBLIC_URL}/logged-out"
    assert "You are logged out" in person.console.get("/logged-out").text
    assert person.console.get("/").headers["Location"] == "/login"
    again = person.at_keycloak("GET", person.console.get("/login").headers["Location"])
    assert "kc-form-login" in again.text


def test_the_request_to_keycloak_is_protected(app: FastAPI, configured_realm: ConfiguredRealm) -> None:
    """Code flow with PKCE S256, state and nonce, and a redirect to our own address whatever the Host says."""
    console = TestClient(app, base_url="http://elsewhere.example.com", follow_redirects=False)
    location = urlsplit(console.get("/login").headers["Location"])
    query = {name: values[0] for name, values in parse_qs(location.query).items()}
    assert location.path == f"/realms/{configured_realm.realm}/protocol/openid-connect/auth"
    assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
    assert query["redirect_uri"] == f"{PUBLIC_URL}/callback"
    assert min(len(query[name]) for name in ("state", "nonce", "code_challenge")) >= 20


@pytest.mark.parametrize("asked", [f"{PUBLIC_URL}/elsewhere", "https://elsewhere.example.com/callback"])
def test_keycloak_sends_a_code_to_no_other_address(
    app: FastAPI, configured_realm: ConfiguredRealm, asked: str
) -> None:
    """Not even to another page of ours: only the callback knows what to do with a code."""
    console = TestClient(app, base_url=PUBLIC_URL, follow_redirects=False)
    location = console.get("/login").headers["Location"]
    assert requests.get(location, timeout=30).status_code == 200
    bent = location.replace(quote(f"{PUBLIC_URL}/callback", safe=""), quote(asked, safe=""))
    assert bent != location
    refused = requests.get(bent, timeout=30, allow_redirects=False)
    assert refused.status_code == 400
    assert "Invalid parameter: redirect_uri" in refused.text


def test_a_callback_nobody_asked_for_is_refused(app: FastAPI, configured_realm: ConfiguredRealm) -> None:
    """A code of somebody else's login, a replayed code, or an error: nobody is logged in by it."""
    user_id = configured_realm.create_user(*GROUPS)
    callback = Person(app).login(configured_realm.username(user_id), PASSWORD)
    stranger = TestClient(app, base_url=PUBLIC_URL, follow_redirects=False)
    for path in (callback, "/callback", "/callback?error=access_denied&state=x", "/callback?code=x&state=y"):
        answer = stranger.get(path)
        assert answer.status_code == 400
        assert "The login was not completed" in answer.text
    assert stranger.get("/").headers["Location"] == "/login"


@pytest.mark.req("A4")
def test_two_profiles_are_no_access(app: FastAPI, settings: Settings, configured_realm: ConfiguredRealm) -> None:
    """Somebody in two profile groups is told so, sees nothing else, and can log out."""
    user_id = configured_realm.create_user(*GROUPS, "/fsm/profiles/read-only")
    username = configured_realm.username(user_id)
    store_account(settings, user_id, username)
    person = Person(app)
    person.console.get(person.login(username, PASSWORD))
    page = person.console.get("/")
    assert page.status_code == 403
    assert "2 values for profile" in page.text
    assert "Hamburg" not in page.text
    assert 'action="/logout"' in page.text


def test_somebody_we_keep_no_account_of_is_told(app: FastAPI, configured_realm: ConfiguredRealm) -> None:
    """A user of the realm, with a profile, that our database does not know."""
    user_id = configured_realm.create_user(*GROUPS)
    person = Person(app)
    person.console.get(person.login(configured_realm.username(user_id), PASSWORD))
    page = person.console.get("/")
    assert page.status_code == 404
    assert "There is no account for you here" in page.text


@pytest.mark.supports("D6")
def test_a_forged_cookie_opens_nothing(app: FastAPI) -> None:
    """The session cookie is signed; one that is not ours is no session."""
    console = TestClient(app, base_url=PUBLIC_URL, follow_redirects=False)
    console.cookies.set("fsm", "eyJ2aXNpdCI6IHsic3ViamVjdCI6ICJ4In19.aaaa.bbbb")
    assert console.get("/").headers["Location"] == "/login"


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(
    make_settings: MakeSettings, configured_realm: ConfiguredRealm
) -> None:
    """HttpOnly and SameSite always; over https also Secure, and bound to the host by its name."""
    keycloak = {"url": configured_realm.url, "realm": configured_realm.realm}
    plain = TestClient(create_app(make_settings(keycloak)), base_url=PUBLIC_URL, follow_redirects=False)
    assert {"httponly", "samesite=lax"} <= attributes_of(plain.get("/login"))
    url = "https://accounts.example.com"
    safe = TestClient(create_app(make_settings(keycloak, public_url=url)), base_url=url, follow_redirects=False)
    answer = safe.get("/login")
    assert {"httponly", "samesite=lax", "secure", "path=/"} <= attributes_of(answer)
    assert answer.headers["Set-Cookie"].startswith("__Host-fsm=")
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def attributes_of(answer: requests.Response | object) -> set[str]:
    header = str(answer.headers["Set-Cookie"])  # type: ignore[attr-defined]
    return {part.strip().lower() for part in header.split(";")[1:]}
