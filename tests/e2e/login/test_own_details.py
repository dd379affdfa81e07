"""What people may change about themselves (C9): names and address where drift.toml follows, never the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from examples.browser import Browser
from mappings.drift import ACCEPT
from sync.adapters.keycloak.events import KeycloakAdminEvents
from sync.domain.drift.hints import Name
from sync.domain.realm.options import WORKER_CLIENT
from tests.e2e.login.conftest import LoginRealm, Person
from tests.realms import PASSWORD
from tests.services import MailCatcher

pytestmark = [pytest.mark.keycloak, pytest.mark.req("C9")]

ACCOUNT_CONSOLE = "account-console"


def change_details(realm: LoginRealm, person: Person, **changes: Any) -> requests.Response:
    """What Keycloak's account pages send when somebody saves the own details."""
    browser = Browser(realm.url, realm.realm, ACCOUNT_CONSOLE)
    browser.callback = f"{realm.url}/realms/{realm.realm}/account/"
    token = browser.tokens(browser.log_in(person.username, PASSWORD))["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    address = f"{realm.url}/realms/{realm.realm}/account/"
    details = requests.get(address, headers=headers, timeout=30).json()
    return requests.post(address, headers=headers, json=details | changes, timeout=30)


@pytest.mark.parametrize(
    "changes",
    [
        {"username": "somebody-else"},
        {"email": "somebody.else@example.com"},
        {"firstName": "Somebody"},
        {"lastName": "Else"},
        {"attributes": {"technician_id": ["T-999"]}},
        {"attributes": {"fsm_profile": ["administrator"]}},
        {"attributes": {"fsm_account_id": ["other"]}},
    ],
    ids=["username", "e-mail", "given name", "family name", "technician", "profile", "account"],
)
def test_nobody_changes_what_is_not_theirs(realm: LoginRealm, changes: dict[str, Any]) -> None:
    """Sent past the form, it changes nothing: neither the user nor the next token."""
    person = realm.person("technician", attributes={"technician_id": ["T-001"], "fsm_account_id": ["a-1"]})
    before = realm.get(f"users/{person.id}")
    change_details(realm, person, **changes)
    after = realm.get(f"users/{person.id}")
    own = ("username", "email", "firstName", "lastName", "attributes")
    assert {key: after.get(key) for key in own} == {key: before.get(key) for key in own}


@pytest.mark.supports("C9")
def test_an_administrator_may_change_both(realm: LoginRealm) -> None:
    """Username and e-mail address, through the admin API."""
    person = realm.person("technician")
    user = realm.get(f"users/{person.id}")
    new = {"username": "renamed.example", "email": "renamed@example.com"}
    realm.send("PUT", f"users/{person.id}", user | new)
    after = realm.get(f"users/{person.id}")
    assert {key: after[key] for key in new} == new


class TestWhereAllowed:
    """The policy lets people change their own address."""

    @pytest.fixture(scope="class", autouse=True)
    @staticmethod
    def _allowed(realm: LoginRealm) -> Iterator[None]:
        own = {"email": ACCEPT, "given-name": ACCEPT, "family-name": ACCEPT}
        reactions = {**realm.policy.drift.reactions, **own}
        realm.apply(replace(realm.policy, drift=replace(realm.policy.drift, reactions=reactions)))
        yield
        realm.apply()

    def test_the_new_address_counts_when_it_is_verified(
        self, realm: LoginRealm, mail_catcher: MailCatcher
    ) -> None:
        """Asked for by the person, mailed to the new address, and only then changed."""
        person = realm.person("technician")
        new = f"new.{person.username}"
        browser = realm.browser()
        browser.tokens(browser.log_in(person.username, PASSWORD))
        page = browser.open_app(kc_action="UPDATE_EMAIL")
        assert page.asks == "new e-mail"
        browser.submit(page, email=new)
        assert realm.get(f"users/{person.id}")["email"] == person.username

        [mail] = mail_catcher.wait(which=lambda mail: new in str(mail["To"]))
        body = mail.get_body(("plain",))
        assert body is not None
        link = re.search(r"http\S+/action-token\S+", body.get_content())
        assert link is not None
        page = browser.go(link.group(0))
        if page.document.xpath("//a[contains(., 'Click here')]"):
            browser.go(page.link("Click here"))
        assert realm.get(f"users/{person.id}")["email"] == new

    def test_a_new_name_is_kept(self, realm: LoginRealm) -> None:
        """What we follow people may write; Keycloak looks at the names of whoever logs in (VERIFY_PROFILE)."""
        person = realm.person("technician")
        assert change_details(realm, person, firstName="Kimberly", lastName="Newname").ok
        user = realm.get(f"users/{person.id}")
        assert (user["firstName"], user["lastName"]) == ("Kimberly", "Newname")
        browser = realm.browser()
        assert browser.log_in(person.username, PASSWORD).code

    @pytest.mark.req("G4")
    def test_who_changed_it_is_the_person(self, realm: LoginRealm) -> None:
        """Unless an administrator acts as the person: nobody can tell the two apart afterwards."""
        events = KeycloakAdminEvents(realm.connection(WORKER_CLIENT))
        person, acted_as = realm.person("technician"), realm.person("technician")
        realm.send("POST", f"users/{acted_as.id}/impersonation")
        for each in (person, acted_as):
            assert change_details(realm, each, lastName="Newname").ok
        own = {
            event.path: event.author
            for page in events.own_changes(None)
            for event in page
            if event.path in {f"users/{person.id}", f"users/{acted_as.id}"}
        }
        assert own.keys() == {f"users/{person.id}", f"users/{acted_as.id}"}
        assert events.names(own.values()) == {own[f"users/{person.id}"]: Name("the person")}

    def test_not_past_the_verification(self, realm: LoginRealm) -> None:
        """Sent straight to the account API, the address stays."""
        person = realm.person("technician")
        change_details(realm, person, email="unverified@example.com")
        assert realm.get(f"users/{person.id}")["email"] == person.username
