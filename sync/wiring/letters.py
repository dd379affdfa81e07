"""Makes the letters of a worker, and shows them to who writes a company's own."""

from __future__ import annotations

from pathlib import Path

from sync.adapters.mail.messages import OURS
from sync.adapters.mail.template_check import checked, example
from sync.adapters.mail.template_set import KINDS, Templates
from sync.ports.signals import Message
from sync.settings import MailSettings, SettingsError

__all__ = [
    "KINDS",
    "LANGUAGES",
    "Templates",
    "WrongMails",
    "example_of",
    "origins",
    "templates_in",
    "templates_of",
]

LANGUAGES = OURS.languages


class WrongMails(SettingsError):
    """A company's own mails must not be sent; `problems` are a line each, with file and line."""

    def __init__(self, *problems: str) -> None:
        Exception.__init__(self, "\n  ".join(["mails of FSM_MAIL__TEMPLATES_FOLDER cannot be sent:", *problems]))
        self.problems = problems


def templates_of(settings: MailSettings) -> Templates:
    """Read once, here. Raises WrongMails."""
    return OURS if settings.templates_folder is None else templates_in(settings.templates_folder)


def templates_in(folder: Path) -> Templates:
    """The same, of a folder that no setting names yet."""
    templates, problems = checked(folder)
    if problems:
        raise WrongMails(*problems)
    return templates


def example_of(templates: Templates, kind: str, language: str) -> Message:
    """The mail as somebody would get it, with made-up values."""
    return example(templates, kind, language)


def origins(templates: Templates) -> tuple[tuple[str, str, str, bool], ...]:
    """Language, kind, whose the text is, and whether there is HTML, of every mail."""
    return tuple(
        (
            language,
            kind,
            "yours" if f"{language}/{kind}.txt" in templates.own else "ours",
            f"{language}/{kind}.html" in templates.own,
        )
        for language in LANGUAGES
        for kind in KINDS
    )
