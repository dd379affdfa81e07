"""What the accounts gateway takes for granted about Keycloak, kept true against the real one."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from mappings import load
from sync.adapters.keycloak.creation.password_hash import temporary_credential
from sync.domain.access import vocabulary
from sync.domain.provisioning.observed import ACCOUNT_ID, TECHNICIAN_ID
from tests.contract.realm_setup import LOGIN_CLIENT, RealmAdmin, make_realm
from tests.contract.worlds import KeycloakWorld, Seconds
from tests.fakes.accounts import FakeAccounts
from tests.services import KeycloakServer
from tests.waiting import wait_until

pytestmark = pytest.mark.keycloak

GENERATED = "abcd-efgh-jkmn-pqrs-tuvw-xyz2"
GROUP = vocabulary.branch_group("hamburg")


@pytest.fixture(scope="module")
def realm(keycloak_server: KeycloakServer, realm_name: str) -> RealmAdmin:
    """A realm of this module's own."""
    return make_realm(keycloak_server, realm_name, load(None))


@pytest.fixture
def world(realm: RealmAdmin) -> KeycloakWorld:
    """Logins and lockouts in that realm; no gateway is asked here."""
    return KeycloakWorld(FakeAccounts(load(None)), realm, Seconds())


def row(**fields: Any) -> dict[str, Any]:
    """A user as partialImport takes it, with names of its own."""
    name = f"kim.{uuid.uuid4().hex[:8]}@example.com"
    return {
        "id": str(uuid.uuid4()),
        "username": name,
        "email": name,
        "firstName": "Kim",
        "lastName": "Nowak",
        "enabled": True,
        "attributes": {ACCOUNT_ID: ["a-1"]},
    } | fields


def posted(realm: RealmAdmin, **fields: Any) -> str:
    answer = realm.call("POST", "users", row(**fields))
    return answer.headers["Location"].rpartition("/")[2]


def imported(realm: RealmAdmin, *rows: dict[str, Any]) -> tuple[int, Any]:
    answer = realm.session.post(
        f"{realm.url}/partialImport", json={"ifResourceExists": "SKIP", "users": list(rows)}, timeout=30
    )
    return answer.status_code, answer.json()


def actions(answer: tuple[int, Any]) -> list[tuple[str, str]]:
    assert answer[0] == 200, answer
    return [(result["action"], result["id"]) for result in answer[1]["results"]]


def test_attributes_clear_the_names_that_are_left_out(realm: RealmAdmin) -> None:
    """So a change of an attribute sends the names along."""
    user = posted(realm)
    before = realm.read(f"users/{user}")
    realm.call("PUT", f"users/{user}", {"username": before["username"], "attributes": {TECHNICIAN_ID: ["T-1"]}})
    after = realm.read(f"users/{user}")
    assert after["attributes"] == {TECHNICIAN_ID: ["T-1"]}
    assert not {"firstName", "lastName", "email"} & after.keys()


def test_attributes_without_the_username_are_refused(realm: RealmAdmin) -> None:
    """Where usernames may be edited: so the username is sent along too."""
    user = posted(realm)
    answer = realm.session.put(f"{realm.url}/users/{user}", json={"attributes": {}}, timeout=30)
    assert (answer.status_code, answer.json()["errorMessage"]) == (400, "User name is missing")


def test_enabled_alone_clears_nothing(realm: RealmAdmin) -> None:
    """So Disable and Enable send nothing else."""
    user = posted(realm, groups=[GROUP], requiredActions=["UPDATE_PASSWORD"])
    before = realm.read(f"users/{user}")
    realm.call("PUT", f"users/{user}", {"enabled": False})
    assert realm.read(f"users/{user}") == before | {"enabled": False}
    assert [group["path"] for group in realm.read(f"users/{user}/groups")] == [GROUP]


def test_an_undeclared_attribute_is_dropped_silently(realm: RealmAdmin) -> None:
    """By both ways of creating: so the user profile is checked first."""
    attributes = {ACCOUNT_ID: ["a-1"], "undeclared": ["x"]}
    first = posted(realm, attributes=attributes)
    second = row(attributes=attributes)
    imported(realm, second)
    for user in (first, second["id"]):
        assert realm.read(f"users/{user}")["attributes"] == {ACCOUNT_ID: ["a-1"]}


