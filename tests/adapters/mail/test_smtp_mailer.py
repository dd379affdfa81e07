"""SMTP itself: headers, encryption, login, and each refusal sorted by what to do next."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sync.adapters.mail import SmtpMailer
from sync.domain.errors import Failure, FailureCode, Misconfigured, NeedsPerson, Transient
from sync.ports.lease import kept
from sync.ports.signals import MayHaveLeft, Message
from sync.settings import MailSettings
from tests.adapters.mail.smtp_server import Inbox, certificate, running_server
from tests.adapters.mail.test_mailer_contract import MESSAGE

pytestmark = pytest.mark.supports("F7", "H2")


def settings(host: str, port: int, **changes: Any) -> MailSettings:
    values = {"host": host, "port": port, "login_url": "https://login.example.com", **changes}
    return MailSettings.model_validate(values)


def test_the_headers_say_who_when_and_that_it_is_automatic() -> None:
    """From with its display name, Date of now, and RFC 3834 keeps out-of-office answers away."""
    inbox = Inbox()
    with running_server(inbox) as (host, port):
        sender = "Field Service <accounts@example.com>"
        SmtpMailer(settings(host, port, sender=sender)).send(MESSAGE)
    mail = inbox.mails[0]
    assert mail["From"] == sender
    assert abs(parsedate_to_datetime(mail["Date"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content_charset() == "utf-8"
    assert inbox.envelopes == [("accounts@example.com", ["anna@example.com"])]


@pytest.mark.parametrize("field", ["subject", "message_id"])
def test_no_header_is_injected(field: str) -> None:
    """A line break in a header stops the mail before the server is asked."""
    values = {"message_id": "id@example.com", "to": "anna@example.com", "subject": "s", "text": "t"}
    with pytest.raises(NeedsPerson):
        SmtpMailer(settings("127.0.0.1", 9)).send(Message(**{**values, field: "x\r\nBcc: all@example.com"}))


def test_a_domain_in_another_script_is_written_in_ascii() -> None:
    """RFC 5890: the server gets the form it can look up."""
    inbox = Inbox()
    with running_server(inbox) as (host, port):
        SmtpMailer(settings(host, port)).send(Message("i@example.com", "anna@bücher.example", "s", "t"))
    assert inbox.envelopes[0][1] == ["anna@xn--bcher-kva.example"]


def test_an_address_no_server_here_can_carry_needs_a_person() -> None:
    """A local part outside ASCII (RFC 6531) is named before the server is asked."""
    with pytest.raises(NeedsPerson, match="jörg"):
        SmtpMailer(settings("127.0.0.1", 9)).send(Message("i@example.com", "jörg@example.com", "s", "t"))


def test_a_sender_the_server_cannot_carry_is_configuration() -> None:
    """The server has no SMTPUTF8: every mail would fail the same way."""
    with (
        running_server(Inbox(), enable_SMTPUTF8=False) as (host, port),
        pytest.raises(Misconfigured, match="SENDER"),
    ):
        SmtpMailer(settings(host, port, sender="jörg@example.com")).send(MESSAGE)


@pytest.mark.parametrize(
    ("command", "answer", "kind", "cause"),
    [
        ("MAIL", "451 4.3.0 later", Transient, "unavailable mail"),
        ("MAIL", "550 5.7.1 not from you", Misconfigured, "setting-wrong mail"),
        ("RCPT", "450 4.2.1 mailbox busy", Transient, "unavailable mail"),
        ("RCPT", "550 5.1.1 no such user", NeedsPerson, "address-refused mail"),
        ("DATA", "452 4.3.1 disk full", Transient, "unavailable mail"),
        ("DATA", "554 5.7.1 looks like spam", NeedsPerson, "mail-refused mail"),
    ],
)
def test_a_refusal_is_sorted_by_what_to_do_next(
    command: str, answer: str, kind: type[Failure], cause: str
) -> None:
    """4yz: try again. 5yz: the recipient needs a person, the sender is our configuration."""
    inbox = Inbox(answers={command: answer})
    with running_server(inbox) as (host, port), pytest.raises(kind, match=answer[:3]) as raised:
        SmtpMailer(settings(host, port)).send(MESSAGE)
    assert raised.value.cause == cause
    assert inbox.mails == []


def test_the_password_travels_encrypted(tmp_path: Path) -> None:
    """STARTTLS comes before the login, with a certificate that is checked."""
    inbox = Inbox()
    server_tls, client_tls = certificate(tmp_path)
    with running_server(inbox, tls_context=server_tls, require_starttls=True) as (host, port):
        wanted = settings(host, port, starttls=True, username="fsm", password="right")
        SmtpMailer(wanted, tls=client_tls).send(MESSAGE)
    assert inbox.logins == [("fsm", True)]
    assert len(inbox.mails) == 1


def test_a_wrong_password_is_configuration(tmp_path: Path) -> None:
    """Every mail would fail the same way; the password is not in the message."""
    server_tls, client_tls = certificate(tmp_path)
    with running_server(Inbox(), tls_context=server_tls) as (host, port):
        wanted = settings(host, port, starttls=True, username="fsm", password="wrong-password")
        with pytest.raises(Misconfigured, match="FSM_MAIL__USERNAME") as refused:
            SmtpMailer(wanted, tls=client_tls).send(MESSAGE)
    assert "wrong-password" not in str(refused.value)


def test_a_certificate_nobody_vouches_for_is_configuration(tmp_path: Path) -> None:
    """An unknown authority stops the mail; nothing is sent unencrypted instead."""
    inbox = Inbox()
    server_tls, _ = certificate(tmp_path)
    with running_server(inbox, tls_context=server_tls) as (host, port):
        wanted = settings(host, port, starttls=True, username="fsm", password="right")
        with pytest.raises(Misconfigured, match="no encrypted connection"):
            SmtpMailer(wanted).send(MESSAGE)
    assert (inbox.logins, inbox.mails) == ([], [])


def test_a_server_without_encryption_is_configuration() -> None:
    """STARTTLS is asked for and not offered: the mail is not sent in the clear."""
    inbox = Inbox()
    with running_server(inbox) as (host, port), pytest.raises(Misconfigured, match="FSM_MAIL__STARTTLS"):
        SmtpMailer(settings(host, port, starttls=True)).send(MESSAGE)
    assert inbox.mails == []


def test_a_name_that_does_not_exist_is_configuration() -> None:
    """RFC 6761: `.invalid` never resolves."""
    with pytest.raises(Failure, match="FSM_MAIL__HOST"):
        SmtpMailer(settings("mail.invalid", 25)).send(MESSAGE)


def test_nobody_listening_is_tried_again() -> None:
    """The server restarts, perhaps."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(Transient, match="cannot be reached"):
        SmtpMailer(settings("127.0.0.1", port)).send(MESSAGE)


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    """The time-out bounds the wait for the greeting."""
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Transient, match="cannot be reached"):
        SmtpMailer(settings("127.0.0.1", silent.getsockname()[1]), timeout_seconds=0.2).send(MESSAGE)


