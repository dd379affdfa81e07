"""What every implementation of the port `Credentials` promises: the fake, and the gateway on a real Keycloak."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from examples.browser import Authenticator
from mappings import load
from mappings.policy import Policy
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.credentials import KeycloakCredentials
from sync.domain.acts import PASSWORD, PASSWORD_HISTORY, SECOND_FACTORS, Credential
from sync.domain.errors import Misconfigured, NeedsPerson, Transient, Unsafe
from sync.domain.provisioning.change import Disable
from sync.domain.provisioning.observed import ACCOUNT_ID, LockState
from sync.ports.credentials import Credentials
from tests.contract.accounts.conftest import created, look, wanted
from tests.contract.realm_setup import RealmAdmin
from tests.contract.worlds import FakeWorld, KeycloakWorld, Seconds, World
from tests.fakes.accounts import FakeAccounts
from tests.fakes.credentials import FakeCredentials

FIRST = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
SECOND = FIRST + timedelta(seconds=1)
KEPT = FIRST.replace(microsecond=123000)
ONE, OTHER = "abcd-efgh-jkmn-pqrs-tuvw-xyz2", "bcde-fghj-kmnp-qrst-uvwx-yz23"


@dataclass
class Desk:
    """The port under test, and what is done to Keycloak beside it."""

    credentials: Credentials
    world: World

    def user(self, policy: Policy) -> str:
        return created(self.world, wanted(policy))

    def give_code(self, idp_user_id: str) -> None:
        """The user has set up an authenticator app."""
        if isinstance(self.world, FakeWorld):
            code = Credential(uuid.uuid4().hex, "otp", datetime.now(UTC))
            self.world.accounts.users[idp_user_id].credentials.append(code)
        else:
            assert isinstance(self.world, KeycloakWorld)
            body = {"credentials": [Authenticator("qW8rT5yU2iO9pA6sD3fG").credential()]}
            self.world.admin.call("PUT", f"users/{idp_user_id}", body)

    def of_type(self, idp_user_id: str, *types: str) -> list[Credential]:
        return [each for each in self.credentials.of_user(idp_user_id) if each.type in types]

    def lock_of(self, idp_user_id: str) -> LockState:
        return look(self.world, idp_user_id).lock


@pytest.fixture(scope="module")
def policy() -> Policy:
    """The mapping files that ship."""
    return load(None)


@pytest.fixture(scope="module", params=["fake", pytest.param("fsm-worker", marks=pytest.mark.keycloak)])
def desk(request: pytest.FixtureRequest, policy: Policy) -> Iterator[Desk]:
    """Each implementation in turn."""
    if request.param == "fake":
        accounts = FakeAccounts(policy)
        yield Desk(FakeCredentials(accounts), FakeWorld(accounts))
        return
    admin: RealmAdmin = request.getfixturevalue("realm")
    clock = Seconds()
    connection = Connection(admin.server.url, admin.name, request.param, admin.secrets[request.param])
    world = KeycloakWorld(KeycloakAccounts(connection, policy, now=clock), admin, clock)
    yield Desk(KeycloakCredentials(connection, now=clock), world)


@pytest.mark.supports("C1")
def test_a_temporary_password_replaces_the_old_one_and_must_be_changed(desk: Desk, policy: Policy) -> None:
    """The new one opens the login, the old one does not; the user is made to choose another."""
    user = desk.user(policy)
    desk.world.log_in(user, offline=False)
    assert look(desk.world, user).required_actions == frozenset()
    desk.credentials.give_temporary_password(user, ONE, FIRST)
    assert desk.world.password_is(user, ONE)
    assert look(desk.world, user).required_actions == {"UPDATE_PASSWORD"}
    desk.credentials.give_temporary_password(user, OTHER, SECOND)
    assert desk.world.password_is(user, OTHER)
    assert not desk.world.password_is(user, ONE)


@pytest.mark.supports("C1", "H1")
def test_a_given_password_is_known_by_its_creation_time(desk: Desk, policy: Policy) -> None:
    """To the millisecond; after a login, and in the history when it was replaced: by this a crash is verified."""
    user = desk.user(policy)
    desk.credentials.give_temporary_password(user, ONE, FIRST)
    desk.world.password_is(user, ONE)
    [password] = desk.of_type(user, PASSWORD)
    assert password.created_at == KEPT
    desk.credentials.give_temporary_password(user, OTHER, SECOND)
    assert KEPT in [each.created_at for each in desk.of_type(user, PASSWORD_HISTORY)]
    assert KEPT not in [each.created_at for each in desk.of_type(user, PASSWORD)]


@pytest.mark.supports("C1")
def test_a_taken_password_opens_nothing(desk: Desk, policy: Policy) -> None:
    """And to take it once more does no harm."""
    user = desk.user(policy)
    desk.credentials.give_temporary_password(user, ONE, FIRST)
    [password] = desk.of_type(user, PASSWORD)
    for _ in range(2):
        desk.credentials.take(user, password.id)
    assert desk.of_type(user, PASSWORD) == []
    assert not desk.world.password_is(user, ONE)


@pytest.mark.supports("C6")
def test_a_second_factor_is_taken_and_the_password_stays(desk: Desk, policy: Policy) -> None:
    """A lost phone's code is gone; the login takes the password as before."""
    user = desk.user(policy)
    desk.credentials.give_temporary_password(user, ONE, FIRST)
    desk.give_code(user)
    [code] = desk.of_type(user, *SECOND_FACTORS)
    desk.credentials.take(user, code.id)
    assert desk.of_type(user, *SECOND_FACTORS) == []
    assert desk.world.password_is(user, ONE)


