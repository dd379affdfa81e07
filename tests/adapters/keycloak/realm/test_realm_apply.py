"""The realm brought to what the policy says, on a real Keycloak: repeatable, narrow, and whole after a crash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

import mappings
from sync.adapters.keycloak.connection import Connection, segment
from sync.adapters.keycloak.realm.keycloak_realm import KeycloakRealm
from sync.domain.access import vocabulary
from sync.domain.errors import Failure, Misconfigured, NeedsPerson, Refused
from sync.domain.realm.difference import Create, RealmDifference
from sync.domain.realm.item import ItemKind
from sync.realm import plan as realm_as_code
from sync.realm.login import check_login
from tests.realms import ConfiguredRealm, bootstrapped, with_cap
from tests.services import KeycloakServer

pytestmark = [pytest.mark.keycloak, pytest.mark.supports("C8")]


def lines(realm: ConfiguredRealm) -> list[str]:
    return [str(each) for each in realm.plan().differences]


def test_a_second_apply_has_nothing_to_change(configured_realm: ConfiguredRealm) -> None:
    """After an apply the plan is empty."""
    assert lines(configured_realm) == []
    assert configured_realm.plan().findings == ()


def test_the_workers_client_may_run_the_start_up_check(configured_realm: ConfiguredRealm) -> None:
    """And it is content."""
    check_login(configured_realm.gateway("fsm-worker"), configured_realm.policy)


@pytest.mark.supports("A6")
def test_a_person_in_two_profile_groups_shows_both(configured_realm: ConfiguredRealm) -> None:
    """A4: the token does not choose one of two profiles; a reader sees two and refuses."""
    realm = configured_realm
    user = realm.create_user("/fsm/profiles/technician", "/fsm/profiles/dispatcher")
    [client] = realm.get("clients", clientId="fsm-console")
    path = f"clients/{client['id']}/evaluate-scopes/generate-example-access-token"
    claims = realm.get(path, scope="openid", userId=user)["fsm"]
    assert sorted(claims["profile"]) == ["dispatcher", "technician"]


def test_what_is_not_ours_stays(configured_realm: ConfiguredRealm) -> None:
    """Roles, groups, clients, flows, attributes and settings of others are the same after an apply that had to
    repair something of ours."""
    realm = configured_realm
    realm.send("POST", "roles", {"name": "fsm-reporting"})
    realm.send("POST", "groups", {"name": "staff"})
    realm.send("POST", "clients", {"clientId": "payroll"})
    flow = {"alias": "fsmish", "providerId": "basic-flow", "topLevel": True}
    realm.send("POST", "authentication/flows", flow)
    profile = realm.get("users/profile")
    profile["attributes"].append(
        {"name": "shoe_size", "permissions": {"view": ["admin"], "edit": ["admin"]}, "multivalued": False}
    )
    own = [each for each in profile["attributes"] if each["name"] != "technician_id"]
    realm.send("PUT", "users/profile", profile | {"attributes": own})
    realm.send(
        "PUT", "", {"displayNameHtml": "<b>Example</b>", "enabledEventTypes": ["REGISTER"], "failureFactor": 99}
    )

    assert len(realm.apply().differences) == 2

    assert realm.get("roles/fsm-reporting")["name"] == "fsm-reporting"
    assert realm.get("groups", search="staff")[0]["name"] == "staff"
    assert len(realm.get("clients", clientId="payroll")) == 1
    assert "fsmish" in [each["alias"] for each in realm.get("authentication/flows")]
    names = [each["name"] for each in realm.get("users/profile")["attributes"]]
    assert {"shoe_size", "technician_id"} <= set(names)
    settings = realm.get()
    assert (settings["displayNameHtml"], settings["failureFactor"]) == ("<b>Example</b>", 5)
    assert {"REGISTER", "LOGIN"} <= set(settings["enabledEventTypes"])


@pytest.mark.supports("G4")
def test_roles_put_on_our_groups_and_into_our_roles_are_taken(configured_realm: ConfiguredRealm) -> None:
    """Shown as not ours, and gone after the apply."""
    realm = configured_realm
    realm.send("POST", "roles", {"name": "admin-of-everything"})
    role = realm.get("roles/admin-of-everything")
    group = realm.get("group-by-path/fsm/profiles/technician")
    realm.send("POST", f"groups/{group['id']}/role-mappings/realm", [role])
    realm.send("POST", "roles/fsm-profile-technician/composites", [role])
    assert lines(realm) == [
        "~ realm role fsm-profile-technician: composites: - admin-of-everything (not ours)",
        "~ group /fsm/profiles/technician: roles: - admin-of-everything (not ours)",
    ]
    realm.apply()
    assert lines(realm) == []


def test_a_vanished_profile_with_members_is_refused_and_without_them_removed(
    configured_realm: ConfiguredRealm,
) -> None:
    """Nobody loses a profile because a line of a file is gone, whoever came between plan and apply
    (rule: keys-in-use-stay)."""
    realm = configured_realm
    profiles = dict(realm.policy.profiles)
    profiles["intern"] = replace(profiles["read-only"], key="intern", title="Intern", session_cap=None)
    realm.apply(replace(realm.policy, profiles=profiles))
    user = realm.create_user("/fsm/profiles/intern")
    with pytest.raises(Refused, match=r"group /fsm/profiles/intern: .* still has 1 member \("):
        realm.plan()
    realm.send("DELETE", f"users/{user}/groups/{realm.get('group-by-path/fsm/profiles/intern')['id']}")
    assert lines(realm)[-2:] == ["- group /fsm/profiles/intern", "- realm role fsm-profile-intern"]
    planned = realm.plan()
    late = realm.create_user("/fsm/profiles/intern")
    with pytest.raises(NeedsPerson, match=r"/fsm/profiles/intern .* joined it after the plan"):
        realm_as_code.apply(realm.gateway(), realm.policy, planned)
    assert [group["path"] for group in realm.get(f"users/{late}/groups")] == ["/fsm/profiles/intern"]
    realm.send("DELETE", f"users/{late}")
    realm.apply()
    assert lines(realm) == []


@pytest.mark.supports("C6")
def test_ways_around_opened_by_others_are_found(configured_realm: ConfiguredRealm) -> None:
    """A client with its own flow, three with a grant that passes none, an identity provider: named, and left to
    their owners."""
    realm = configured_realm
    browser = next(each for each in realm.get("authentication/flows") if each["alias"] == "browser")
    shortcuts = {
        "door-opener": {
            "protocol": "saml",  # unsigned, or Keycloak makes it a key for half a minute
            "attributes": {"saml.allow.ecp.flow": "true", "saml.client.signature": "false"},
        },
        "partner-portal": {"attributes": {"oauth2.jwt.authorization.grant.enabled": "true"}},
        "phone-bank": {"attributes": {"oidc.ciba.grant.enabled": "true"}},
    }
    opened = {"kiosk": {"authenticationFlowBindingOverrides": {"browser": browser["id"]}}} | shortcuts
    for client, fields in opened.items():
        realm.send("POST", "clients", {"clientId": client, **fields})
    realm.send("POST", "identity-provider/instances", {"alias": "corporate", "providerId": "oidc"})
    plan = realm.plan()
    named = ["kiosk", "corporate", *shortcuts]
    assert [name for name, finding in zip(named, plan.findings, strict=True) if name in finding] == named
    assert plan.differences == ()
    assert not plan.in_order
    for client in opened:
        realm.send("DELETE", f"clients/{realm.get('clients', clientId=client)[0]['id']}")
    realm.send("DELETE", "identity-provider/instances/corporate")


@pytest.mark.supports("C6")
def test_a_flow_changed_by_hand_is_replaced_while_it_is_bound(configured_realm: ConfiguredRealm) -> None:
    """Somebody switched a step of the bound flow off: the check fails, an apply builds a new one and binds it."""
    realm = configured_realm
    bound = realm.get()["browserFlow"]
    path = f"authentication/flows/{bound}/executions"
    step = next(each for each in realm.get(path) if each["displayName"].endswith("otherwise"))
    realm.send("PUT", path, {"id": step["id"], "requirement": "DISABLED", "priority": step["priority"]})
    with pytest.raises(Misconfigured, match=r"browser: login flow .* is not what was built"):
        check_login(realm.gateway("fsm-worker"), realm.policy)
    realm.apply()
    assert realm.get()["browserFlow"] == f"{bound} 2"
    assert bound not in [each["alias"] for each in realm.get("authentication/flows")]
    assert lines(realm) == []


def test_a_group_that_was_renamed_after_the_plan_is_not_touched(configured_realm: ConfiguredRealm) -> None:
    """It is somebody else's by then; the apply names what is missing."""
    realm, path = configured_realm, vocabulary.branch_group("koeln")
    group = realm.get(f"group-by-path{path}")
    at = f"groups/{group['id']}"
    extra = realm.get("roles/offline_access")
    realm.send("POST", f"{at}/role-mappings/realm", [extra])
    gateway = realm.gateway()
    plan = realm_as_code.plan(gateway, realm.policy, realm.options)
    realm.send("PUT", at, {"name": "elsewhere", "attributes": group["attributes"]})
    with pytest.raises(Misconfigured, match=f"group {path} does not exist"):
        realm_as_code.apply(gateway, realm.policy, plan)
    assert [role["name"] for role in realm.get(f"{at}/role-mappings")["realmMappings"]] == ["offline_access"]
    realm.send("PUT", at, {"name": "koeln", "attributes": group["attributes"]})
    realm.apply()
    assert lines(realm) == []


