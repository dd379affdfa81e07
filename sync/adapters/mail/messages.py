"""The text of the mails: pure, from a template per language, ours or a company's own (`template_set`).

The use case that puts a mail into the outbox calls it; handing it to the server is the work of `smtp`.
"""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from typing import Final, TypedDict, Unpack

from sync.adapters.mail.template_set import Templates
from sync.ports.signals import Message

OURS: Final = Templates()

PLACEHOLDERS: Final = (
    "full_name",
    "username",
    "temporary_password",
    "expires",
    "time_zone",
    "login_url",
    "company",
    "first_day",
)
"""What a template may name. `expires` is a datetime in the time zone, so that each language writes it its way;
`first_day` a date while that is still to come, else none."""


def welcome(templates: Templates = OURS, **told: Unpack[Password]) -> Message:
    """The mail with the credentials of a new account (F7). Raises KeyError for a language without templates."""
    return _password_mail(templates, "welcome", **told)


def password_reset(templates: Templates = OURS, **told: Unpack[Password]) -> Message:
    """The mail with the temporary password of a reset (C1). Raises KeyError for a language without templates."""
    return _password_mail(templates, "password-reset", **told)


class Password(TypedDict):
    """What a mail with a temporary password tells. `expires_at` is an aware datetime; the mail names it in
    `time_zone`, and is written in `language`: both are of the person's branch. `company` may be empty.
    `first_day` None: one can log in at once."""

    message_id: str
    to: str
    full_name: str
    username: str
    temporary_password: str
    expires_at: datetime
    time_zone: tzinfo
    login_url: str
    language: str
    company: str
    first_day: date | None


def _password_mail(templates: Templates, name: str, **told: Unpack[Password]) -> Message:
    language = told["language"]
    if language not in templates.languages:
        raise KeyError(f"no mail templates in {language!r}; there are {', '.join(templates.languages)}")
    values = placeholders(
        full_name=told["full_name"],
        username=told["username"],
        temporary_password=told["temporary_password"],
        expires_at=told["expires_at"],
        time_zone=told["time_zone"],
        login_url=told["login_url"],
        company=told["company"],
        first_day=told["first_day"],
    )
    subject, text = templates.blocks(f"{language}/{name}.txt", values, ("subject", "text"))
    return Message(
        message_id=told["message_id"],
        to=told["to"],
        subject=" ".join(subject.split()),
        text=f"{text}\n",
        html=templates.whole(f"{language}/{name}.html", values),
    )


def placeholders(
    *,
    full_name: str,
    username: str,
    temporary_password: str,
    expires_at: datetime,
    time_zone: tzinfo,
    login_url: str,
    company: str,
    first_day: date | None,
) -> dict[str, object]:
    """The values of `PLACEHOLDERS`. A name is data of a file: it writes no lines of its own."""
    return {
        "full_name": " ".join(full_name.split()),
        "username": username,
        "temporary_password": temporary_password,
        "expires": expires_at.astimezone(time_zone),
        "time_zone": str(time_zone),
        "login_url": login_url,
        "company": company,
        "first_day": first_day,
    }