def test_an_attribute_that_was_declared_is_hidden_and_comes_again(realm: RealmAdmin) -> None:
    """So a mark that is not shown counts as taken off only where the user profile declares it."""
    user, profile = posted(realm), realm.read("users/profile")
    without = [each for each in profile["attributes"] if each["name"] != ACCOUNT_ID]
    realm.call("PUT", "users/profile", profile | {"attributes": without})
    try:
        assert ACCOUNT_ID not in realm.read(f"users/{user}").get("attributes", {})
    finally:
        realm.call("PUT", "users/profile", profile)
    assert realm.read(f"users/{user}")["attributes"] == {ACCOUNT_ID: ["a-1"]}


def test_a_new_email_keeps_the_mark_of_the_old_one(realm: RealmAdmin) -> None:
    """So a change of e-mail address sends `emailVerified: false`."""
    user = posted(realm, emailVerified=True)
    realm.call("PUT", f"users/{user}", {"email": f"new.{uuid.uuid4().hex[:6]}@example.com"})
    assert realm.read(f"users/{user}")["emailVerified"]


def test_a_permanent_lockout_has_a_reason_and_enabling_lifts_it(realm: RealmAdmin, world: KeycloakWorld) -> None:
    """Clearing the failures does not; disabling changes nothing."""
    user = posted(realm)
    world.lock(user, for_good=True)
    wait_until(lambda: not realm.read(f"users/{user}")["enabled"], 20, "the lockout does not show")
    for method, path, body in (
        ("DELETE", f"attack-detection/brute-force/users/{user}", None),
        ("PUT", f"users/{user}", {"enabled": False}),
        ("PUT", f"users/{user}", {"requiredActions": []}),
    ):
        realm.call(method, path, body)
        seen = realm.read(f"users/{user}")
        assert (seen["enabled"], seen["attributes"]["disabledReason"]) == (False, ["permanentLockout"])
    realm.call("PUT", f"users/{user}", {"enabled": True})
    seen = realm.read(f"users/{user}")
    assert seen["enabled"]
    assert "disabledReason" not in seen["attributes"]


def test_a_temporary_lockout_leaves_the_user_enabled(realm: RealmAdmin, world: KeycloakWorld) -> None:
    """It stands in the record of failures only, and refresh tokens still work."""
    user = posted(realm)
    token = world.log_in(user, offline=False)
    world.lock(user, for_good=False)
    record = realm.read(f"attack-detection/brute-force/users/{user}")
    assert record["disabled"]
    assert record["failedLoginNotBefore"] > 0
    assert realm.read(f"users/{user}")["enabled"]
    assert world.refreshes(token)


def test_disabling_revokes_no_offline_token(realm: RealmAdmin, world: KeycloakWorld) -> None:
    """Enabled again, the user's old token works; deleting the consent ends it, the second time with a 404."""
    user = posted(realm)
    token = world.log_in(user, offline=True)
    realm.call("PUT", f"users/{user}", {"enabled": False})
    assert not world.refreshes(token)
    realm.call("PUT", f"users/{user}", {"enabled": True})
    assert world.refreshes(token)
    assert realm.call("DELETE", f"users/{user}/consents/{LOGIN_CLIENT}").status_code == 204
    assert not world.refreshes(token)
    assert realm.call("DELETE", f"users/{user}/consents/{LOGIN_CLIENT}").status_code == 404


def test_a_logout_leaves_the_offline_session(realm: RealmAdmin, world: KeycloakWorld) -> None:
    """It makes tokens of earlier seconds stale, but one of the same second lives on: the consent has to go."""
    user = posted(realm)

    def survives() -> bool:
        token = world.log_in(user, offline=True)
        realm.call("POST", f"users/{user}/logout")
        return world.refreshes(token)

    wait_until(survives, 20, "no token was issued in the second of the logout")
    assert [consent["clientId"] for consent in realm.read(f"users/{user}/consents")] == [LOGIN_CLIENT]


def test_an_import_honours_the_id_and_skips_what_is_there(realm: RealmAdmin) -> None:
    """The same row again answers the same id; a stranger's row answers the stranger's."""
    first = row()
    assert actions(imported(realm, first)) == [("ADDED", first["id"])]
    assert actions(imported(realm, first)) == [("SKIPPED", first["id"])]
    assert actions(imported(realm, row(username=first["username"]))) == [("SKIPPED", first["id"])]


def test_posting_a_user_does_not_honour_the_id(realm: RealmAdmin) -> None:
    """So the worker's gateway looks for the account id before it creates."""
    wanted = str(uuid.uuid4())
    assert posted(realm, id=wanted) != wanted


