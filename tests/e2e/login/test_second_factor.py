"""The second factor by profile, at the real login form: asked once, of whoever needs it, and not walked around."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from examples.browser import Authenticator, payload
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.domain.access import vocabulary
from sync.domain.errors import Misconfigured
from sync.domain.provisioning.desired import desired_state
from sync.domain.provisioning.plan import diff
from sync.ports.accounts import Created, NewUser
from sync.realm.login import check_login
from tests.e2e.login.conftest import LoginRealm
from tests.people import an_account
from tests.realms import PASSWORD

pytestmark = [pytest.mark.keycloak, pytest.mark.req("C6")]

SECRET = "qW8rT5yU2iO9pA6sD3fG"


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator(SECRET)


def test_an_administrator_is_made_to_set_it_up_and_is_asked_once(realm: LoginRealm) -> None:
    """The first login forces the set-up; the next asks for exactly one code, and refuses a wrong one."""
    person = realm.person("administrator")
    browser = realm.browser()
    first, phone = browser.set_up_code(browser.log_in(person.username, PASSWORD))
    assert payload(browser.tokens(first)["access_token"])["fsm"]["profile"] == ["administrator"]

    again = realm.browser()
    asked = again.log_in(person.username, PASSWORD)
    assert asked.asks == "code"
    refused = again.submit(asked, otp=wrong(phone.code(1)))
    assert (refused.asks, refused.message.split(".")[0]) == ("code", "Invalid authenticator code")
    assert again.submit(refused, otp=phone.code(1)).code


@pytest.mark.parametrize("profile", ["technician", "dispatcher", "accountant", "read-only"])
def test_other_profiles_are_not_asked(realm: LoginRealm, profile: str) -> None:
    """Username and password are enough where the profile says so."""
    person = realm.person(profile)
    assert realm.browser().log_in(person.username, PASSWORD).code


def test_whoever_has_set_one_up_is_asked_whatever_the_profile(
    realm: LoginRealm, authenticator: Authenticator
) -> None:
    """A technician with an authenticator of the own free will gives a code, once."""
    person = realm.person("technician", authenticator)
    browser = realm.browser()
    asked = browser.log_in(person.username, PASSWORD)
    assert asked.asks == "code"
    assert browser.submit(asked, otp=authenticator.code()).code


def test_the_group_of_the_second_factor_alone_is_enough(realm: LoginRealm) -> None:
    """In the middle of a promotion somebody is in that group and not yet in the new profile's."""
    person = realm.person("technician", groups=["/fsm/profiles/technician", vocabulary.SECOND_FACTOR])
    assert realm.browser().log_in(person.username, PASSWORD).asks == "set up code"


def test_a_live_session_does_not_survive_a_promotion(realm: LoginRealm) -> None:
    """Promoted by the real plan while logged in: the browser with the old cookie is asked for the second factor,
    and the tokens of before, the offline one included, are refused."""
    accounts = KeycloakAccounts(realm.connection("fsm-worker"), realm.policy)
    before = an_account(f"u{uuid.uuid4().hex[:10]}@example.com", profile="technician", branch="berlin")
    created = accounts.create([NewUser(desired_state(before, realm.policy))])[before.id]
    assert isinstance(created, Created)
    realm.send("PUT", f"users/{created.idp_user_id}/reset-password", {"type": "password", "value": PASSWORD})
    realm.send("PUT", f"users/{created.idp_user_id}", {"requiredActions": []})
    browser, elsewhere = realm.browser(), realm.browser()
    online = browser.tokens(browser.log_in(before.username, PASSWORD))
    offline = elsewhere.tokens(elsewhere.log_in(before.username, PASSWORD, scope="openid offline_access"))
    assert browser.open_app().code, "the cookie should have been enough before the promotion"

    wanted = desired_state(replace(before, profile="administrator", data_access="global"), realm.policy)
    observed = accounts.observe(created.idp_user_id, sessions=True)
    assert observed is not None
    for change in diff(wanted, observed).changes:
        accounts.apply(created.idp_user_id, change)

    assert [browser.refresh(tokens).status_code for tokens in (online, offline)] == [400, 400]
    assert browser.open_app().asks == "password"
    assert browser.log_in(before.username, PASSWORD).asks == "set up code"


