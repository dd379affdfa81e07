"""In which language Keycloak speaks to people, and for whom: as realm.toml and branches.toml say it."""

from __future__ import annotations

import uuid

import pytest

from mappings.realm import LANGUAGES
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.creation.importing import ImportingAccounts
from sync.domain.provisioning.desired import desired_state
from sync.ports.accounts import Created, NewUser
from tests.e2e.login.conftest import LoginRealm
from tests.people import an_account
from tests.realms import PASSWORD

pytestmark = [pytest.mark.keycloak, pytest.mark.req("I7")]


def test_login_pages_bear_the_name_of_the_company(realm: LoginRealm) -> None:
    """Whoever follows a link from a mail sees that it is the own company's."""
    page = realm.browser().open_app()
    assert realm.policy.realm.company in page.document.text_content()


@pytest.mark.parametrize(("wants", "gets"), [(None, "en"), ("de-AT,de;q=0.9", "de"), ("fr", "en")])
def test_a_browser_gets_one_of_the_languages(realm: LoginRealm, wants: str | None, gets: str) -> None:
    """The browser's own if the company has it, else the first of the company's."""
    browser = realm.browser()
    if wants:
        browser.http.headers["Accept-Language"] = wants
    assert browser.open_app().document.get("lang") == gets


@pytest.mark.supports("I7")
def test_keycloak_has_its_pages_in_every_language_that_can_be_named(realm: LoginRealm) -> None:
    """A language of realm.toml is one of Keycloak's too."""
    themes = realm.server.session().get(f"{realm.url}/admin/serverinfo", timeout=30).json()["themes"]
    [login] = [theme for theme in themes["login"] if theme["name"] == "keycloak.v2"]
    assert set(LANGUAGES) <= set(login["locales"])


@pytest.mark.parametrize("door", ["one by one", "many at once"])
def test_somebody_new_begins_in_the_language_of_the_branch(realm: LoginRealm, door: str) -> None:
    """Keycloak keeps it (fact: locale-is-keycloaks-own), and asks for the new password in it, whatever the browser
    says."""
    account = an_account(f"u{uuid.uuid4().hex[:10]}@example.com", profile="technician", branch="berlin")
    client, kind = {
        "one by one": ("fsm-worker", KeycloakAccounts),
        "many at once": ("fsm-import", ImportingAccounts),
    }[door]
    accounts = kind(realm.connection(client), realm.policy)
    created = accounts.create([NewUser(desired_state(account, realm.policy), language="de")])[account.id]
    assert isinstance(created, Created)
    assert realm.get(f"users/{created.idp_user_id}")["attributes"]["locale"] == ["de"]
    credential = {"type": "password", "value": PASSWORD, "temporary": True}
    realm.send("PUT", f"users/{created.idp_user_id}/reset-password", credential)
    asked = realm.browser().log_in(account.username, PASSWORD)
    assert (asked.asks, asked.document.get("lang")) == ("new password", "de")
