"""Keycloak's failures in the middle of the gateway's work, and how many requests the work takes."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import requests
import responses

from mappings.policy import Policy
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.creation.importing import CHUNK, ImportingAccounts
from sync.adapters.keycloak.failures import Unreachable
from sync.domain.access import vocabulary
from sync.domain.errors import NeedsPerson, Transient
from sync.domain.provisioning.change import Disable, EndSessions, JoinGroup
from sync.domain.provisioning.observed import ACCOUNT_ID
from sync.ports.accounts import Created
from tests.adapters.keycloak.conftest import REALM, URL, USER, importer, new_user, sent

LOCKED = {"enabled": False, "attributes": {ACCOUNT_ID: ["a1"], "disabledReason": ["permanentLockout"]}}


NOT_FOUND = {"error": "User not found"}


@pytest.mark.supports("H4")
@pytest.mark.parametrize(("sessions", "requests_needed"), [(False, 5), (True, 7)])
def test_a_look_takes_few_requests(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts, sessions: bool, requests_needed: int
) -> None:
    """User, groups, roles, lockout, realm-management; and sessions, consents. The client's id is read once."""
    one_by_one.observe("u1", sessions=sessions)
    before = len(sent(keycloak, "GET"))
    one_by_one.observe("u1", sessions=sessions)
    assert len(sent(keycloak, "GET")) - before == requests_needed


def test_a_change_right_after_a_look_takes_no_second_look(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts
) -> None:
    """Joining three known groups is three requests; the guard does not read the user again."""
    keycloak.put(re.compile(rf"{USER}/groups/.*"), status=204)
    one_by_one.observe("u1", sessions=False)
    for _ in range(2):
        before = len(keycloak.calls)
        for branch in ("hamburg", "berlin", "leipzig"):
            one_by_one.apply("u1", JoinGroup(vocabulary.branch_group(branch)))
    assert len(keycloak.calls) - before == 3


def test_a_change_without_a_look_looks_first(keycloak: responses.RequestsMock, policy: Policy) -> None:
    """Seconds after its last look, the gateway reads again whose user it is."""
    now = [0.0]
    accounts = KeycloakAccounts(Connection(URL, "fsm", "fsm-worker", "secret"), policy, now=lambda: now[0])
    accounts.observe("u1", sessions=False)
    now[0] += 11
    keycloak.replace(responses.GET, USER, json={"id": "u1", "username": "tom", "enabled": True})
    with pytest.raises(Exception, match="no account id of ours"):
        accounts.apply("u1", Disable())
    assert sent(keycloak, "PUT") == []


def test_a_group_is_looked_at_once_for_many_accounts(
    keycloak: responses.RequestsMock, importing: ImportingAccounts, policy: Policy
) -> None:
    """A drain of hundreds reads the roles of its groups once, not once an account; the realm for its switches
    and for its default role."""
    keycloak.get(f"{REALM}/groups/g1/role-mappings", json={})
    keycloak.add_callback(responses.POST, f"{REALM}/partialImport", importer(lambda names: names))
    users = [new_user(policy, number) for number in range(100)]
    for user in users:
        importing.extra_roles(user.desired.groups)
    outcomes = importing.create(users)
    assert all(isinstance(outcome, Created) for outcome in outcomes.values())
    counted = Counter(sent(keycloak, "GET"))
    assert {url: count for url, count in counted.items() if count > 1} == {"groups/g1/role-mappings": 7, REALM: 2}
    assert len(sent(keycloak, "POST", "partialImport")) == 100 / CHUNK


@pytest.mark.supports("A8", "D6")
def test_a_lockout_that_is_none_is_not_believed(keycloak: responses.RequestsMock, policy: Policy) -> None:
    """While a login ends Keycloak shows the user as locked for good for some milliseconds
    (fact: lockouts-flicker)."""
    ours = {"id": "u1", "username": "tom", "enabled": True, "attributes": {ACCOUNT_ID: ["a1"]}}
    keycloak.remove(responses.GET, USER)
    for shown in (ours | LOCKED, ours | LOCKED, ours):
        keycloak.get(USER, json=shown)
    pauses: list[float] = []
    accounts = KeycloakAccounts(Connection(URL, "fsm", "fsm-worker", "secret"), policy, pause=pauses.append)
    observed = accounts.observe("u1", sessions=False)
    assert observed is not None
    assert observed.enabled
    assert not observed.lock.permanent
    assert len(pauses) == 2


@pytest.mark.supports("A8")
def test_a_lockout_whose_record_was_cleared_is_believed_in_the_end(
    keycloak: responses.RequestsMock, policy: Policy
) -> None:
    """Clearing the failures does not lift a permanent lockout (fact: enabling-lifts-a-lockout)."""
    keycloak.replace(responses.GET, USER, json={"id": "u1", "username": "tom"} | LOCKED)
    pauses: list[float] = []
    accounts = KeycloakAccounts(Connection(URL, "fsm", "fsm-worker", "secret"), policy, pause=pauses.append)
    observed = accounts.observe("u1", sessions=False)
    assert observed is not None
    assert observed.lock.permanent
    assert 0 < sum(pauses) < 1


