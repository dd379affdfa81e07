"""A passkey is two factors in one: whoever comes in by one is not asked for a code, whoever does not is."""

from __future__ import annotations

import pytest

from examples.browser import Browser
from tests.e2e.login.conftest import APP, LoginRealm, Person
from tests.e2e.login.passkey import Passkey
from tests.realms import PASSWORD

pytestmark = [pytest.mark.keycloak, pytest.mark.req("C6")]


def browser_at_localhost(realm: LoginRealm) -> Browser:
    """WebAuthn knows sites by name, never by address."""
    return Browser(realm.url.replace("127.0.0.1", "localhost"), realm.realm, APP)


def with_passkey(realm: LoginRealm, profile: str) -> tuple[Person, Passkey]:
    """Somebody who has logged in once and registered a passkey."""
    person = realm.person(profile)
    passkey = Passkey(person.id)
    browser = browser_at_localhost(realm)
    page = browser.log_in(person.username, PASSWORD)
    if page.asks == "set up code":
        page, _ = browser.set_up_code(page)
    assert page.code
    page = browser.open_app(kc_action="webauthn-register-passwordless")
    assert page.asks == "register passkey"
    assert browser.submit(page, **passkey.registration(page)).code
    types = [each["type"] for each in realm.get(f"users/{person.id}/credentials")]
    assert "webauthn-passwordless" in types
    return person, passkey


def test_a_login_by_passkey_is_not_asked_for_a_code(realm: LoginRealm) -> None:
    """An administrator with a passkey is in at once; with the password the code is asked for as before."""
    person, passkey = with_passkey(realm, "administrator")
    browser = browser_at_localhost(realm)
    page = browser.open_app()
    assert browser.use_passkey(page, passkey.assertion(page)).code
    assert browser_at_localhost(realm).log_in(person.username, PASSWORD).asks == "code"


def test_a_stranger_s_passkey_opens_nothing(realm: LoginRealm) -> None:
    """A key nobody registered is refused, whomever it names."""
    person, _ = with_passkey(realm, "technician")
    browser = browser_at_localhost(realm)
    page = browser.open_app()
    assert browser.use_passkey(page, Passkey(person.id).assertion(page)).code is None
    assert realm.sessions(person) == 1
