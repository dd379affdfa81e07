"""Default groups and default required actions of the realm: a person has them, whichever way the account came."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mappings.policy import Policy
from mappings.realm import Known
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.creation.importing import ImportingAccounts
from sync.adapters.keycloak.realm.surroundings import read_surroundings
from sync.devstack.services.keycloak_archive import wanted_version
from sync.domain.errors import FailureCode, Misconfigured
from sync.domain.provisioning.plan import diff
from sync.domain.realm.surroundings import habits
from sync.ports.accounts import Accounts, Created, NewUser
from sync.settings import KEYCLOAK_VERSION
from tests.contract.accounts.conftest import PASSWORD, wanted
from tests.contract.realm_setup import RealmAdmin
from tests.contract.worlds import Seconds

pytestmark = [pytest.mark.keycloak, pytest.mark.supports("A9")]

GATEWAYS = {"fsm-worker": KeycloakAccounts, "fsm-import": ImportingAccounts}
ACTION = "UPDATE_PROFILE"


@pytest.fixture(params=GATEWAYS)
def accounts(request: pytest.FixtureRequest, realm: RealmAdmin, policy: Policy) -> Accounts:
    """Each way of creating, with nothing remembered."""
    connection = Connection(realm.server.url, realm.name, request.param, realm.secrets[request.param])
    return GATEWAYS[request.param](connection, policy, now=Seconds())


@contextmanager
def default_group(realm: RealmAdmin, path: str) -> Iterator[None]:
    at = f"default-groups/{realm.group_id(path)}"
    realm.call("PUT", at)
    try:
        yield
    finally:
        realm.call("DELETE", at)


@contextmanager
def default_action(realm: RealmAdmin) -> Iterator[None]:
    at = f"authentication/required-actions/{ACTION}"
    before = realm.read(at)
    realm.call("PUT", at, before | {"enabled": True, "defaultAction": True})
    try:
        yield
    finally:
        realm.call("PUT", at, before)


def test_a_new_person_has_what_the_realm_gives_everybody(
    accounts: Accounts, realm: RealmAdmin, policy: Policy
) -> None:
    """And what is given so is nobody's drift afterwards."""
    desired = wanted(policy)
    with default_group(realm, "/elsewhere"), default_action(realm):
        [made] = accounts.create([NewUser(desired, PASSWORD)]).values()
    assert isinstance(made, Created), made
    seen = accounts.observe(made.idp_user_id, sessions=True)
    assert seen is not None
    assert seen.groups == desired.groups | {"/elsewhere"}
    assert seen.required_actions == {"UPDATE_PASSWORD", ACTION}
    assert diff(desired, seen).changes == ()


def test_the_plan_names_what_everybody_is_given_and_asked_for(realm: RealmAdmin) -> None:
    """And nothing of a realm that is as it came."""
    connection = Connection(realm.server.url, realm.name, "fsm-configure", realm.secrets["fsm-configure"])
    assert [*habits(read_surroundings(connection), Known())] == []
    with default_group(realm, "/elsewhere"), default_action(realm):
        named = " ".join(habits(read_surroundings(connection), Known()))
    assert "the default group /elsewhere" in named
    assert f"has to do {ACTION}" in named


def test_whether_there_are_workflows_cannot_be_read(realm: RealmAdmin) -> None:
    """The feature is on, and the client that configures the realm is refused."""
    connection = Connection(realm.server.url, realm.name, "fsm-configure", realm.secrets["fsm-configure"])
    features = {each["name"]: each["enabled"] for each in connection.get("/serverinfo")["features"]}
    if not features["WORKFLOWS"] and wanted_version() != KEYCLOAK_VERSION:
        pytest.skip(f"NOT RUN: Keycloak {wanted_version()} has workflows off")
    assert features["WORKFLOWS"]
    with pytest.raises(Misconfigured, match="403"):
        connection.get("workflows")


@pytest.mark.parametrize("why", ["ours", "power"])
def test_a_default_group_with_power_is_given_to_nobody(
    accounts: Accounts, realm: RealmAdmin, policy: Policy, why: str
) -> None:
    """One of ours, or one that makes an administrator of the realm: nobody is made, and the group is named."""
    path = "/fsm/profiles/administrator" if why == "ours" else "/elsewhere"
    management = realm.client_id("realm-management")
    at = f"groups/{realm.group_id('/elsewhere')}/role-mappings/clients/{management}"
    role = [realm.read(f"clients/{management}/roles/manage-users")]
    if why == "power":
        realm.call("POST", at, role)
    desired = wanted(policy)
    try:
        with default_group(realm, path):
            try:
                outcome = accounts.create([NewUser(desired, PASSWORD)])[desired.account_id]
            except Misconfigured as refused:
                outcome = refused
    finally:
        if why == "power":
            realm.call("DELETE", at, role)
    assert isinstance(outcome, Misconfigured), outcome
    assert outcome.cause == f"{FailureCode.EXTRA_ROLES} {path}"
    assert realm.read(f"users?username={desired.username}&exact=true") == []
