"""What we take for granted of a realm's tokens, rights and settings, kept true against the real Keycloak."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import requests

from sync.domain.access import vocabulary
from sync.domain.realm.clients import REALM_MANAGEMENT
from sync.domain.realm.options import CONSOLE_CLIENT, WORKER_CLIENT
from tests.realms import PASSWORD, ConfiguredRealm

pytestmark = pytest.mark.keycloak

TECHNICIAN = vocabulary.profile_group("technician")


def fsm_claim(realm: ConfiguredRealm, user_id: str, client: str = CONSOLE_CLIENT) -> dict[str, Any]:
    """The `fsm` claim of the token that this client would get for the user."""
    uuid_ = realm.get("clients", clientId=client)[0]["id"]
    path = f"clients/{uuid_}/evaluate-scopes/generate-example-access-token"
    return dict(realm.get(path, scope="openid", userId=user_id).get("fsm", {}))


def as_worker(realm: ConfiguredRealm, method: str, path: str, body: Any = None) -> int:
    """A plain request with the least of our service clients; answers the status."""
    form = {"client_id": WORKER_CLIENT, "client_secret": realm.secrets[WORKER_CLIENT]}
    address = f"{realm.url}/realms/{realm.realm}/protocol/openid-connect/token"
    token = requests.post(address, data={"grant_type": "client_credentials", **form}, timeout=30).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    return requests.request(method, realm.path(path), headers=headers, json=body, timeout=30).status_code


def test_a_posted_user_gets_its_groups_and_no_roles(configured_realm: ConfiguredRealm) -> None:
    """So a grant that is a membership costs nothing at creation."""
    realm = configured_realm
    user = realm.create_user(TECHNICIAN, realmRoles=[vocabulary.profile_role("manager")])
    assert [group["path"] for group in realm.get(f"users/{user}/groups")] == [TECHNICIAN]
    roles = {role["name"] for role in realm.get(f"users/{user}/role-mappings/realm")}
    assert roles == {realm.get()["defaultRole"]["name"]}


def test_attributes_of_the_groups_above_reach_the_token(configured_realm: ConfiguredRealm) -> None:
    """So only the groups at the bottom carry any."""
    realm = configured_realm
    user = realm.create_user(TECHNICIAN)
    parent = realm.get(f"group-by-path{vocabulary.PROFILES}")
    realm.send("PUT", f"groups/{parent['id']}", parent | {"attributes": {"fsm_profile": ["above"]}})
    assert sorted(fsm_claim(realm, user)["profile"]) == ["above", "technician"]
    realm.send("PUT", f"groups/{parent['id']}", parent | {"attributes": {}})
    assert fsm_claim(realm, user)["profile"] == ["technician"]


def test_a_single_text_hides_the_second_group(configured_realm: ConfiguredRealm) -> None:
    """The mapper that gives one text chooses one of two groups and says nothing: so ours give lists."""
    realm = configured_realm
    mapper = {
        "name": "one profile",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-usermodel-attribute-mapper",
        "config": {
            "user.attribute": "fsm_profile",
            "claim.name": "one",
            "jsonType.label": "String",
            "access.token.claim": "true",
        },
    }
    realm.send("POST", "clients", {"clientId": "single", "protocolMappers": [mapper]})
    user = realm.create_user(TECHNICIAN, vocabulary.profile_group("dispatcher"))
    client = realm.get("clients", clientId="single")[0]["id"]
    path = f"clients/{client}/evaluate-scopes/generate-example-access-token"
    token = realm.get(path, scope="openid", userId=user)
    assert token["one"] in ("technician", "dispatcher")
    assert sorted(token["fsm"]["profile"]) == ["dispatcher", "technician"]


def test_a_token_shows_only_the_roles_its_scope_lets_through(configured_realm: ConfiguredRealm) -> None:
    """People hold a feature and no application learns of it; a service client holds a right it cannot use."""
    realm = configured_realm
    user = realm.create_user(TECHNICIAN)
    assert "mobile-app" in fsm_claim(realm, user)["features"]
    features = realm.get("clients", clientId=vocabulary.FEATURES_CLIENT)[0]["id"]
    scope = next(each for each in realm.get("client-scopes") if each["name"] == vocabulary.CLAIMS_SCOPE)
    role = realm.get(f"clients/{features}/roles/mobile-app")
    realm.send("DELETE", f"client-scopes/{scope['id']}/scope-mappings/clients/{features}", [role])
    assert "mobile-app" not in fsm_claim(realm, user)["features"]

    assert as_worker(realm, "GET", "events?max=1") == 200
    management = realm.get("clients", clientId=REALM_MANAGEMENT)[0]["id"]
    worker = realm.get("clients", clientId=WORKER_CLIENT)[0]["id"]
    right = realm.get(f"clients/{management}/roles/view-events")
    realm.send("DELETE", f"clients/{worker}/scope-mappings/clients/{management}", [right])
    assert as_worker(realm, "GET", "events?max=1") == 403
    realm.apply()


def test_a_default_scope_reaches_later_clients_only(configured_realm: ConfiguredRealm) -> None:
    """Clients that were there before the scope became a default of the realm get it by hand."""
    realm = configured_realm
    assert (
        vocabulary.CLAIMS_SCOPE not in realm.get("clients", clientId="account-console")[0]["defaultClientScopes"]
    )
    realm.send("POST", "clients", {"clientId": "later"})
    assert vocabulary.CLAIMS_SCOPE in realm.get("clients", clientId="later")[0]["defaultClientScopes"]


def test_who_manages_users_reaches_the_administrators_of_the_realm(configured_realm: ConfiguredRealm) -> None:
    """Keycloak lets our worker's client set their passwords and put people among them: so our gateway refuses."""
    realm = configured_realm
    management = realm.get("clients", clientId=REALM_MANAGEMENT)[0]["id"]
    role = realm.get(f"clients/{management}/roles/realm-admin")
    name = f"masters-{uuid.uuid4().hex[:6]}"
    realm.send("POST", "groups", {"name": name})
    group = realm.get(f"group-by-path/{name}")["id"]
    realm.send("POST", f"groups/{group}/role-mappings/clients/{management}", [role])
    anybody, master = realm.create_user(), realm.create_user(f"/{name}")
    password = {"type": "password", "value": f"{PASSWORD}-new"}
    assert as_worker(realm, "PUT", f"users/{master}/reset-password", password) == 204
    assert as_worker(realm, "PUT", f"users/{anybody}/groups/{group}") == 204
    held = realm.get(f"users/{anybody}/role-mappings/clients/{management}/composite")
    assert "realm-admin" in {each["name"] for each in held}


