"""Two workers with the same work at the same time, on a real Keycloak: every user once, no row lost."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from mappings import load
from mappings.policy import Policy
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.creation.importing import ImportingAccounts
from sync.domain.access import vocabulary
from sync.domain.errors import Failure, Transient
from sync.domain.provisioning.desired import DesiredState
from sync.domain.provisioning.observed import ACCOUNT_ID
from sync.ports.accounts import Created, NewUser
from tests.contract.realm_setup import RealmAdmin, make_realm
from tests.services import KeycloakServer

pytestmark = pytest.mark.keycloak

GATEWAYS = {"fsm-worker": KeycloakAccounts, "fsm-import": ImportingAccounts}


@pytest.fixture(scope="module")
def policy() -> Policy:
    """The mapping files that ship."""
    return load(None)


@pytest.fixture(scope="module")
def realm(keycloak_server: KeycloakServer, realm_name: str, policy: Policy) -> RealmAdmin:
    """A realm of this module's own."""
    return make_realm(keycloak_server, realm_name, policy)


def new_user() -> NewUser:
    account_id = str(uuid.uuid4())
    name = f"eva.{account_id[:8]}@example.com"
    groups = frozenset({vocabulary.branch_group("berlin")})
    attributes = {ACCOUNT_ID: (account_id,)}
    return NewUser(DesiredState(account_id, name, name, "Eva", "Kurz", True, attributes, groups, frozenset()))


@pytest.mark.supports("H1")
@pytest.mark.parametrize("client", GATEWAYS)
def test_the_same_users_created_twice_at_once_are_there_once(
    realm: RealmAdmin, policy: Policy, client: str
) -> None:
    """Each worker answers for each user that it is there or that it tries again; a repetition finds them all."""
    users = [new_user() for _ in range(25)]
    start = Barrier(2)

    def work() -> dict[str, Created | Failure]:
        connection = Connection(realm.server.url, realm.name, client, realm.secrets[client])
        accounts = GATEWAYS[client](connection, policy)
        accounts.extra_roles(users[0].desired.groups)
        start.wait(20)
        return dict(accounts.create(users))

    with ThreadPoolExecutor(2) as threads:
        answers = [future.result() for future in [threads.submit(work), threads.submit(work)]]
    for user in users:
        outcomes = [answer[user.desired.account_id] for answer in answers]
        assert all(isinstance(outcome, Created | Transient) for outcome in outcomes), outcomes
        assert sum(isinstance(outcome, Created) and not outcome.existed for outcome in outcomes) == 1
        held = realm.read(f"users?q={ACCOUNT_ID}:{user.desired.account_id}")
        assert [each["username"] for each in held] == [user.desired.username]
    connection = Connection(realm.server.url, realm.name, client, realm.secrets[client])
    again = GATEWAYS[client](connection, policy).create(users)
    assert all(isinstance(outcome, Created) and outcome.existed for outcome in again.values())


@pytest.mark.supports("F4", "H1")
def test_a_chunk_of_which_half_had_landed_is_completed(realm: RealmAdmin, policy: Policy) -> None:
    """A worker died between two chunks: those of before are found, the others are made."""
    users = [new_user() for _ in range(20)]
    connection = Connection(realm.server.url, realm.name, "fsm-import", realm.secrets["fsm-import"])
    accounts = ImportingAccounts(connection, policy)
    accounts.create(users[:9])
    outcomes = list(accounts.create(users).values())
    assert [outcome.existed for outcome in outcomes if isinstance(outcome, Created)] == [True] * 9 + [False] * 11
    assert [outcome.idp_user_id for outcome in outcomes if isinstance(outcome, Created)] == [
        user.desired.account_id for user in users
    ]