@contextmanager
def breaking_off(*answers: str) -> Iterator[tuple[str, int]]:
    """A server that gives these answers, one a command, takes the mail if it asked for it, and hangs up."""

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"220 mail.example.com\r\n")
            for answer in answers:
                lines.readline()
                connection.sendall(f"{answer}\r\n".encode())
            if answers[-1].startswith("354"):
                while lines.readline() not in (b".\r\n", b""):
                    pass
            else:
                lines.readline()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield "127.0.0.1", listening.getsockname()[1]
        server.join(10)


def test_a_mail_that_may_have_left_is_not_sent_again() -> None:
    """The server took the mail and hung up before it said so: a second one with the password could follow."""
    with (
        breaking_off("250 hello", "250 OK", "250 OK", "354 go on") as (host, port),
        pytest.raises(MayHaveLeft, match="not known whether it left"),
    ):
        SmtpMailer(settings(host, port)).send(MESSAGE)


@pytest.mark.parametrize("answers", [1, 2, 3])
def test_a_server_that_hangs_up_before_the_mail_is_tried_again(answers: int) -> None:
    """After EHLO, MAIL, or RCPT: nothing of the mail was sent."""
    with (
        breaking_off(*["250 OK"] * answers) as (host, port),
        pytest.raises(Transient, match="broke off"),
    ):
        SmtpMailer(settings(host, port)).send(MESSAGE)


