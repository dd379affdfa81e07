"""Password recovery by mail: it gives a new password, never a session, and never spares the second factor."""

from __future__ import annotations

import re
from email.message import EmailMessage

import pytest

from examples.browser import Authenticator, Browser, Page
from tests.e2e.login.conftest import LoginRealm, Person
from tests.realms import PASSWORD
from tests.services import MailCatcher

pytestmark = [pytest.mark.keycloak, pytest.mark.req("C6")]

NEW_PASSWORD = "Another-horse-8-battery"


@pytest.mark.parametrize("same_browser", [True, False])
def test_recovery_ends_in_a_login(realm: LoginRealm, mail_catcher: MailCatcher, same_browser: bool) -> None:
    """After the new password there is no session, in whichever browser the link is opened; the login with the
    new password works."""
    person = realm.person("technician")
    browser = realm.browser()
    link = recovery_link(browser, person, mail_catcher)
    used = browser if same_browser else realm.browser()
    page = used.go(link)
    assert page.asks == "new password"
    done = change_password(used, page)
    assert done.message == "Your account has been updated."
    assert realm.sessions(person) == 0
    assert used.open_app().asks == "password"
    assert realm.browser().log_in(person.username, NEW_PASSWORD).code


@pytest.mark.parametrize("same_browser", [True, False])
def test_the_second_factor_comes_before_the_new_password(
    realm: LoginRealm, mail_catcher: MailCatcher, same_browser: bool
) -> None:
    """Whoever reads an administrator's mail cannot change the password; the administrator can, and is asked
    for the second factor at the login all the same."""
    phone = Authenticator("zX9cV8bN7mK6jH5gF4dS")
    person = realm.person("administrator", phone)
    browser = realm.browser()
    link = recovery_link(browser, person, mail_catcher)
    used = browser if same_browser else realm.browser()
    page = used.go(link)
    assert page.asks == "code"
    page = used.submit(page, otp=phone.code())
    assert page.asks == "new password"
    change_password(used, page)
    assert realm.sessions(person) == 0
    assert realm.browser().log_in(person.username, NEW_PASSWORD).asks == "code"


def test_a_mailbox_alone_does_not_open_an_account_that_needs_a_second_factor(
    realm: LoginRealm, mail_catcher: MailCatcher
) -> None:
    """Not set up yet, so there is nothing to ask for: recovery is refused, the old password stays."""
    person = realm.person("administrator")
    browser = realm.browser()
    page = browser.go(recovery_link(browser, person, mail_catcher))
    assert (page.asks, page.message) == ("", "Access denied")
    assert realm.browser().log_in(person.username, PASSWORD).asks == "set up code"


def test_a_set_password_mail_of_an_administrator_gives_no_session(
    realm: LoginRealm, mail_catcher: MailCatcher
) -> None:
    """C1: the link leads to a new password and stops there."""
    person = realm.person("administrator")
    realm.send("PUT", f"users/{person.id}/execute-actions-email", ["UPDATE_PASSWORD"])
    browser = realm.browser()
    page = browser.go(the_link(mail_to(person, mail_catcher)))
    page = browser.go(page.link("Click here"))
    assert page.asks == "new password"
    change_password(browser, page)
    assert realm.sessions(person) == 0
    assert browser.log_in(person.username, NEW_PASSWORD).asks == "set up code"


def test_a_stranger_learns_nothing(realm: LoginRealm) -> None:
    """The answer for a name nobody has is the answer for one somebody has."""
    answers = []
    for name in (realm.person("technician").username, "nobody@example.com"):
        browser = realm.browser()
        answers.append(ask_for_recovery(browser, name).message)
    assert answers[0] == answers[1] != ""


def ask_for_recovery(browser: Browser, username: str) -> Page:
    form = browser.go(browser.open_app().link("Forgot"))
    assert form.asks == "recovery"
    return browser.submit(form, username=username)


def recovery_link(browser: Browser, person: Person, mail_catcher: MailCatcher) -> str:
    ask_for_recovery(browser, person.username)
    return the_link(mail_to(person, mail_catcher))


def mail_to(person: Person, mail_catcher: MailCatcher) -> EmailMessage:
    return mail_catcher.wait(which=lambda mail: person.username in str(mail["To"]))[-1]


def the_link(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(r"http\S+/action-token\S+", body.get_content())
    assert found is not None, body.get_content()
    return found.group(0)


def change_password(browser: Browser, page: Page) -> Page:
    return browser.submit(page, **{"password-new": NEW_PASSWORD, "password-confirm": NEW_PASSWORD})
