"""What every mailer does: one suite for the fake and for SMTP to a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from sync.adapters.mail import SmtpMailer
from sync.domain.errors import FailureCode, NeedsPerson, Transient
from sync.ports.signals import Mailer, Message
from sync.settings import MailSettings
from tests.adapters.mail.smtp_server import Inbox, running_server
from tests.fakes.mailer import FakeMailer

pytestmark = pytest.mark.supports("F7")

MESSAGE = Message("0192f0c1@example.com", "anna@example.com", "Grüße", "Zeile eins\nZeile zwei = fünf\n")


@dataclass
class World:
    """A mailer, and how the test sees and steers the server behind it."""

    mailer: Mailer
    arrived: Callable[[], Sequence[tuple[str, str, str, str]]]
    refuse: Callable[[str], None]
    go_down: Callable[[], None]


@contextmanager
def fake() -> Iterator[World]:
    mailer = FakeMailer()

    def go_down() -> None:
        mailer.down = True

    yield World(
        mailer,
        lambda: [(each.message_id, each.to, each.subject, each.text) for each in mailer.sent],
        mailer.refused.add,
        go_down,
    )


@contextmanager
def smtp() -> Iterator[World]:
    inbox = Inbox()
    with running_server(inbox) as (host, port):
        settings = MailSettings.model_validate(
            {"host": host, "port": port, "login_url": "https://login.example.com"}
        )

        def go_down() -> None:
            inbox.answers["MAIL"] = "421 closing"

        yield World(
            SmtpMailer(settings, timeout_seconds=5),
            lambda: [
                (
                    mail["Message-ID"].strip("<>"),
                    mail["To"],
                    mail["Subject"],
                    mail.get_content().replace("\r\n", "\n"),
                )
                for mail in inbox.mails
            ],
            inbox.refused.add,
            go_down,
        )


@pytest.fixture(params=[fake, smtp], ids=["fake", "smtp"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with request.param() as made:
        yield made


def test_a_mail_arrives_as_it_was_written(world: World) -> None:
    """Id, address, subject and text, umlauts and equals signs included."""
    world.mailer.send(MESSAGE)
    assert list(world.arrived()) == [(MESSAGE.message_id, MESSAGE.to, MESSAGE.subject, MESSAGE.text)]


def test_an_unknown_address_needs_a_person(world: World) -> None:
    """The server knows nobody of that name: trying again will not help, correcting the address will."""
    world.refuse(MESSAGE.to)
    with pytest.raises(NeedsPerson, match=r"anna@example\.com") as refused:
        world.mailer.send(MESSAGE)
    assert refused.value.code is FailureCode.ADDRESS_REFUSED
    assert not world.arrived()


def test_a_server_that_is_down_is_tried_again(world: World) -> None:
    """Nothing is wrong with the mail."""
    world.go_down()
    with pytest.raises(Transient):
        world.mailer.send(MESSAGE)


@pytest.mark.parametrize(
    "address",
    [
        "anna@example.com\r\nBcc: all@example.com",
        "anna@example.com\n",
        "anna@example.com, bert@example.com",
        "Anna <anna@example.com>",
        "anna",
        "",
    ],
)
def test_an_address_that_is_not_one_plain_address_is_not_used(world: World, address: str) -> None:
    """No second recipient and no header comes in by the address."""
    with pytest.raises(NeedsPerson, match="correct the e-mail address"):
        world.mailer.send(Message(MESSAGE.message_id, address, MESSAGE.subject, MESSAGE.text))
    assert not world.arrived()