@pytest.mark.parametrize(
    ("host", "refused"), [("mail.example.com", True), ("10.0.0.9", True), ("localhost", False)]
)
def test_a_login_does_not_cross_the_network_in_the_clear(host: str, refused: bool) -> None:
    """Refused at start, with what to set; on this machine there is nobody to read along."""
    login = {"username": "fsm", "password": "secret-word"}
    assert settings(host, 25, starttls=True, **login).starttls
    if not refused:
        assert not settings(host, 25, **login).starttls
        return
    with pytest.raises(ValidationError, match="FSM_MAIL__STARTTLS=true") as error:
        settings(host, 25, **login)
    assert "secret-word" not in error.value.errors()[0]["msg"]


LIMIT = 0.3
PAUSE = 0.05
"""Between two bytes: far less than the limit, so that no single wait for bytes is ever too long."""


@contextmanager
def dripping_after(*answers: str) -> Iterator[tuple[str, int]]:
    """A server that gives these answers, the greeting first, and then one byte after the other of another, for
    ever. After 354 it takes the mail first."""
    ended = threading.Event()

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as lines, suppress(OSError):
            for answer in answers:
                connection.sendall(f"{answer}\r\n".encode())
                if answer.startswith("354"):
                    while lines.readline() not in (b".\r\n", b""):
                        pass
                else:
                    lines.readline()
            while not ended.wait(PAUSE):
                connection.sendall(b"2")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        try:
            yield "127.0.0.1", listening.getsockname()[1]
        finally:
            ended.set()
            server.join(10)


BEFORE_THE_MAIL = ("220 mail.example.com", "250-hello\r\n250-STARTTLS\r\n250 AUTH PLAIN")


@pytest.mark.parametrize("answers", range(5))
def test_a_conversation_that_drips_ends_and_nothing_has_left(answers: int) -> None:
    """At the greeting, after EHLO, MAIL, RCPT or DATA: each byte comes soon, the answer never does."""
    said = [*BEFORE_THE_MAIL, "250 OK", "250 OK"][:answers]
    with dripping_after(*said) as (host, port), pytest.raises(Transient) as raised:
        SmtpMailer(settings(host, port), timeout_seconds=LIMIT).send(MESSAGE)
    assert raised.value.system == "mail"


@pytest.mark.parametrize(
    "more", [{"starttls": True}, {"username": "u", "password": "p"}], ids=["STARTTLS", "login"]
)
def test_encryption_and_login_that_drip_end_too(more: dict[str, Any]) -> None:
    """They are steps of the same conversation."""
    with dripping_after(*BEFORE_THE_MAIL) as (host, port), pytest.raises(Transient):
        SmtpMailer(settings(host, port, **more), timeout_seconds=LIMIT).send(MESSAGE)


def test_a_tls_handshake_that_drips_ends_too() -> None:
    """What comes is no TLS, one byte at a time."""
    with dripping_after(*BEFORE_THE_MAIL, "220 go on") as (host, port), pytest.raises(Failure):
        SmtpMailer(settings(host, port, starttls=True), timeout_seconds=LIMIT).send(MESSAGE)


def test_a_mail_whose_answer_drips_may_have_left() -> None:
    """The server has the whole mail; the one limit is over before it says so."""
    answers = (*BEFORE_THE_MAIL, "250 OK", "250 OK", "354 go on")
    with dripping_after(*answers) as (host, port), pytest.raises(MayHaveLeft, match="not known whether it left"):
        SmtpMailer(settings(host, port), timeout_seconds=LIMIT).send(MESSAGE)


def test_a_name_that_is_looked_up_for_ever_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of the system's own resolver are longer than a lease."""
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(60))
    with pytest.raises(Transient, match="cannot be reached"):
        SmtpMailer(settings("mail.example.com", 25), timeout_seconds=LIMIT).send(MESSAGE)
    answered.set()


@pytest.mark.supports("H1")
def test_no_mail_is_begun_once_the_lease_is_lost() -> None:
    """Whoever has it by then sends the mail."""
    inbox = Inbox()

    def lost() -> None:
        raise Transient("the lease was lost", code=FailureCode.LEASE_LOST)

    with running_server(inbox) as (host, port), pytest.raises(Transient) as raised, kept(lost):
        SmtpMailer(settings(host, port)).send(MESSAGE)
    assert raised.value.code is FailureCode.LEASE_LOST
    assert inbox.mails == []
