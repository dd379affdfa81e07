"""A token that a real Keycloak made, with the claim nested by dotted mapper names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import requests

from sync.claims import ClaimsReader, LiveCheck, LiveCheckUnavailable, NoAccess, SessionEnded
from tests.services import KeycloakServer

pytestmark = [pytest.mark.keycloak, pytest.mark.req("A6")]


@dataclass(frozen=True)
class Realm:
    """A realm with a public client `app`, whose tokens are for `work-orders`, and two profile groups."""

    issuer: str
    admin_url: str
    server: KeycloakServer

    def user(self, name: str, *groups: str) -> str:
        answer = self.server.session().post(
            f"{self.admin_url}/users",
            json={
                "username": name,
                "email": f"{name}@example.com",
                "firstName": name,
                "lastName": "Example",
                "enabled": True,
                "groups": list(groups),
                "credentials": [{"type": "password", "value": "long-enough-1", "temporary": False}],
            },
            timeout=20,
        )
        answer.raise_for_status()
        return answer.headers["Location"].rsplit("/", 1)[1]

    def login(self, name: str) -> dict[str, Any]:
        answer = requests.post(
            f"{self.issuer}/protocol/openid-connect/token",
            data={
                "grant_type": "password",
                "client_id": "app",
                "username": name,
                "password": "long-enough-1",
                "scope": "openid",
            },
            timeout=20,
        )
        answer.raise_for_status()
        tokens: dict[str, Any] = answer.json()
        return tokens


def attribute(name: str, *, multivalued: bool) -> dict[str, Any]:
    return {
        "name": name,
        "protocol": "openid-connect",
        "protocolMapper": "oidc-usermodel-attribute-mapper",
        "config": {
            "user.attribute": f"fsm_{name}",
            "claim.name": f"fsm.{name}",
            "jsonType.label": "String",
            "access.token.claim": "true",
            "id.token.claim": "true",
            "multivalued": str(multivalued).lower(),
            "aggregate.attrs": str(multivalued).lower(),
        },
    }


@pytest.fixture(scope="module")
def realm(keycloak_server: KeycloakServer, realm_name: str) -> Realm:
    session = keycloak_server.session()
    admin_url = f"{keycloak_server.url}/admin/realms/{realm_name}"
    audience = {
        "name": "audience",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-audience-mapper",
        "config": {"included.custom.audience": "work-orders", "access.token.claim": "true"},
    }
    app = {
        "clientId": "app",
        "publicClient": True,
        "directAccessGrantsEnabled": True,
        "protocolMappers": [
            attribute("profile", multivalued=True),
            attribute("features", multivalued=True),
            attribute("data_access", multivalued=False),
            audience,
        ],
    }
    bodies: list[tuple[str, dict[str, Any]]] = [
        (
            f"{keycloak_server.url}/admin/realms",
            {"realm": realm_name, "enabled": True, "accessTokenLifespan": 300},
        ),
        (f"{admin_url}/clients", app),
        (f"{admin_url}/clients", {"clientId": "work-orders", "secret": "checks", "publicClient": False}),
        (f"{admin_url}/clients", {"clientId": "payroll", "secret": "checks", "publicClient": False}),
    ]
    for profile, features in (("dispatcher", ["scheduling", "work-orders"]), ("manager", ["reports"])):
        attributes = {"fsm_profile": [profile], "fsm_features": features, "fsm_data_access": ["branch"]}
        bodies.append((f"{admin_url}/groups", {"name": profile, "attributes": attributes}))
    for url, body in bodies:
        session.post(url, json=body, timeout=60).raise_for_status()
    return Realm(f"{keycloak_server.url}/realms/{realm_name}", admin_url, keycloak_server)


def test_a_token_of_keycloak_is_read(realm: Realm) -> None:
    """Attributes of the profile's group arrive as the claim, verified with the realm's published key."""
    user_id = realm.user("anna", "/dispatcher")
    claims = ClaimsReader.for_keycloak(realm.issuer, audience="work-orders").read(
        realm.login("anna")["access_token"]
    )
    assert (claims.subject, claims.profile, claims.data_access) == (user_id, "dispatcher", "branch")
    assert claims.features == {"scheduling", "work-orders"}
    assert claims.session_id


@pytest.mark.req("A4")
def test_somebody_in_two_profile_groups_has_no_access(realm: Realm) -> None:
    """Keycloak lists both profiles, and the reader takes neither; somebody in none has none."""
    realm.user("bert", "/dispatcher", "/manager")
    realm.user("cora")
    reader = ClaimsReader.for_keycloak(realm.issuer, authorized_parties=["app"])
    with pytest.raises(NoAccess, match="2 values for profile"):
        reader.read(realm.login("bert")["access_token"])
    with pytest.raises(NoAccess):
        reader.read(realm.login("cora")["access_token"])


def test_an_id_token_is_no_access_token(realm: Realm) -> None:
    """The ID token has the same claim, key and issuer, and is still refused."""
    realm.user("dora", "/manager")
    reader = ClaimsReader.for_keycloak(realm.issuer, authorized_parties=["app"])
    with pytest.raises(Exception, match="not a bearer access token"):
        reader.read(realm.login("dora")["id_token"])


@pytest.mark.req("D6")
def test_the_live_check_sees_a_deactivation_the_token_does_not(realm: Realm) -> None:
    """Disabled: the access token still verifies, Keycloak calls it inactive. A client outside the audience is
    told "inactive" from the start, and one with a wrong secret gets no answer: both stay closed."""
    user_id = realm.user("emil", "/dispatcher")
    token = realm.login("emil")["access_token"]
    reader = ClaimsReader.for_keycloak(realm.issuer, audience="work-orders")
    live = LiveCheck.for_keycloak(realm.issuer, "work-orders", "checks")
    live.check(token)
    with pytest.raises(SessionEnded):
        LiveCheck.for_keycloak(realm.issuer, "payroll", "checks").check(token)
    with pytest.raises(LiveCheckUnavailable):
        LiveCheck.for_keycloak(realm.issuer, "work-orders", "wrong").check(token)
    realm.server.session().put(
        f"{realm.admin_url}/users/{user_id}", json={"enabled": False}, timeout=20
    ).raise_for_status()
    assert reader.read(token).subject == user_id
    with pytest.raises(SessionEnded):
        live.check(token)
