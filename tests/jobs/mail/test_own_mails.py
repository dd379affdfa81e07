"""Mails of a company's own, as they arrive: through the outbox and a real SMTP server."""

from __future__ import annotations

from dataclasses import replace
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import pytest

from mappings.policy import Policy
from sync.adapters.mail import SmtpMailer, messages
from sync.domain.accounts.account import Account
from sync.jobs.mail import send_some
from sync.settings import MailSettings
from sync.wiring.letters import templates_in
from tests.services import MailCatcher
from tests.world import POLICY, World

OWN = Path(__file__).parents[3] / "examples" / "mails"
LOGIN_URL = "https://login.example.com/?from=mail&lang=de"


def of_two_languages() -> Policy:
    hamburg, berlin = (
        replace(POLICY.branches[key], language=language) for key, language in (("hamburg", "de"), ("berlin", "fr"))
    )
    return replace(POLICY, branches={**POLICY.branches, "hamburg": hamburg, "berlin": berlin})


def joins(world: World, catcher: MailCatcher, name: str, branch: str) -> Account:
    """Somebody of the branch, whose welcome mail is on its way."""
    settings = MailSettings.model_validate({"host": catcher.host, "port": catcher.port, "login_url": LOGIN_URL})
    world.systems = replace(
        world.systems,
        policy=of_two_languages(),
        mailer=SmtpMailer(settings),
        welcome_letter=partial(messages.welcome, templates_in(OWN), login_url=LOGIN_URL),
    )
    account = world.join(name, branch=branch)
    world.work()
    assert send_some(world.systems) == 1
    return account


def arrived(catcher: MailCatcher, account: Account) -> EmailMessage:
    [mail] = MailCatcher.wait(catcher, which=lambda each: each["To"] == account.email)
    return mail


@pytest.mark.req("F7", "B1")
def test_a_mail_of_the_company_arrives_as_text_and_as_html(world: World, mail_catcher: MailCatcher) -> None:
    """The one that suits the branch, with the login, the password and the address in both."""
    account = joins(world, mail_catcher, "ann.arno", "hamburg")
    mail = arrived(mail_catcher, account)
    assert mail.get_content_type() == "multipart/alternative"
    assert mail["Subject"].startswith("Willkommen bei")
    text, html = (mail.get_body([kind]).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    for needed in (account.username, "temporary-secret-of-the-test"):
        assert needed in text
        assert needed in html
    assert LOGIN_URL in text
    assert '<a href="https://login.example.com/?from=mail&amp;lang=de">' in html
    assert "Leitstelle" in html


@pytest.mark.req("F7")
def test_a_branch_whose_language_the_company_has_no_mail_in_gets_ours(
    world: World, mail_catcher: MailCatcher
) -> None:
    """As plain text; nobody goes without a mail, and none mixes two languages."""
    account = joins(world, mail_catcher, "ben.berg", "berlin")
    mail = arrived(mail_catcher, account)
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().startswith("Bonjour")