def test_an_import_refuses_some_clashes_without_saying_which(realm: RealmAdmin) -> None:
    """The same id under another name 409, the same e-mail under another name 500, and nothing of it lands."""
    first = row()
    imported(realm, first)
    other = row()
    assert imported(realm, other, row(id=first["id"]))[0] == 409
    assert imported(realm, other, row(email=first["email"]))[0] == 500
    assert imported(realm, other, row(groups=["/fsm/nowhere"]))[0] == 500
    assert realm.call("GET", f"users/{other['id']}").status_code == 404


def test_an_import_lets_names_cross_that_posting_refuses(realm: RealmAdmin) -> None:
    """A username that is somebody's e-mail address: so the bulk gateway looks before it imports."""
    first = row(username=f"kim.{uuid.uuid4().hex[:8]}")
    imported(realm, first)
    crossed = row(username=first["email"])
    answer = realm.session.post(f"{realm.url}/users", json=crossed, timeout=30)
    assert answer.status_code == 409
    assert actions(imported(realm, crossed)) == [("ADDED", crossed["id"])]


def test_an_import_adds_only_the_roles_it_names(realm: RealmAdmin) -> None:
    """No default role by itself, and a role nobody knows is made: so its name is read from the realm."""
    bare, unknown = row(), f"made-up-{uuid.uuid4().hex[:6]}"
    imported(realm, bare)
    assert realm.read(f"users/{bare['id']}/role-mappings/realm") == []
    imported(realm, row(realmRoles=[unknown]))
    assert realm.read(f"roles/{unknown}")["name"] == unknown
    realm.call("DELETE", f"roles/{unknown}")


def test_an_import_takes_names_that_posting_refuses(realm: RealmAdmin) -> None:
    """So names are checked before they are sent."""
    bad = row(username=f"bad name!<>{uuid.uuid4().hex[:6]}", email="not-an-email")
    answer = realm.session.post(f"{realm.url}/users", json=bad, timeout=30)
    assert answer.status_code == 400
    assert actions(imported(realm, bad)) == [("ADDED", bad["id"])]


@pytest.mark.parametrize("way", ["post", "import"])
def test_a_prehashed_password_works_and_is_hashed_anew(realm: RealmAdmin, world: KeycloakWorld, way: str) -> None:
    """At the first good check Keycloak replaces the quick hash by its own."""
    user = row(credentials=[temporary_credential(GENERATED)])
    if way == "post":
        user["id"] = realm.call("POST", "users", user).headers["Location"].rpartition("/")[2]
    else:
        imported(realm, user)
    assert not world.password_is(user["id"], GENERATED[:-1])
    assert "pbkdf2-sha512" in realm.read(f"users/{user['id']}/credentials")[0]["credentialData"]
    assert world.password_is(user["id"], GENERATED)
    assert "argon2" in realm.read(f"users/{user['id']}/credentials")[0]["credentialData"]


def test_a_temporary_prehashed_password_alone_makes_nobody_change_it(
    realm: RealmAdmin, world: KeycloakWorld
) -> None:
    """So UPDATE_PASSWORD is listed among the required actions."""
    user = row(credentials=[temporary_credential(GENERATED)])
    imported(realm, user)
    assert realm.read(f"users/{user['id']}")["requiredActions"] == []


def test_roles_of_a_parent_group_reach_the_members_below(realm: RealmAdmin, world: KeycloakWorld) -> None:
    """So the groups above are looked at too; the composite listing shows the effective roles."""
    user = posted(realm, groups=[GROUP])
    client = realm.client_id("realm-management")
    effective = f"users/{user}/role-mappings/clients/{client}/composite"
    assert realm.read(effective) == []
    with world.carrying(vocabulary.ROOT, "realm-management/view-users"):
        assert "view-users" in {role["name"] for role in realm.read(effective)}


def test_a_role_inside_a_role_of_ours_is_marked_composite(realm: RealmAdmin) -> None:
    """The mapping itself stays the same, so the mark is what shows it."""
    path = vocabulary.profile_group("manager")
    role = realm.read(f"roles/{vocabulary.profile_role('manager')}")
    mappings = f"groups/{realm.group_id(path)}/role-mappings"

    def marked() -> bool:
        return next(
            each["composite"] for each in realm.read(mappings)["realmMappings"] if each["id"] == role["id"]
        )

    assert not marked()
    inner = [realm.read("roles/outside-role")]
    realm.call("POST", f"roles-by-id/{role['id']}/composites", inner)
    assert marked()
    realm.call("DELETE", f"roles-by-id/{role['id']}/composites", inner)
    assert not marked()
