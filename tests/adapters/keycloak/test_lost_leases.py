"""A lease that is lost between two requests of one conversation with Keycloak: nothing more is sent, whichever
gateway it is and however many threads it sends from."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
import responses

from mappings.policy import Policy
from sync.adapters import deadline
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.adoption import KeycloakAdoption
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.creation.importing import ImportingAccounts
from sync.adapters.keycloak.credentials import KeycloakCredentials
from sync.adapters.keycloak.events import KeycloakAdminEvents, KeycloakLoginEvents
from sync.adapters.keycloak.failures import Unreachable
from sync.adapters.keycloak.listing import KeycloakListing
from sync.adapters.keycloak.realm.keycloak_realm import KeycloakRealm
from sync.domain.access import vocabulary
from sync.domain.errors import Failure, FailureCode, Transient
from sync.domain.provisioning.change import EndSessions
from sync.ports.lease import kept
from tests.adapters.keycloak.conftest import REALM, URL, USER, new_user, sent

pytestmark = pytest.mark.supports("H1")

GROUP = vocabulary.profile_group("technician")


class Lost:
    """Keeps a lease for some requests; then it is somebody else's."""

    def __init__(self, requests: int) -> None:
        self.left = requests

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Transient("the lease was lost", code=FailureCode.LEASE_LOST)


CONVERSATIONS: dict[str, Callable[[Connection, Policy], object]] = {
    "a look": lambda connection, policy: KeycloakAccounts(connection, policy).observe("u1", sessions=True),
    "a look at many": lambda connection, policy: KeycloakAccounts(connection, policy).observe_many(["u1", "u2"]),
    "the roles of groups": lambda connection, policy: KeycloakAccounts(connection, policy).extra_roles([GROUP]),
    "a change": lambda connection, policy: KeycloakAccounts(connection, policy).apply("u1", EndSessions("test")),
    "credentials": lambda connection, _: KeycloakCredentials(connection).require_password_change("u1"),
    "the groups of a listing": lambda connection, policy: KeycloakListing(connection, policy).groups(),
    "a listing from threads": lambda connection, policy: list(
        KeycloakListing(connection, policy, page=1).pages([], ["fsm-one", "fsm-two"])
    ),
    "adopting": lambda connection, _: KeycloakAdoption(connection).take("u1", "a1", username="tom", email=""),
    "login events": lambda connection, _: list(KeycloakLoginEvents(connection, page=1).since(None)),
    "admin events": lambda connection, _: list(KeycloakAdminEvents(connection, page=1).since(None)),
    "the realm": lambda connection, _: KeycloakRealm(connection).observe(),
}


@pytest.fixture
def whole(keycloak: responses.RequestsMock) -> responses.RequestsMock:
    """It has something for every conversation, and lists without an end."""
    group = {"id": "g1", "path": GROUP, "subGroupCount": 1}
    keycloak.replace(responses.GET, re.compile(rf"{REALM}/group-by-path/.*"), json=group)
    keycloak.get(re.compile(rf"{REALM}/groups/g1/role-mappings"), json={})
    keycloak.post(re.compile(f"{USER}/.*"), status=204)
    everything = dict.fromkeys(("id", "name", "username", "path"), "x") | {"time": 1, "type": "LOGIN"}
    keycloak.get(re.compile(f"{REALM}/.*"), json=[everything])
    return keycloak


@pytest.mark.parametrize("conversation", CONVERSATIONS)
@pytest.mark.parametrize("kept_for", [0, 1, 2, 3])
def test_nothing_more_is_sent_once_the_lease_is_lost(
    whole: responses.RequestsMock, policy: Policy, conversation: str, kept_for: int
) -> None:
    """The sign-in is a request like any other: without the lease not even that is sent."""
    connection = Connection(URL, "fsm", "fsm-worker", "secret")
    with pytest.raises(Failure) as raised, kept(Lost(kept_for)):
        CONVERSATIONS[conversation](connection, policy)
    assert raised.value.code is FailureCode.LEASE_LOST
    assert len(whole.calls) == kept_for


@pytest.mark.parametrize("signed_in", [True, False])
def test_who_was_frozen_after_keeping_the_lease_sends_nothing(
    keycloak: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, *, signed_in: bool
) -> None:
    """By then the lease may be somebody else's; the deadline began before it was kept and has passed."""
    clock = [time.monotonic()]
    monkeypatch.setattr(deadline.time, "monotonic", lambda: clock[0])
    connection = Connection(URL, "fsm", "fsm-worker", "secret", timeout_seconds=10)
    if signed_in:
        connection.get("users/u1")
    before = len(keycloak.calls)

    def frozen() -> None:
        clock[0] += 11

    with pytest.raises(Unreachable, match="in time"), kept(frozen):
        connection.put("users/u1", {"enabled": True})
    assert len(keycloak.calls) == before


def test_a_lease_lost_between_two_requests_of_one_change_stops_the_second(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts
) -> None:
    """The sessions are ended; the offline tokens are not touched, for the account is somebody else's by then."""
    one_by_one.observe("u1", sessions=False)
    keycloak.post(f"{USER}/logout", status=204)
    before = len(keycloak.calls)
    with pytest.raises(Transient, match="the lease was lost"), kept(Lost(1)):
        one_by_one.apply("u1", EndSessions("test"))
    assert [call.request.method for call in list(keycloak.calls)[before:]] == ["POST"]


def test_a_look_keeps_the_lease_before_each_of_its_requests(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts
) -> None:
    """So a look may take longer than a lease, as long as no single request does."""
    one_by_one.observe("u1", sessions=True)
    before, keep = len(keycloak.calls), Lost(100)
    with kept(keep):
        one_by_one.observe("u1", sessions=True)
    assert len(keycloak.calls) - before == 100 - keep.left


def test_who_creates_many_sends_no_chunk_after_the_lease_is_lost(
    keycloak: responses.RequestsMock, importing: ImportingAccounts, policy: Policy
) -> None:
    """Whoever was not sent has that failure as outcome, so another worker makes the user."""
    users = [new_user(policy, number) for number in range(3)]
    with pytest.raises(Failure) as raised, kept(Lost(1)):
        importing.create(users)
    assert raised.value.code is FailureCode.LEASE_LOST
    assert sent(keycloak, "POST", "partialImport") == []
