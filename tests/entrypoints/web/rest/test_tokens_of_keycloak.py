"""Tokens that a real Keycloak made, in the realm as we configure it, for a client of the company's own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from examples.browser import CALLBACK, Authenticator, Browser
from sync.domain.accounts.change import NewAccount
from sync.entrypoints.web import create_app
from sync.settings import Settings
from sync.store.accounts import accounts
from sync.store.database.ids import new_id
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from tests.callers import NOW, granted
from tests.entrypoints.web.conftest import MakeSettings
from tests.entrypoints.web.keycloak_login import PUBLIC_URL
from tests.entrypoints.web.rest.conftest import problem
from tests.realms import PASSWORD, ConfiguredRealm

pytestmark = pytest.mark.keycloak

ADMINISTRATOR = ("/fsm/profiles/administrator", "/fsm/data-access/global")


@pytest.fixture
def settings(make_settings: MakeSettings, configured_realm: ConfiguredRealm) -> Settings:
    return make_settings({"url": configured_realm.url, "realm": configured_realm.realm})


@pytest.fixture
def api(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), base_url=PUBLIC_URL) as client:
        yield client


def administrator(settings: Settings, realm: ConfiguredRealm, phone: Authenticator) -> str:
    """An account and its user, with a password and the second factor of an administrator; answers the username."""
    credentials = [{"type": "password", "value": PASSWORD}, phone.credential()]
    user_id = realm.create_user(*ADMINISTRATOR, password=None, credentials=credentials)
    username = realm.username(user_id)
    new = NewAccount(username, "Kim", "Example", "administrator")
    database = Database(settings.database_url.get_secret_value(), Sealer(settings.keys))
    with database.write() as tx:
        accounts.insert(tx, granted(replace(new.account(new_id(NOW), NOW), idp_user_id=user_id)))
    database.close()
    return username


def client(realm: ConfiguredRealm, client_id: str, *scopes: str) -> Browser:
    """A client that somebody of the company made, with these client scopes beside the realm's own."""
    body = {"clientId": client_id, "publicClient": True, "redirectUris": [CALLBACK], "fullScopeAllowed": False}
    made = realm.send("POST", "clients", body).headers["Location"].rpartition("/")[2]
    known = {each["name"]: each["id"] for each in realm.get("client-scopes")}
    for scope in scopes:
        realm.send("PUT", f"clients/{made}/default-client-scopes/{known[scope]}")
    return Browser(realm.url, realm.realm, client_id)


def bearer(browser: Browser, username: str, phone: Authenticator, step: int) -> dict[str, str]:
    page = browser.submit(browser.log_in(username, PASSWORD), otp=phone.code(step))
    return {"Authorization": f"Bearer {browser.tokens(page)['access_token']}"}


@pytest.mark.req("I4")
def test_a_client_with_our_scope_opens_the_api_and_another_one_does_not(
    api: TestClient, settings: Settings, configured_realm: ConfiguredRealm
) -> None:
    """The same person, logged in through two clients: only the one that was given fsm-api gets tokens for us."""
    phone = Authenticator(secrets.token_hex(10))
    username = administrator(settings, configured_realm, phone)
    back_office, field_app = (
        client(configured_realm, "back-office", "fsm-api"),
        client(configured_realm, "field-app"),
    )

    ours = bearer(back_office, username, phone, 0)
    assert api.get("/api/v1/me", headers=ours).json()["administers"] == "everything"
    listed = api.get("/api/v1/accounts", headers=ours).json()["items"]
    assert [each["username"] for each in listed] == [username]

    other = bearer(field_app, username, phone, 1)
    assert problem(api.get("/api/v1/me", headers=other)) == (401, "token-refused")


@pytest.mark.supports("I4")
def test_the_realm_as_code_makes_the_scope_and_keeps_it(configured_realm: ConfiguredRealm) -> None:
    """Somebody changes the audience in Keycloak's console: the plan says so, and applying mends it. No client has
    the scope that nobody gave it to."""
    assert not configured_realm.plan().differences
    scope = next(each for each in configured_realm.get("client-scopes") if each["name"] == "fsm-api")
    (mapper,) = scope["protocolMappers"]
    path = f"client-scopes/{scope['id']}/protocol-mappers/models/{mapper['id']}"
    changed = mapper | {"config": mapper["config"] | {"included.custom.audience": "another"}}
    configured_realm.send("PUT", path, changed)
    assert "fsm-api.audience" in str(configured_realm.plan().differences)
    configured_realm.apply()
    assert not configured_realm.plan().differences
    for console in configured_realm.get("clients", clientId="fsm-console"):
        assert "fsm-api" not in console["defaultClientScopes"] + console["optionalClientScopes"]
