"""The welcome mail says what a new person needs, in each language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from sync.adapters.mail import languages, welcome
from sync.ports.signals import Message
from sync.settings import MailSettings

pytestmark = pytest.mark.req("B1", "F7")


def written(language: str, full_name: str = "Jörg Ångström") -> Message:
    return welcome(
        message_id="0192f0c1@example.com",
        to="joerg@example.com",
        full_name=full_name,
        username="joerg@example.com",
        temporary_password='Q<&7"x{{ 1 }}%s',
        expires_at=datetime(2026, 7, 3, 22, 30, tzinfo=UTC),
        time_zone=ZoneInfo("Europe/Berlin"),
        login_url="https://login.example.com/",
        language=language,
    )


@pytest.mark.parametrize(("language", "expiry"), [("en", "4 July 2026, 00:30"), ("de", "04.07.2026, 00:30 Uhr")])
def test_the_welcome_mail_has_all_a_person_needs(language: str, expiry: str) -> None:
    """Address, username, password to the letter, and until when, in the time of the branch."""
    message = written(language)
    assert message.to == "joerg@example.com"
    for part in ("Jörg Ångström", "https://login.example.com/", "joerg@example.com", 'Q<&7"x{{ 1 }}%s'):
        assert part in message.text
    assert f"{expiry} (Europe/Berlin)" in message.text
    assert "\n" not in message.subject
    assert max(len(line) for line in message.text.splitlines()) < 90


def test_a_name_does_not_write_lines_of_its_own() -> None:
    """A name is data of a file or of HR: it cannot add a paragraph to the mail."""
    assert "Hello Eve Visit https://elsewhere.example.com ," in written(
        "en", "Eve\n\nVisit https://elsewhere.example.com\n"
    ).text.replace("example.com,", "example.com ,")


def test_the_password_is_not_shown_by_accident() -> None:
    """Neither repr nor subject holds it."""
    message = written("en")
    assert "Q<&7" not in repr(message)
    assert "Q<&7" not in message.subject


def test_every_language_of_the_settings_has_templates() -> None:
    """A language can be configured exactly if there is a folder for it."""
    assert set(languages()) == set(get_args(MailSettings.model_fields["language"].annotation))
    with pytest.raises(KeyError, match="de, en"):
        written("xx")