def test_refreshes_are_not_among_the_events_kept_by_default(configured_realm: ConfiguredRealm) -> None:
    """So the realm as code adds them; logins are."""
    server = configured_realm.server
    kept = server.session().get(f"{server.url}/admin/realms/master/events/config", timeout=30).json()
    assert "LOGIN" in kept["enabledEventTypes"]
    assert "REFRESH_TOKEN" not in kept["enabledEventTypes"]
    assert "REFRESH_TOKEN" in configured_realm.get("events/config")["enabledEventTypes"]


def test_an_answer_carries_no_date(configured_realm: ConfiguredRealm) -> None:
    """So Keycloak's time is taken from the token that we signed in with."""
    assert "Date" not in configured_realm.send("GET", "").headers


def test_usernames_that_may_not_be_edited_are_closed_to_administrators_too(
    configured_realm: ConfiguredRealm,
) -> None:
    """So the realm allows it, and the user profile forbids it to the users."""
    realm = configured_realm
    user = realm.create_user()
    before = realm.username(user)
    realm.send("PUT", "", {"editUsernameAllowed": False})
    try:
        answer = realm.server.session().put(
            realm.path(f"users/{user}"), json={"username": f"new.{before}"}, timeout=30
        )
        assert not answer.ok or realm.username(user) == before
    finally:
        realm.apply()
    realm.send("PUT", f"users/{user}", {"username": f"new.{before}"})
    assert realm.username(user) == f"new.{before}"


def test_passkeys_are_switched_on_only_with_the_settings_beside_them(configured_realm: ConfiguredRealm) -> None:
    """Sent alone the setting is taken and forgotten: so the realm is written whole, as it was read."""
    realm, setting = configured_realm, "webAuthnPolicyPasswordlessPasskeysEnabled"
    before = realm.get()
    wanted = not before.get(setting, False)
    realm.send("PUT", "", {setting: wanted})
    assert realm.get().get(setting, False) is not wanted
    realm.send("PUT", "", before | {setting: wanted})
    assert realm.get().get(setting, False) is wanted
    realm.apply()


def test_a_flow_that_is_in_use_cannot_be_removed(configured_realm: ConfiguredRealm) -> None:
    """An internal error, and it stays: so another one is bound first."""
    realm = configured_realm
    bound = realm.get()["browserFlow"]
    flow = next(each for each in realm.get("authentication/flows") if each["alias"] == bound)
    address = realm.path(f"authentication/flows/{flow['id']}")
    assert realm.server.session().delete(address, timeout=30).status_code == 500
    assert bound in {each["alias"] for each in realm.get("authentication/flows")}


def test_a_group_is_removed_with_all_that_is_in_it(configured_realm: ConfiguredRealm) -> None:
    """Groups below it and memberships go without a question: so a group that is not empty is never removed."""
    realm, name = configured_realm, f"outer-{uuid.uuid4().hex[:6]}"
    outer = realm.send("POST", "groups", {"name": name}).headers["Location"].rpartition("/")[2]
    realm.send("POST", f"groups/{outer}/children", {"name": "inner"})
    user = realm.create_user(f"/{name}/inner")
    realm.send("DELETE", f"groups/{outer}")
    assert realm.get(f"users/{user}/groups") == []


def test_listings_go_by_username_and_leave_service_accounts_out(configured_realm: ConfiguredRealm) -> None:
    """So a page can be taken up by number, and what is counted and not ours is a person of somebody else's."""
    realm, key = configured_realm, uuid.uuid4().hex[:6]
    for name in ("zoe", "adam", "Mia"):
        realm.create_user(username=f"{name}.{key}@example.com")
    names = [user["username"] for user in realm.get("users", max=1000)]
    assert names == sorted(names)
    assert realm.get("users/count") == len(names)
    assert not any(name.startswith("service-account-") for name in names)
