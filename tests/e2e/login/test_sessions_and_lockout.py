"""Caps on parallel sessions and the lock after failed logins, at the real login form."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from examples.browser import Browser
from tests.e2e.login.conftest import LoginRealm, Person
from tests.realms import PASSWORD, with_cap

pytestmark = pytest.mark.keycloak


def logged_in(realm: LoginRealm, person: Person) -> tuple[Browser, dict[str, str]]:
    """Keycloak counts the age of a session in whole seconds: each login here begins in a second of its own."""
    before = int(time.time())
    limit = time.monotonic() + 3
    while int(time.time()) == before:
        assert time.monotonic() < limit
        time.sleep(0.02)
    browser = realm.browser()
    return browser, browser.tokens(browser.log_in(person.username, PASSWORD))


@pytest.mark.req("C7")
def test_a_session_too_many_ends_the_oldest(realm: LoginRealm) -> None:
    """A technician may have two sessions: with the third the first is over, its refresh token refused."""
    person = realm.person("technician")
    devices = [logged_in(realm, person) for _ in range(3)]
    assert [browser.refresh(tokens).status_code for browser, tokens in devices] == [400, 200, 200]


@pytest.mark.req("C7")
def test_the_cap_is_the_profile_s(realm: LoginRealm) -> None:
    """A dispatcher may have three."""
    person = realm.person("dispatcher")
    devices = [logged_in(realm, person) for _ in range(4)]
    assert [browser.refresh(tokens).status_code for browser, tokens in devices] == [400, 200, 200, 200]


@pytest.mark.req("C7")
def test_direct_grant_counts_as_well(realm: LoginRealm) -> None:
    """Tokens asked for directly make a session like any other."""
    person = realm.person("technician")
    browser = realm.browser()
    answers = [browser.grant("password", username=person.username, password=PASSWORD) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert realm.sessions(person) == 2


@pytest.mark.req("C7")
def test_a_login_in_the_same_browser_needs_no_new_session(realm: LoginRealm) -> None:
    """Single sign-on into another application is not one more session."""
    person = realm.person("technician")
    browser, _ = logged_in(realm, person)
    for _ in range(4):
        assert browser.open_app().code
    assert realm.sessions(person) == 1


class TestDenying:
    """The policy says to refuse the login that is too many."""

    @pytest.fixture(scope="class", autouse=True)
    @staticmethod
    def _deny(realm: LoginRealm) -> Iterator[None]:
        realm.apply(with_cap(realm.policy, "technician", 1, "deny"))
        yield
        realm.apply()

    @pytest.mark.req("C7")
    @pytest.mark.supports("C8")
    def test_the_login_too_many_is_refused(self, realm: LoginRealm) -> None:
        """The page says why, and the sessions there are stay."""
        person = realm.person("technician")
        browser, tokens = logged_in(realm, person)
        refused = realm.browser().log_in(person.username, PASSWORD)
        assert (refused.code, refused.message) == (None, "There are too many sessions")
        assert browser.refresh(tokens).status_code == 200


@pytest.mark.req("C5")
def test_the_account_is_locked_after_the_failures_allowed(realm: LoginRealm) -> None:
    """After five wrong passwords the right one is refused too; an administrator's unlock lets it in."""
    allowed = realm.policy.realm.lockout.max_failures
    person = realm.person("technician")
    browser = realm.browser()
    realm.fail_logins(person.id, allowed - 1, lambda: browser.log_in(person.username, "wrong"))
    assert not lock_of(realm, person)["disabled"]
    realm.fail_logins(person.id, 1, lambda: browser.log_in(person.username, "wrong"))
    lock = lock_of(realm, person)
    assert (lock["disabled"], lock["numFailures"]) == (True, allowed)
    page = browser.log_in(person.username, PASSWORD)
    assert (page.code, page.asks) == (None, "password")
    realm.send("DELETE", f"attack-detection/brute-force/users/{person.id}")
    assert realm.browser().log_in(person.username, PASSWORD).code


@pytest.mark.req("C5")
def test_the_lock_becomes_permanent(realm: LoginRealm) -> None:
    """After as many temporary locks as the file says the next one lasts until somebody unlocks the account."""
    waits = {name: realm.get()[name] for name in ("waitIncrementSeconds", "maxFailureWaitSeconds")}
    person = realm.person("technician")
    browser = realm.browser()
    page = browser.open_app()
    limit = time.monotonic() + 60
    realm.send("PUT", "", dict.fromkeys(waits, 1))
    try:
        while realm.get(f"users/{person.id}")["enabled"]:
            assert time.monotonic() < limit, f"still not locked for good: {lock_of(realm, person)}"
            page = browser.submit(page, username=person.username, password="wrong")
    finally:
        realm.send("PUT", "", waits)
    temporary = realm.policy.realm.lockout.permanent_after_lockouts
    assert temporary is not None
    assert lock_of(realm, person)["numTemporaryLockouts"] == temporary + 1
    assert browser.submit(page, username=person.username, password=PASSWORD).code is None


def lock_of(realm: LoginRealm, person: Person) -> dict[str, int]:
    return dict(realm.get(f"attack-detection/brute-force/users/{person.id}"))