@pytest.mark.supports("C6")
def test_a_flow_that_was_changed_before_it_is_bound_is_not_bound(configured_realm: ConfiguredRealm) -> None:
    """It was built as wanted, and somebody was quicker than the binding: what was bound before stays bound."""
    realm = configured_realm
    bound = realm.get()["browserFlow"]
    built: list[str] = []

    def switch_a_step_off(difference: RealmDifference) -> None:
        if not isinstance(difference, Create) or difference.item.kind is not ItemKind.FLOW:
            return
        if built:
            path = f"authentication/flows/{segment(built[0])}/executions"
            step = next(each for each in realm.get(path) if each["displayName"].endswith("otherwise"))
            realm.send("PUT", path, {"id": step["id"], "requirement": "DISABLED", "priority": step["priority"]})
        built.append(difference.item.name)

    policy = with_cap(realm.policy, "technician", 7, "deny")
    plan = realm.plan(policy)
    with pytest.raises(Misconfigured, match=r"not bound: login flow .* is not what was built"):
        realm_as_code.apply(realm.gateway(), policy, plan, switch_a_step_off)
    assert len(built) > 1
    assert realm.get()["browserFlow"] == bound
    realm.apply()
    assert lines(realm) == []


class Crash(Exception):
    """The process ends here."""


