"""Small ports to the world: the clock, waking a lane, sending a mail."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Protocol

from sync.domain.errors import FailureCode, NeedsPerson
from sync.domain.work.lane import Lane


class Clock(Protocol):
    def now(self) -> datetime:
        """The time as an aware datetime in UTC."""
        ...


class Wake(Protocol):
    def wake(self, lane: Lane) -> None:
        """Tell the workers that a lane has work. A hint: it may be lost, the sweep looks anyway. Raises
        Transient when the broker cannot be reached; callers log it and go on."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """One mail. `message_id` is the RFC 5322 Message-ID without brackets, the same at every try. `html` says the
    same as the text, for programs that show it; None: the mail is plain text."""

    message_id: str
    to: str
    subject: str
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)


class MayHaveLeft(NeedsPerson):
    """Nobody can tell whether the mail was sent."""

    code = FailureCode.MAY_HAVE_LEFT


class Mailer(Protocol):
    def send(self, message: Message) -> None:
        """Hand the mail to the SMTP server. Raises Transient (try again), NeedsPerson (address refused),
        Misconfigured (credentials, no server): then it was not sent. Raises MayHaveLeft where nobody can tell."""
        ...


class PasswordLetter(Protocol):
    """Writes a mail with a temporary password: of a new account (F7), or after a reset (C1)."""

    def __call__(
        self,
        *,
        message_id: str,
        to: str,
        full_name: str,
        username: str,
        temporary_password: str,
        expires_at: datetime,
        time_zone: tzinfo,
        language: str,
        company: str,
        first_day: date | None,
    ) -> Message:
        """`expires_at` is an aware datetime, told in `time_zone`. `language` is one of `mappings.realm.LANGUAGES`;
        `company` may be empty. `first_day` None: one can log in at once."""
        ...
