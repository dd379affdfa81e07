"""Every implementation of the port `Accounts`: the fake, and both gateways on a real Keycloak."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator

import pytest

from mappings import load
from mappings.policy import Policy
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.creation.importing import ImportingAccounts
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account
from sync.domain.errors import Failure
from sync.domain.provisioning.change import Change
from sync.domain.provisioning.desired import DesiredState, desired_state
from sync.domain.provisioning.observed import Observed
from sync.domain.provisioning.plan import diff
from sync.ports.accounts import Created, NewUser
from tests.contract.realm_setup import RealmAdmin
from tests.contract.worlds import FakeWorld, KeycloakWorld, Seconds, World
from tests.fakes.accounts import FakeAccounts
from tests.people import an_account

PASSWORD = "abcd-efgh-jkmn-pqrs-tuvw-xyz2"
BRANCH = vocabulary.branch_group("hamburg")
OTHER_BRANCH = vocabulary.branch_group("berlin")
REALM_ROLE_OF_OURS = vocabulary.profile_role("manager")

numbers = itertools.count(1)


@pytest.fixture(scope="module")
def policy() -> Policy:
    """The mapping files that ship."""
    return load(None)


@pytest.fixture(
    scope="module",
    params=[
        "fake",
        pytest.param("fsm-worker", marks=pytest.mark.keycloak),
        pytest.param("fsm-import", marks=pytest.mark.keycloak),
    ],
)
def world(request: pytest.FixtureRequest, policy: Policy) -> Iterator[World]:
    """Each implementation in turn, with what tests do to Keycloak beside it."""
    if request.param == "fake":
        yield FakeWorld(FakeAccounts(policy))
        return
    admin: RealmAdmin = request.getfixturevalue("realm")
    clock = Seconds()
    connection = Connection(admin.server.url, admin.name, request.param, admin.secrets[request.param])
    gateway = {"fsm-worker": KeycloakAccounts, "fsm-import": ImportingAccounts}[request.param]
    yield KeycloakWorld(gateway(connection, policy, now=clock), admin, clock)


def account(**fields: object) -> Account:
    """A technician in Hamburg whose names nobody else has."""
    name = f"tom.{next(numbers)}.{uuid.uuid4().hex[:6]}"
    usual = {
        "given_name": "Tom",
        "family_name": "O'Neill",
        "profile": "technician",
        "team": "hamburg-heizung",
        "technician_id": "T-007",
    }
    return an_account(f"{name}@example.com", **(usual | fields))


def wanted(policy: Policy, **fields: object) -> DesiredState:
    return desired_state(account(**fields), policy)


def create(world: World, *desired: DesiredState) -> list[Created | Failure]:
    outcomes = world.accounts.create([NewUser(each, PASSWORD) for each in desired])
    assert outcomes.keys() == {each.account_id for each in desired}
    return [outcomes[each.account_id] for each in desired]


def created(world: World, desired: DesiredState) -> str:
    [outcome] = create(world, desired)
    assert isinstance(outcome, Created), outcome
    return outcome.idp_user_id


def look(world: World, idp_user_id: str, *, sessions: bool = False) -> Observed:
    observed = world.accounts.observe(idp_user_id, sessions=sessions)
    assert observed is not None
    return observed


def carry_out(world: World, idp_user_id: str, desired: DesiredState) -> tuple[Change, ...]:
    changes = diff(desired, look(world, idp_user_id, sessions=True)).changes
    for change in changes:
        world.accounts.apply(idp_user_id, change)
    return changes
