"""The first login of a new user, and what the password policy refuses at the form."""

from __future__ import annotations

import pytest

from examples.browser import payload
from sync.claims.parse import parse
from tests.e2e.login.conftest import LoginRealm
from tests.realms import PASSWORD

pytestmark = pytest.mark.keycloak


@pytest.mark.req("A6", "B1")
def test_a_temporary_password_must_be_changed_and_the_token_says_who_comes(realm: LoginRealm) -> None:
    """Login with the temporary password, a new one, and a token whose fsm claim our reader takes."""
    user_id = realm.create_user(
        "/fsm/profiles/technician",
        "/fsm/branches/berlin",
        "/fsm/teams/berlin-aufzug",
        "/fsm/data-access/personal",
        "/fsm/field-technicians",
        temporary=True,
        attributes={"technician_id": ["T-042"]},
    )
    browser = realm.browser()
    page = browser.log_in(realm.username(user_id), PASSWORD)
    assert page.asks == "new password"
    new = PASSWORD + "-2"
    tokens = browser.tokens(browser.submit(page, **{"password-new": new, "password-confirm": new}))

    claims = payload(tokens["access_token"])
    who = parse(claims)
    assert (who.profile, who.data_access, who.branch, who.team, who.technician_id) == (
        "technician",
        "personal",
        "berlin",
        "berlin-aufzug",
        "T-042",
    )
    assert who.branches == ("berlin",)
    assert who.features == realm.policy.profiles["technician"].features
    assert set(claims["realm_access"]["roles"]) == {"fsm-profile-technician", "fsm-field-technician"}


@pytest.mark.req("C4")
@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("Short-1x", "minimum length 12"),
        ("no-capital-letter-1", "upper case"),
        ("NO-SMALL-LETTER-1", "lower case"),
        ("No-digit-in-this-one", "numerical digits"),
        ("NoSpecialCharacter1", "special characters"),
        (PASSWORD, "last 5 passwords"),
        ("X" + "x1-" * 30, "maximum length 64"),
    ],
)
def test_the_password_policy_is_told_at_the_form(realm: LoginRealm, password: str, message: str) -> None:
    """A new password that breaks a rule is refused, and the page says which."""
    user_id = realm.create_user("/fsm/profiles/read-only", temporary=True)
    browser = realm.browser()
    page = browser.log_in(realm.username(user_id), PASSWORD)
    refused = browser.submit(page, **{"password-new": password, "password-confirm": password})
    assert refused.asks == "new password"
    assert message in refused.message


@pytest.mark.req("C4")
def test_a_password_must_not_contain_the_username(realm: LoginRealm) -> None:
    """Not with something around it either."""
    user_id = realm.create_user("/fsm/profiles/read-only", temporary=True)
    username, browser = realm.username(user_id), realm.browser()
    page = browser.log_in(username, PASSWORD)
    password = f"X-{username}-1"
    refused = browser.submit(page, **{"password-new": password, "password-confirm": password})
    assert "username" in refused.message
    assert realm.get(f"users/{user_id}")["requiredActions"] == ["UPDATE_PASSWORD"]