def crash_before(step: str) -> Callable[[RealmDifference], None]:
    def tell(difference: RealmDifference) -> None:
        if str(difference).startswith(step):
            raise Crash(step)

    return tell


def test_an_apply_that_crashed_anywhere_is_finished_by_the_next(
    keycloak_server: KeycloakServer, realm_name: str
) -> None:
    """Cut short at several places, and in the middle of building a flow; at each the bound flow is a whole one,
    and the last apply leaves nothing to change."""
    realm = bootstrapped(keycloak_server, f"{realm_name}-crash", mappings.load())
    try:
        stock = realm.get()["browserFlow"]
        for step in (
            "+ client fsm-worker",
            "+ claim fsm.profile",
            "+ group /fsm/profiles/manager",
            "+ login flow",
        ):
            with pytest.raises(Crash):
                realm_as_code.apply(realm.gateway(), realm.policy, realm.plan(), crash_before(step))
            assert realm.get()["browserFlow"] == stock
        half = f"{vocabulary.ROLE_PREFIX.rstrip('-')} browser 0000000000"
        realm.send("POST", "authentication/flows", {"alias": half, "providerId": "basic-flow", "topLevel": True})
        with pytest.raises(Crash):
            realm_as_code.apply(realm.gateway(), realm.policy, realm.plan(), crash_before("- login flow"))
        check_login(realm.gateway(), realm.policy)
        assert lines(realm) == [f"- login flow {half}"]
        realm.apply()
        assert lines(realm) == []
    finally:
        keycloak_server.session().delete(realm.path(), timeout=60)


def test_bootstrap_makes_the_configuring_client_and_nothing_else(
    keycloak_server: KeycloakServer, realm_name: str
) -> None:
    """A realm with one client of ours; repeated it changes nothing."""
    realm = bootstrapped(keycloak_server, f"{realm_name}-boot", mappings.load())
    try:
        ours = [each["clientId"] for each in realm.get("clients") if each["clientId"].startswith("fsm")]
        assert ours == ["fsm-configure"]
        assert realm.get("groups") == []
        assert realm.get("users") == []
        assert realm.get()["browserFlow"] == "browser"
        administrator = Connection.as_administrator(
            realm.url, realm.realm, keycloak_server.admin, keycloak_server.password
        )
        assert realm_as_code.bootstrap(KeycloakRealm(administrator), realm.options).differences == ()
    finally:
        keycloak_server.session().delete(realm.path(), timeout=60)


def test_a_realm_that_does_not_exist_is_named(configured_realm: ConfiguredRealm) -> None:
    """The message says which realm and what makes it."""
    missing = replace(configured_realm, realm="no-such-realm")
    with pytest.raises(Failure, match=r"no-such-realm.*bootstrap"):
        missing.plan()
