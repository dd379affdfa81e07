"""What every implementation of the port `Adoption` promises: the fake, and the one on a real Keycloak."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest

from mappings import load
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.adoption import KeycloakAdoption
from sync.adapters.keycloak.connection import Connection
from sync.domain.errors import Conflict, NeedsPerson, Unsafe
from sync.domain.provisioning.observed import TECHNICIAN_ID, Observed
from sync.domain.realm.options import WORKER_CLIENT
from sync.ports.adoption import Adoption
from tests.contract.realm_setup import FOREIGN_ATTRIBUTE, RealmAdmin
from tests.contract.worlds import FakeWorld, KeycloakWorld, Seconds, World
from tests.fakes.accounts import FakeAccounts
from tests.fakes.adoption import FakeAdoption

POLICY = load()


@dataclass
class Place:
    world: World
    adoption: Adoption

    def stranger(self) -> Observed:
        name = f"s{uuid.uuid4().hex[:8]}"
        return self.look(self.world.stranger(name, f"{name}@example.com"))

    def look(self, user: str) -> Observed:
        found = self.world.accounts.observe(user, sessions=False)
        assert found is not None
        return found

    def take(self, user: Observed, account_id: str) -> None:
        self.adoption.take(user.idp_user_id, account_id, username=user.username, email=user.email)


@pytest.fixture(scope="module", params=["fake", pytest.param("keycloak", marks=pytest.mark.keycloak)])
def place(request: pytest.FixtureRequest) -> Place:
    """Each implementation in turn."""
    if request.param == "fake":
        accounts = FakeAccounts(POLICY)
        return Place(FakeWorld(accounts), FakeAdoption(accounts))
    admin: RealmAdmin = request.getfixturevalue("realm")
    connection = Connection(admin.server.url, admin.name, WORKER_CLIENT, admin.secrets[WORKER_CLIENT])
    world = KeycloakWorld(KeycloakAccounts(connection, POLICY), admin, Seconds())
    return Place(world, KeycloakAdoption(connection))


@pytest.mark.supports("G4")
def test_a_user_is_marked_and_nothing_else_of_it_changes(place: Place) -> None:
    """Twice is once; its other attributes, groups and names stay; released, it is as before."""
    before = place.stranger()
    place.world.set_attribute(before.idp_user_id, FOREIGN_ATTRIBUTE, "44")
    before = place.look(before.idp_user_id)
    account = str(uuid.uuid4())
    place.take(before, account)
    place.take(before, account)
    marked = place.look(before.idp_user_id)
    assert marked.account_id == account
    assert dict(marked.attributes).items() > dict(before.attributes).items()
    assert (marked.groups, marked.username, marked.enabled) == (before.groups, before.username, before.enabled)
    place.world.set_attribute(before.idp_user_id, TECHNICIAN_ID, "T-44")
    place.adoption.release(before.idp_user_id, account)
    place.adoption.release(before.idp_user_id, account)
    assert place.look(before.idp_user_id) == before


@pytest.mark.supports("G4")
def test_a_user_of_another_account_is_refused(place: Place) -> None:
    """Neither taken nor released."""
    user, owner = place.stranger(), str(uuid.uuid4())
    place.take(user, owner)
    with pytest.raises(Conflict):
        place.take(user, str(uuid.uuid4()))
    with pytest.raises(Conflict):
        place.adoption.release(user.idp_user_id, str(uuid.uuid4()))
    assert place.look(user.idp_user_id).account_id == owner


@pytest.mark.supports("G4")
def test_the_mark_of_a_lost_account_is_replaced_where_it_is_named(place: Place) -> None:
    """It and no other; everything else of the user stays. Twice is once."""
    user, lost, account = place.stranger(), str(uuid.uuid4()), str(uuid.uuid4())
    place.take(user, lost)
    before = place.look(user.idp_user_id)
    names = {"username": user.username, "email": user.email}
    with pytest.raises(Conflict):
        place.adoption.take(user.idp_user_id, account, **names, instead_of=str(uuid.uuid4()))
    assert place.look(user.idp_user_id) == before
    for _ in range(2):
        place.adoption.take(user.idp_user_id, account, **names, instead_of=lost)
    after = place.look(user.idp_user_id)
    assert after.account_id == account
    assert (after.groups, after.username, after.enabled) == (before.groups, before.username, before.enabled)


@pytest.mark.supports("G4")
def test_an_administrator_of_the_realm_is_never_adopted(place: Place) -> None:
    """Whatever matches."""
    user = place.stranger()
    place.world.map_role(user.idp_user_id, "realm-management/view-users")
    with pytest.raises(Unsafe):
        place.take(user, str(uuid.uuid4()))
    assert place.look(user.idp_user_id).account_id is None


@pytest.mark.supports("G4")
def test_a_user_that_is_not_as_reviewed_is_refused(place: Place) -> None:
    """It has another name by now; or it is gone."""
    user = place.stranger()
    with pytest.raises(Conflict):
        place.adoption.take(user.idp_user_id, "a-1", username="other", email=user.email)
    place.world.delete_user(user.idp_user_id)
    with pytest.raises(NeedsPerson):
        place.take(user, "a-1")
