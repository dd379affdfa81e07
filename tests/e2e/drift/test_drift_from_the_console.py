"""What people do behind our back in Keycloak's console is found, told apart, and mended by drift.toml's word."""

from __future__ import annotations

import pytest

from sync.commands.accounts.change import create
from sync.commands.drift.decide import repair
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import NewAccount
from sync.domain.provisioning.observed import ACCOUNT_ID
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.run_kinds import apply_chunk
from sync.store.accounts import accounts
from sync.store.drift import findings, foreign_users
from tests.comparing import compare, compare_attributes
from tests.contract.realm_setup import LOCK_SOON, LOGIN_CLIENT, RealmAdmin
from tests.contract.worlds import KeycloakWorld, Seconds
from tests.e2e.place import BY, Place

pytestmark = pytest.mark.keycloak

HAMBURG = vocabulary.branch_group("hamburg")


def work(place: Place) -> None:
    """What the workers of the bulk lane do."""
    while apply_chunk(place.systems):
        pass
    for lane in (Lane.INTERACTIVE, Lane.BULK):
        while provision_some(place.systems, lane):
            pass


def join(place: Place, name: str) -> Account:
    """A dispatcher in Hamburg, not yet in Keycloak."""
    new = NewAccount(f"{name}@example.com", "Kim", name.title(), "dispatcher", "hamburg")
    return place.do(lambda tx: create(tx, place.systems.policy, new, BY, place.clock.now()))


def told(place: Place) -> set[tuple[str, str, str | None, str | None]]:
    with place.systems.db.read() as tx:
        found = findings.listed(tx, states=["open"])
    return {(each.attribute, each.subject.who, each.wanted, each.found) for each in found}


def group(place: Place, path: str) -> str:
    return str(place.realm.get(f"group-by-path{path}")["id"])


@pytest.fixture(scope="module")
def people(place: Place) -> list[Account]:
    """Seven dispatchers in Hamburg, in Keycloak as wanted."""
    made = [join(place, f"drift{number}") for number in range(7)]
    work(place)
    with place.systems.db.read() as tx:
        known = accounts.read_many(tx, [each.id for each in made])
    return [known[each.id] for each in made]


@pytest.mark.supports("G4", "H4", "C8")
def test_the_day_of_a_busy_console(place: Place, people: list[Account]) -> None:
    """Disable one, take one out of the branch, give one a second profile, rename one, delete one, give one a role,
    put a role on our group, let a stranger in: each is told by its name; what may be repaired is, and no more."""
    compare(place.systems)
    assert told(place) == set()
    realm, ids, names = place.realm, [str(each.idp_user_id) for each in people], [each.username for each in people]
    stranger = realm.create_user(HAMBURG, username="stranger@elsewhere.example.com")
    realm.send("PUT", f"users/{ids[0]}", {"enabled": False})
    realm.send("DELETE", f"users/{ids[1]}/groups/{group(place, HAMBURG)}")
    realm.send("PUT", f"users/{ids[2]}/groups/{group(place, vocabulary.profile_group('manager'))}")
    renamed = realm.get(f"users/{ids[3]}") | {"lastName": "Behind-Our-Back"}
    realm.send("PUT", f"users/{ids[3]}", renamed)
    realm.send("DELETE", f"users/{ids[4]}")
    role = realm.get(f"roles/{vocabulary.profile_role('manager')}")
    realm.send("POST", f"users/{ids[5]}/role-mappings/realm", [role])
    berlin = vocabulary.branch_group("berlin")
    realm.send("POST", f"groups/{group(place, berlin)}/role-mappings/realm", [role])

    done = compare(place.systems)
    manager = vocabulary.profile_role("manager")
    assert told(place) == {
        ("switched-off", names[0], "enabled", "disabled"),
        ("branch", names[1], "hamburg", None),
        ("profile", names[2], "dispatcher", "dispatcher, manager"),
        ("family-name", names[3], people[3].family_name, "Behind-Our-Back"),
        ("missing", names[4], names[4], None),
        ("role", names[5], None, manager),
        ("group-roles", berlin, None, manager),
        ("foreign-member", "stranger@elsewhere.example.com", None, HAMBURG),
    }
    assert (done.counts.differing, done.counts.repairs) == (6, 4)
    with place.systems.db.read() as tx:
        assert stranger in {each.idp_user_id for each in foreign_users.listed(tx, 1000)}

    work(place)
    realm.send("DELETE", f"groups/{group(place, berlin)}/role-mappings/realm", [role])
    compare(place.systems)
    assert told(place) == {
        ("switched-off", names[0], "enabled", "disabled"),
        ("missing", names[4], names[4], None),
        ("foreign-member", "stranger@elsewhere.example.com", None, HAMBURG),
    }
    assert realm.get(f"users/{stranger}/groups")[0]["path"] == HAMBURG, "strangers are left as they are"

    with place.systems.db.read() as tx:
        [missing] = [each for each in findings.listed(tx, states=["open"]) if each.attribute == "missing"]
    repair(place.systems, missing.id, BY)
    work(place)
    compare(place.systems)
    assert {attribute for attribute, *_ in told(place)} == {"switched-off", "foreign-member"}


@pytest.mark.supports("G4")
def test_attributes_are_compared_in_the_slow_pass(place: Place, people: list[Account]) -> None:
    """Somebody took our mark off a user: the pass says so, and nobody writes to that user any more."""
    user = str(people[6].idp_user_id)
    bare = place.realm.get(f"users/{user}")
    bare["attributes"].pop(ACCOUNT_ID)
    place.realm.send("PUT", f"users/{user}", bare)
    compare_attributes(place.systems)
    assert ("account-id", people[6].username, people[6].id, None) in told(place)


@pytest.fixture(scope="module")
def login_client(place: Place) -> None:
    """A client that takes passwords, in a realm that locks after three wrong ones."""
    client = {"clientId": LOGIN_CLIENT, "publicClient": True, "directAccessGrantsEnabled": True}
    place.realm.send("POST", "clients", client)
    place.realm.send("PUT", "", LOCK_SOON)


@pytest.mark.supports("G4")
@pytest.mark.parametrize("for_good", [False, True])
def test_a_locked_user_is_no_drift(place: Place, login_client: None, for_good: bool) -> None:
    """Wrong passwords lock it; that is Keycloak's business, for now and for good."""
    account = join(place, f"locked-{for_good}".lower())
    work(place)
    with place.systems.db.read() as tx:
        user = accounts.read_many(tx, [account.id])[account.id].idp_user_id
    admin = RealmAdmin(place.realm.server, place.realm.realm, place.realm.secrets)
    KeycloakWorld(place.systems.accounts, admin, Seconds()).lock(str(user), for_good=for_good)
    assert place.realm.get(f"users/{user}")["enabled"] is not for_good
    compare(place.systems)
    assert account.username not in {who for _, who, *_ in told(place)}