@pytest.mark.supports("C2")
def test_a_required_change_ends_no_session_and_keeps_the_password(desk: Desk, policy: Policy) -> None:
    """Asking twice is the same as once."""
    user = desk.user(policy)
    token = desk.world.log_in(user, offline=True)
    before = desk.of_type(user, PASSWORD)
    for _ in range(2):
        desk.credentials.require_password_change(user)
    assert look(desk.world, user).required_actions == {"UPDATE_PASSWORD"}
    assert desk.of_type(user, PASSWORD) == before
    assert desk.world.refreshes(token)


@pytest.mark.supports("C3")
@pytest.mark.parametrize("for_good", [False, True], ids=["for a time", "for good"])
def test_an_unlocked_user_is_not_locked(desk: Desk, policy: Policy, *, for_good: bool) -> None:
    """Whichever lockout it was; and again does no harm."""
    user = desk.user(policy)
    desk.world.lock(user, for_good=for_good)
    lock = desk.lock_of(user)
    assert (lock.temporary, lock.permanent) == (not for_good, for_good)
    for _ in range(2):
        desk.credentials.unlock(user, enable=for_good)
    assert desk.lock_of(user) == LockState()
    assert look(desk.world, user).enabled


@pytest.mark.supports("C3", "D6")
def test_an_unlock_without_leave_switches_nobody_on(desk: Desk, policy: Policy) -> None:
    """A deactivated person stays out, whatever else is forgotten."""
    user = desk.user(policy)
    desk.world.accounts.apply(user, Disable())
    desk.credentials.unlock(user, enable=False)
    assert not look(desk.world, user).enabled


@pytest.mark.supports("C1")
def test_no_mail_for_who_is_switched_off(desk: Desk, policy: Policy) -> None:
    """A person is told; it is not tried again."""
    user = desk.user(policy)
    desk.world.accounts.apply(user, Disable())
    with pytest.raises(NeedsPerson, match="sends no mail"):
        desk.credentials.send_password_mail(user, timedelta(hours=1))


@pytest.mark.keycloak
@pytest.mark.supports("C1")
def test_a_mail_that_certainly_was_not_sent_may_be_sent_later(realm: RealmAdmin, policy: Policy) -> None:
    """Keycloak's mail server is away: it says so. A realm without one is for who configures it."""
    connection = Connection(realm.server.url, realm.name, "fsm-worker", realm.secrets["fsm-worker"])
    world = KeycloakWorld(KeycloakAccounts(connection, policy), realm, Seconds())
    user, credentials = created(world, wanted(policy)), KeycloakCredentials(connection)
    nobody_there = {"host": "127.0.0.1", "port": "1", "from": "fsm@example.com"}
    with realm.with_settings(smtpServer=nobody_there), pytest.raises(Transient, match="could not send"):
        credentials.send_password_mail(user, timedelta(hours=1))
    with realm.with_settings(smtpServer={}), pytest.raises(Misconfigured, match="realm apply"):
        credentials.send_password_mail(user, timedelta(hours=1))


ACTS = {
    "give": lambda port, user: port.give_temporary_password(user, ONE, FIRST),
    "take": lambda port, user: port.take(user, "0b7f0000-0000-4000-8000-000000000000"),
    "require": lambda port, user: port.require_password_change(user),
    "unlock": lambda port, user: port.unlock(user, enable=True),
    "mail": lambda port, user: port.send_password_mail(user, timedelta(hours=1)),
}


@pytest.mark.supports("C1", "C6")
@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_done_to_a_stranger_or_an_administrator_of_the_realm(
    desk: Desk, policy: Policy, act: str
) -> None:
    """manage-users could take over the realm's administrator; the gateway does not."""
    name = f"s{uuid.uuid4().hex[:8]}@example.com"
    stranger = desk.world.stranger(name, name)
    with pytest.raises(Unsafe):
        ACTS[act](desk.credentials, stranger)
    administrator = desk.user(policy)
    desk.world.map_role(administrator, "realm-management/realm-admin")
    desk.world.later()
    with pytest.raises(Unsafe):
        ACTS[act](desk.credentials, administrator)
    assert ACCOUNT_ID not in look(desk.world, stranger).attributes


@pytest.mark.supports("H2")
@pytest.mark.parametrize("act", ACTS)
def test_a_user_that_is_gone_is_told_as_gone(desk: Desk, policy: Policy, act: str) -> None:
    """Deleted in Keycloak's console: a person has to look."""
    user = desk.user(policy)
    desk.credentials.require_password_change(user)
    desk.world.delete_user(user)
    with pytest.raises(NeedsPerson, match=user):
        ACTS[act](desk.credentials, user)
    with pytest.raises(NeedsPerson, match=user):
        desk.credentials.of_user(user)