@pytest.mark.supports("D6")
def test_a_deactivation_that_did_nothing_is_noticed(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts
) -> None:
    """Keycloak answered 204 and still shows the user as enabled."""
    with pytest.raises(Transient, match="still enabled"):
        one_by_one.apply("u1", Disable())


@pytest.mark.supports("D6")
def test_sessions_that_do_not_end_are_noticed(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts
) -> None:
    """Keycloak answered 204 and a session is still there."""
    keycloak.post(f"{USER}/logout", status=204)
    keycloak.get(f"{USER}/sessions", json=[{"id": "s1"}])
    keycloak.remove(responses.GET, re.compile(rf"{USER}/(groups|role-mappings|sessions|consents).*"))
    keycloak.get(re.compile(rf"{USER}/(groups|role-mappings|consents).*"), json=[])
    with pytest.raises(Transient, match="1 sessions"):
        one_by_one.apply("u1", EndSessions("test"))


@pytest.mark.supports("D6")
def test_a_consent_that_is_gone_already_is_no_failure(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts
) -> None:
    """Two workers, or a token that ran out in between."""
    keycloak.post(f"{USER}/logout", status=204)
    keycloak.remove(responses.GET, re.compile(rf"{USER}/(groups|role-mappings|sessions|consents).*"))
    keycloak.get(re.compile(rf"{USER}/(groups|role-mappings|sessions).*"), json=[])
    keycloak.get(f"{USER}/consents", json=[{"clientId": "app", "additionalGrants": [{"key": "Offline Token"}]}])
    keycloak.get(f"{USER}/consents", json=[])
    keycloak.delete(f"{USER}/consents/app", status=404, json={"error": "Consent nor offline token not found"})
    one_by_one.apply("u1", EndSessions("test"))
    assert sent(keycloak, "DELETE") == ["users/u1/consents/app"]


def test_a_user_that_vanishes_during_a_look_is_absent(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts
) -> None:
    """Found at the first request, gone at the second, and gone when asked again."""
    keycloak.remove(responses.GET, re.compile(rf"{USER}/(groups|role-mappings|sessions|consents).*"))
    keycloak.get(re.compile(rf"{USER}/.*"), status=404, json=NOT_FOUND)
    keycloak.get(USER, status=404, json=NOT_FOUND)
    assert one_by_one.observe("u1", sessions=False) is None


def test_a_realm_made_anew_is_noticed_at_the_next_look(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts
) -> None:
    """Its client realm-management has another id: one look fails, the next one knows."""
    one_by_one.observe("u1", sessions=False)
    keycloak.replace(
        responses.GET, re.compile(rf"{REALM}/clients\?clientId=realm-management"), json=[{"id": "rm2"}]
    )
    keycloak.remove(responses.GET, re.compile(rf"{USER}/(groups|role-mappings|sessions|consents).*"))
    keycloak.get(re.compile(rf"{USER}/(groups|role-mappings/realm|role-mappings/clients/rm2).*"), json=[])
    keycloak.get(
        re.compile(rf"{USER}/role-mappings/clients/rm/.*"), status=404, json={"error": "Client not found"}
    )
    with pytest.raises(NeedsPerson):
        one_by_one.observe("u1", sessions=False)
    assert one_by_one.observe("u1", sessions=False) is not None


@pytest.mark.supports("H2")
@pytest.mark.parametrize(
    "at", ["groups", "role-mappings/realm", "role-mappings/clients/rm/composite", "sessions", "consents"]
)
def test_a_look_that_fails_in_the_middle_is_a_failure(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts, at: str
) -> None:
    """Half a look is never taken for a user without groups or sessions."""
    rest = [each for each in ("groups", "role-mappings", "sessions", "consents") if not at.startswith(each)]
    keycloak.remove(responses.GET, re.compile(rf"{USER}/(groups|role-mappings|sessions|consents).*"))
    keycloak.get(re.compile(rf"{USER}/{at}(\?.*)?$"), body=requests.exceptions.ReadTimeout())
    keycloak.get(re.compile(rf"{USER}/({'|'.join(rest)}|role-mappings).*"), json=[])
    with pytest.raises(Unreachable):
        one_by_one.observe("u1", sessions=True)


@pytest.mark.supports("H2")
@pytest.mark.parametrize(
    ("status", "others", "system"),
    [(500, 200, None), (500, 500, "keycloak"), (503, 200, "keycloak")],
)
def test_a_user_that_alone_cannot_be_read_opens_no_circuit(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts, status: int, others: int, system: str | None
) -> None:
    """Keycloak answers 500 for this user, again and again: whether it does for all, another user tells."""
    keycloak.replace(responses.GET, USER, status=status, json={"error": "unknown_error"})
    keycloak.replace(responses.GET, re.compile(rf"{REALM}/users\?.*"), status=others, json=[{"id": "u2"}])
    with pytest.raises(Transient) as raised:
        one_by_one.observe("u1", sessions=False)
    assert raised.value.system == system
