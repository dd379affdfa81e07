"""The text of the mails: pure, from a template per language in `templates/`.

The use case that puts a mail into the outbox calls it; handing it to the server is the work of `smtp`.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from functools import cache
from typing import TypedDict, Unpack

from jinja2 import Environment, PackageLoader, StrictUndefined

from sync.ports.signals import Message


def welcome(**told: Unpack[Password]) -> Message:
    """The mail with the credentials of a new account (F7). Raises KeyError for a language without templates."""
    return _password_mail("welcome", **told)


def password_reset(**told: Unpack[Password]) -> Message:
    """The mail with the temporary password of a reset (C1). Raises KeyError for a language without templates."""
    return _password_mail("password-reset", **told)


class Password(TypedDict):
    """What a mail with a temporary password tells. `expires_at` is an aware datetime; the mail names it in
    `time_zone`, and is written in `language`: both are of the person's branch. `company` may be empty."""

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


def _password_mail(name: str, **told: Unpack[Password]) -> Message:
    time_zone = told["time_zone"]
    return _message(
        name,
        told["language"],
        message_id=told["message_id"],
        to=told["to"],
        full_name=" ".join(told["full_name"].split()),
        username=told["username"],
        temporary_password=told["temporary_password"],
        expires=told["expires_at"].astimezone(time_zone),
        time_zone=str(time_zone),
        login_url=told["login_url"],
        company=told["company"],
    )


def languages() -> tuple[str, ...]:
    """The languages there are templates for."""
    return tuple(sorted({name.split("/")[0] for name in _environment().list_templates()}))


def _message(name: str, language: str, *, message_id: str, to: str, **values: object) -> Message:
    if language not in languages():
        raise KeyError(f"no mail templates in {language!r}; there are {', '.join(languages())}")
    template = _environment().get_template(f"{language}/{name}.txt")
    context = template.new_context(values)
    subject, text = ("".join(template.blocks[block](context)).strip() for block in ("subject", "text"))
    return Message(message_id=message_id, to=to, subject=subject, text=f"{text}\n")


@cache
def _environment() -> Environment:
    """Plain text: nothing is escaped, and a value that is missing is an error, not a blank."""
    return Environment(
        loader=PackageLoader("sync.adapters.mail"),
        autoescape=False,  # noqa: S701 - plain text, no HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
