"""The welcome mail says what a new person needs, in each language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from mappings.realm import LANGUAGES
from sync.adapters.mail import welcome
from sync.adapters.mail.messages import OURS, password_reset
from sync.ports.signals import Message

pytestmark = pytest.mark.supports("B1", "F7")


def written(
    language: str,
    full_name: str = "Jörg Ångström",
    company: str = "Nordwind Gebäudetechnik",
    letter: Callable[..., Message] = welcome,
    first_day: date | None = None,
) -> Message:
    return letter(
        message_id="0192f0c1@example.com",
        to="joerg@example.com",
        full_name=full_name,
        username="joerg@example.com",
        temporary_password='Q<&7"x{{ 1 }}%s',
        expires_at=datetime(2026, 7, 3, 22, 30, tzinfo=UTC),
        time_zone=ZoneInfo("Europe/Berlin"),
        login_url="https://login.example.com/",
        language=language,
        company=company,
        first_day=first_day,
    )


@pytest.mark.parametrize("letter", [welcome, password_reset])
@pytest.mark.parametrize(
    ("language", "expiry"),
    [
        ("en", "4 July 2026, 00:30"),
        ("de", "04.07.2026, 00:30 Uhr"),
        ("fr", "04/07/2026 à 00:30"),
        ("es", "04/07/2026, 00:30"),
    ],
)
def test_a_mail_with_a_password_has_all_a_person_needs(
    language: str, expiry: str, letter: Callable[..., Message]
) -> None:
    """Address, username, password to the letter, and until when, in the time of the branch."""
    message = written(language, letter=letter)
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


@pytest.mark.supports("I7")
@pytest.mark.parametrize("letter", [welcome, password_reset])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_bears_the_name_of_the_company(language: str, letter: Callable[..., Message]) -> None:
    """Where it has one: people know then that it is meant for them."""
    message = written(language, letter=letter)
    assert message.subject.endswith(" – Nordwind Gebäudetechnik")
    assert message.text.endswith(".\n\nNordwind Gebäudetechnik\n")
    nameless = written(language, company="", letter=letter)
    assert "–" not in nameless.subject
    assert nameless.text.endswith(".\n")


@pytest.mark.supports("E4")
@pytest.mark.parametrize(
    ("language", "day"),
    [("en", "1 December 2026"), ("de", "01.12.2026"), ("fr", "01/12/2026"), ("es", "01/12/2026")],
)
def test_who_begins_later_reads_from_when(language: str, day: str) -> None:
    """In the words of the language, and in place of nothing: others read no empty line more."""
    later = written(language, first_day=date(2026, 12, 1)).text
    assert f"{day}" in later
    assert "\n\n\n" not in later + written(language).text


@pytest.mark.supports("I7")
def test_every_language_of_the_mapping_files_has_templates() -> None:
    """A language can be named exactly if there is a folder for it."""
    assert set(OURS.languages) == set(LANGUAGES)
    with pytest.raises(KeyError, match="de, en, es, fr"):
        written("xx")
