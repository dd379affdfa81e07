"""What every implementation of the port `Listing` promises: the fake, and the one on a real Keycloak."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest

from mappings import load
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.listing import KeycloakListing
from sync.domain.access import vocabulary
from sync.domain.access.group_roles import roles_of_groups
from sync.domain.accounts.account import Life
from sync.domain.drift.listed_user import ListedUser
from sync.domain.provisioning.desired import desired_state
from sync.domain.provisioning.observed import ACCOUNT_ID
from sync.domain.realm.options import WORKER_CLIENT
from sync.ports.accounts import Created, NewUser
from sync.ports.listing import HoldersPage, Listing, MembersPage, Page
from tests.contract.realm_setup import RealmAdmin
from tests.contract.worlds import FakeWorld, KeycloakWorld, Seconds, World
from tests.fakes.accounts import FakeAccounts
from tests.fakes.listing import FakeListing
from tests.people import an_account

POLICY = load()
SMALL_PAGE = 3
"""So that a handful of users is several pages, some of them exactly full."""


@dataclass
class Place:
    world: World
    listing: Listing

    def create(self, **fields: object) -> str:
        """A user of ours in Keycloak; answers its id there."""
        name = f"kim.{uuid.uuid4().hex[:8]}@example.com"
        account = an_account(name, **({"family_name": "O'Neill"} | fields))
        [outcome] = self.world.accounts.create([NewUser(desired_state(account, POLICY))]).values()
        assert isinstance(outcome, Created), outcome
        return outcome.idp_user_id

    def read(self) -> list[Page]:
        found = self.listing.groups()
        return list(self.listing.pages(found.paths, found.roles))


@pytest.fixture(scope="module", params=["fake", pytest.param("keycloak", marks=pytest.mark.keycloak)])
def place(request: pytest.FixtureRequest) -> Place:
    """Each implementation in turn, on a realm with nine users of ours."""
    if request.param == "fake":
        accounts = FakeAccounts(POLICY)
        made = Place(FakeWorld(accounts), FakeListing(accounts))
    else:
        admin: RealmAdmin = request.getfixturevalue("realm")
        connection = Connection(admin.server.url, admin.name, WORKER_CLIENT, admin.secrets[WORKER_CLIENT])
        world = KeycloakWorld(KeycloakAccounts(connection, POLICY), admin, Seconds())
        made = Place(world, KeycloakListing(connection, POLICY, page=SMALL_PAGE))
    for _ in range(9):
        made.create()
    return made


def members(pages: list[Page], group: str) -> dict[str, ListedUser]:
    found = [page for page in pages if isinstance(page, MembersPage) and page.group == group]
    return {user.idp_user_id: user for page in found for user in page.users}


@pytest.mark.supports("H4")
def test_every_user_is_listed_and_counted_once_however_many_pages(place: Place) -> None:
    """Pages neither lose nor double anybody, a full last page included."""
    stranger = place.world.stranger(f"s{uuid.uuid4().hex[:6]}", f"s{uuid.uuid4().hex[:6]}@example.com")
    listed = [user.idp_user_id for page in place.listing.users() for user in page]
    assert len(listed) == len(set(listed)) == place.listing.count() > 9
    assert stranger in listed


@pytest.mark.supports("H4")
def test_profile_groups_come_before_everything_else(place: Place) -> None:
    """In what is listed beside another listing some are shown as disabled (fact: listings-beside-others-err)."""
    profiles = [isinstance(page, MembersPage) and vocabulary.is_profile_group(page.group) for page in place.read()]
    assert profiles == sorted(profiles, reverse=True)
    assert any(profiles)


@pytest.mark.supports("H4")
def test_a_listed_user_shows_what_can_be_compared(place: Place) -> None:
    """Names, addresses and whether it is switched on; an empty name is empty, not missing; among all users as
    in a group."""
    off = place.create(life=Life.INACTIVE, given_name="Lea", family_name="Ärmel")
    on = place.create()
    found = members(place.read(), vocabulary.profile_group("dispatcher"))
    assert (found[off].given_name, found[off].family_name, found[off].enabled) == ("Lea", "Ärmel", False)
    assert found[on].enabled
    assert found[on].username == found[on].email
    everybody = {user.idp_user_id: user for page in place.listing.users() for user in page}
    assert (everybody[off], everybody[on]) == (found[off], found[on])


@pytest.mark.supports("H4")
def test_members_of_each_group_are_told(place: Place) -> None:
    """Each membership is found in its own group and in no group above it."""
    user = place.create(profile="technician", branch="berlin", technician_id=f"T-{uuid.uuid4().hex[:6]}")
    pages = place.read()
    mine = {page.group for page in pages if isinstance(page, MembersPage) and user in members(pages, page.group)}
    assert mine == {
        vocabulary.profile_group("technician"),
        vocabulary.branch_group("berlin"),
        vocabulary.data_access_group("personal"),
        vocabulary.FIELD_TECHNICIANS,
    }


@pytest.mark.supports("G4")
def test_direct_holders_of_our_roles_are_told(place: Place) -> None:
    """A role of ours given to a user itself is found, be it a realm role or a feature; one that comes with a group
    is not."""
    user = place.create()
    role, feature = vocabulary.profile_role("manager"), f"{vocabulary.FEATURES_CLIENT}/reports"
    place.world.map_role(user, role)
    place.world.map_role(user, feature)
    held = {page.role for page in place.read() if isinstance(page, HoldersPage) and user in page.users}
    assert held == {role, feature}


@pytest.mark.supports("H4")
def test_groups_are_those_of_the_mapping_files(place: Place) -> None:
    """All groups below /fsm, and none carries too much in a realm as it is configured."""
    found = place.listing.groups()
    assert found.paths == set(roles_of_groups(POLICY))
    assert found.extra_roles == {}


@pytest.mark.supports("G4")
@pytest.mark.parametrize(
    "role", ["outside-role", vocabulary.profile_role("manager"), "realm-management/manage-users"]
)
def test_a_role_too_many_on_a_group_is_told(place: Place, role: str) -> None:
    """Foreign realm roles, roles of ours in the wrong place and client roles, each with its group."""
    path = vocabulary.branch_group("hamburg")
    with place.world.carrying(path, role):
        assert place.listing.groups().extra_roles == {path: {role}}
    assert place.listing.groups().extra_roles == {}


@pytest.mark.supports("G4")
def test_a_role_hidden_inside_a_role_of_ours_is_told(place: Place) -> None:
    """A role of ours that was made composite carries more than its name says, in every group that has it."""
    role = vocabulary.profile_role("dispatcher")
    with place.world.inside(role, "outside-role"):
        assert place.listing.groups().extra_roles == {vocabulary.profile_group("dispatcher"): {"outside-role"}}


@pytest.mark.supports("H4")
def test_a_group_that_vanished_is_missing_and_has_nobody(place: Place) -> None:
    """It is not among the groups, and asking for its members is no error."""
    path = vocabulary.team_group("hamburg-heizung")
    with place.world.without_group(path):
        found = place.listing.groups()
        assert path not in found.paths
        assert members(list(place.listing.pages({*found.paths, path}, ())), path) == {}


@pytest.mark.supports("H4")
def test_attributes_come_by_username_and_from_any_number_on(place: Place) -> None:
    """The slow listing has all attributes, and can be taken up where it was left."""
    everybody = [user for page in place.listing.attributes() for user in page]
    assert [user.username for user in everybody] == sorted(user.username for user in everybody)
    assert sum(ACCOUNT_ID in user.attributes for user in everybody) >= 9
    rest = [user for page in place.listing.attributes(4) for user in page]
    assert rest == everybody[4:]


@pytest.mark.supports("H4")
def test_reading_can_be_stopped_in_the_middle(place: Place) -> None:
    """Who stops after the first page leaves nothing hanging."""
    found = place.listing.groups()
    pages = place.listing.pages(found.paths, found.roles)
    assert next(pages)
    pages.close()  # type: ignore[attr-defined]
