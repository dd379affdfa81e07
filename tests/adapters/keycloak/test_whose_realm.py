"""A realm that another installation keeps, as every writer meets it: nothing is written, reading goes on."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import responses

from mappings.policy import Policy
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.adoption import KeycloakAdoption
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.creation.importing import ImportingAccounts
from sync.adapters.keycloak.credentials import KeycloakCredentials
from sync.domain.errors import FailureCode, Misconfigured
from sync.domain.provisioning.change import Disable, EndSessions
from tests.adapters.keycloak.conftest import REALM, URL, USER, importer, new_user, sent

pytestmark = pytest.mark.supports("H1")

OURS, THEIRS = "installation-1", "installation-2"

WRITERS: dict[str, Callable[[Connection, Policy], object]] = {
    "creating": lambda connection, policy: KeycloakAccounts(connection, policy).create([new_user(policy, 1)]),
    "creating many": lambda where, policy: ImportingAccounts(where, policy).create([new_user(policy, 1)]),
    "a change": lambda connection, policy: KeycloakAccounts(connection, policy).apply("u1", EndSessions("test")),
    "a password": lambda connection, _: KeycloakCredentials(connection).require_password_change("u1"),
    "an unlock": lambda connection, _: KeycloakCredentials(connection).unlock("u1", enable=False),
    "adopting": lambda connection, _: KeycloakAdoption(connection).take("u1", "a1", username="tom", email=""),
    "letting go": lambda connection, _: KeycloakAdoption(connection).release("u1", "a1"),
}


def kept_by(keycloak: responses.RequestsMock, installation: str | None) -> None:
    """The realm says so from now on."""
    attributes = {} if installation is None else {"fsm.installation": installation}
    found = {"realm": "fsm", "defaultRole": {"name": "default-roles-fsm"}, "attributes": attributes}
    keycloak.replace(responses.GET, REALM, json=found)


def written(keycloak: responses.RequestsMock) -> list[str]:
    return [url for method in ("POST", "PUT", "DELETE") for url in sent(keycloak, method)]


def looks(keycloak: responses.RequestsMock) -> int:
    """How often the realm itself was read."""
    return sum(call.request.method == "GET" and call.request.url == REALM for call in keycloak.calls)


@pytest.mark.parametrize("writer", WRITERS)
def test_nothing_is_written_to_the_realm_of_another_installation(
    keycloak: responses.RequestsMock, policy: Policy, writer: str
) -> None:
    """The failure says whose it is, whose our database is, and how to take the realm over; all of Keycloak waits,
    not this one account."""
    kept_by(keycloak, THEIRS)
    with pytest.raises(Misconfigured) as raised:
        WRITERS[writer](Connection(URL, "fsm", "fsm-worker", "secret", installation=OURS), policy)
    assert written(keycloak) == []
    assert (raised.value.code, raised.value.system) == (FailureCode.REALM_OF_ANOTHER, "keycloak")
    for words in (OURS, "FSM_DATABASE_URL", f"fsm-identity realm take-over {THEIRS} --reason"):
        assert words in str(raised.value)


@pytest.mark.parametrize("installation", [OURS, None])
def test_our_realm_and_one_that_is_nobodys_are_written(
    keycloak: responses.RequestsMock, policy: Policy, installation: str | None
) -> None:
    """Before `realm apply` a realm carries no id. Whose it is costs one request, however many are created."""
    kept_by(keycloak, installation)
    everybody = {f"tom.{number}@example.com": f"account-{number}" for number in range(30)}
    keycloak.add_callback(responses.POST, f"{REALM}/partialImport", importer(lambda _: everybody))
    gateway = ImportingAccounts(Connection(URL, "fsm", "fsm-import", "secret", installation=OURS), policy)
    gateway.create([new_user(policy, number) for number in range(30)])
    assert len(sent(keycloak, "POST", "partialImport")) == 3
    assert looks(keycloak) <= 2


def test_a_realm_that_is_taken_away_stops_its_writer_within_seconds(
    keycloak: responses.RequestsMock, policy: Policy
) -> None:
    """The answer counts for ten seconds, a drain's length; a look at the user is not stopped at all. Given back,
    it goes on at once."""
    clock = [100.0]
    connection = Connection(URL, "fsm", "fsm-worker", "secret", installation=OURS)
    gateway = KeycloakAccounts(connection, policy, now=lambda: clock[0], pause=lambda _: None)
    keycloak.post(re.compile(f"{USER}/logout"), status=204)
    kept_by(keycloak, OURS)
    for _ in range(3):
        gateway.apply("u1", EndSessions("test"))
    assert looks(keycloak) == 1
    kept_by(keycloak, THEIRS)
    clock[0] += 11
    with pytest.raises(Misconfigured, match=THEIRS):
        gateway.apply("u1", Disable())
    assert gateway.observe("u1", sessions=False) is not None
    kept_by(keycloak, OURS)
    gateway.apply("u1", EndSessions("test"))
