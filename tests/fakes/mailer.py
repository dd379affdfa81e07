"""A mailer that keeps what it was given. tests/adapters/mail/test_mailer_contract.py holds it to the port."""

from __future__ import annotations

from dataclasses import dataclass, field

from sync.domain.errors import FailureCode, NeedsPerson, Transient
from sync.ports.signals import MayHaveLeft, Message


@dataclass
class FakeMailer:
    """`refused` are addresses the server does not know; `down`: it cannot be reached; `breaks_off`: in the middle
    of the mail."""

    sent: list[Message] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    down: bool = False
    breaks_off: bool = False

    def send(self, message: Message) -> None:
        if message.to.count("@") != 1 or any(char in " \r\n,;<>" for char in message.to + message.message_id):
            raise NeedsPerson(f"the mail cannot be addressed to {message.to!r}: correct the e-mail address")
        if self.down:
            raise Transient("the mail server cannot be reached")
        if message.to in self.refused:
            raise NeedsPerson(f"the mail server refuses {message.to}", code=FailureCode.ADDRESS_REFUSED)
        if self.breaks_off:
            raise MayHaveLeft("not known whether it left")
        self.sent.append(message)