def test_direct_grant_is_refused_without_a_second_factor(realm: LoginRealm) -> None:
    """Somebody who needs one and has not set it up gets no token past the browser."""
    person = realm.person("administrator")
    answer = realm.browser().grant("password", username=person.username, password=PASSWORD)
    assert answer.status_code == 401
    assert realm.sessions(person) == 0


def test_direct_grant_wants_the_code(realm: LoginRealm, authenticator: Authenticator) -> None:
    """Where one is set up, the code belongs to the request; without it the answer is no."""
    person = realm.person("administrator", authenticator)
    browser = realm.browser()
    login = {"username": person.username, "password": PASSWORD}
    assert browser.grant("password", **login).json()["error"] == "invalid_grant"
    assert browser.grant("password", **login, totp=authenticator.code()).status_code == 200


def test_direct_grant_serves_whoever_needs_none(realm: LoginRealm) -> None:
    """A technician's device that asks for tokens directly gets them."""
    person = realm.person("technician")
    assert realm.browser().grant("password", username=person.username, password=PASSWORD).status_code == 200


def test_a_device_login_passes_the_same_form(realm: LoginRealm) -> None:
    """The device grant ends in the browser flow, which asks as always."""
    person = realm.person("administrator")
    browser = realm.browser()
    device = requests.post(f"{browser.endpoint}/auth/device", data={"client_id": browser.client_id}, timeout=30)
    page = browser.go(device.json()["verification_uri_complete"])
    assert browser.submit(page, username=person.username, password=PASSWORD).asks == "set up code"


def test_a_token_exchange_needs_a_token_that_was_asked_for(realm: LoginRealm) -> None:
    """A public client cannot exchange its way to somebody else's session."""
    person = realm.person("technician")
    browser = realm.browser()
    tokens = browser.tokens(browser.log_in(person.username, PASSWORD))
    answer = browser.grant(
        "urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=tokens["access_token"],
        requested_subject=realm.person("administrator").username,
    )
    assert answer.status_code in (400, 401, 403)


class TestWithTheRoleGone:
    """Somebody deleted the role that the condition names. Keycloak's own recipe would let everybody in."""

    @pytest.fixture(scope="class", autouse=True)
    @staticmethod
    def _gone(realm: LoginRealm) -> Iterator[None]:
        realm.send("DELETE", f"roles/{vocabulary.SECOND_FACTOR_ROLE}")
        yield
        realm.apply()

    def test_the_login_form_asks_everybody(self, realm: LoginRealm) -> None:
        """The flow does not open: an administrator, and whoever else, is made to set up a second factor."""
        for profile in ("administrator", "technician"):
            person = realm.person(profile)
            assert realm.browser().log_in(person.username, PASSWORD).asks == "set up code"

    def test_direct_grant_is_shut(self, realm: LoginRealm) -> None:
        """Nobody is known to need no second factor, so nobody without one gets a token."""
        person = realm.person("technician")
        answer = realm.browser().grant("password", username=person.username, password=PASSWORD)
        assert answer.status_code == 401

    @pytest.mark.supports("C6")
    def test_the_start_up_check_says_so(self, realm: LoginRealm) -> None:
        """A worker refuses to start and names the role and the remedy."""
        with pytest.raises(Misconfigured, match=r"fsm-2fa-required; run `fsm-identity realm apply`"):
            check_login(realm.gateway("fsm-worker"), realm.policy)

    @pytest.mark.supports("C6")
    def test_the_plan_brings_it_back_with_its_groups(self, realm: LoginRealm) -> None:
        """The role and every group that must carry it are in the plan."""
        lines = [str(each) for each in realm.plan().differences]
        assert "+ realm role fsm-2fa-required: composites []" in lines
        assert sum("roles: + fsm-2fa-required" in line for line in lines) == 3


def wrong(code: str) -> str:
    """A code that is not this one nor a neighbour in time, but for one chance in half a million."""
    return str((int(code) + 111_111) % 1_000_000).zfill(6)
