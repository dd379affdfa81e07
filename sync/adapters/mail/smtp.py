"""`SmtpMailer`: hands one mail to the SMTP server and sorts what can go wrong by what to do next (H2).

One connection a mail: the outbox decides when and how often to try. Bounces that come later by mail are
not seen here.
"""

from __future__ import annotations

import contextlib
import io
import smtplib
import socket
import ssl
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from typing import Any

from sync.adapters import deadline
from sync.domain.errors import Failure, FailureCode, Misconfigured, NeedsPerson, System, Transient
from sync.ports.lease import before_request
from sync.ports.signals import MayHaveLeft, Message
from sync.settings import MailSettings

MAIL: System = "mail"
MAIL_EXPECTED = 354
"""The answer to DATA (RFC 5321, 4.1.1.4): what is sent next is the mail."""


class _Conversation(smtplib.SMTP):
    """Keeps the deadline of the thread, and remembers the server's last answer. While that is MAIL_EXPECTED, the
    mail is on its way and nobody here knows whether the server has taken it."""

    last_code: int | None = None

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 - smtplib's
        return deadline.connected(host, port)

    def send(self, s: Any) -> None:  # noqa: ANN401 - the signature is smtplib's
        if self.sock is not None:
            deadline.bound(self.sock)
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(deadline.Bounded(self.sock, self.sock.makefile("rb", buffering=0)))
        answer = super().getreply()
        self.last_code = answer[0]
        return answer


class SmtpMailer:
    """The `Mailer` port over SMTP (RFC 5321), with STARTTLS and a login where the settings say so.

    `timeout_seconds` bounds the whole conversation, however slowly it drips. `tls` None: the system's certificate
    authorities (`SSL_CERT_FILE` names others), and the server's name is checked.
    """

    def __init__(
        self,
        settings: MailSettings,
        *,
        timeout_seconds: float = 20,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings
        self._timeout_seconds = timeout_seconds
        self._tls = tls

    def send(self, message: Message) -> None:
        """Return when the server has taken the mail. Raises Transient, NeedsPerson or Misconfigured.

        Where the server may have taken it and did not say so, it is MayHaveLeft: a mail with a password twice is
        worse than one that a person sends again.
        """
        mail, recipient = self._composed(message)
        with deadline.within(self._timeout_seconds):
            before_request()
            server = self._connected()
            try:
                self._authenticate(server)
                self._deliver(server, mail, recipient)
            finally:
                with contextlib.suppress(OSError, smtplib.SMTPException):
                    server.quit()
                server.close()

    def _composed(self, message: Message) -> tuple[EmailMessage, str]:
        """The mail and the address for the envelope. The e-mail policy refuses line breaks in headers."""
        mail = EmailMessage(policy=SMTP_POLICY)
        try:
            recipient = _single_address(message.to)
            mail["From"] = self._settings.sender
            mail["To"] = recipient
            mail["Subject"] = message.subject
            mail["Message-ID"] = f"<{message.message_id}>"
        except (ValueError, MessageError, IndexError):
            raise NeedsPerson(
                f"the mail cannot be addressed to {message.to[:100]!r}: correct the e-mail address",
                code=FailureCode.ADDRESS_REFUSED,
            ) from None
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text, cte="quoted-printable")
        if message.html is not None:
            mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
        return mail, recipient.addr_spec

    def _connected(self) -> _Conversation:
        host, port = self._settings.host, self._settings.port
        try:
            return _Conversation(host, port, local_hostname=deadline.in_time(_own_name))
        except smtplib.SMTPConnectError as error:
            raise _not_let_in(error.smtp_code) from None
        except socket.gaierror as error:
            told = f"the mail server's name {host!r} cannot be resolved (FSM_MAIL__HOST)"
            if error.errno == socket.EAI_AGAIN:
                raise Transient(told, code=FailureCode.UNREACHABLE, about=MAIL) from None
            raise _setting(told) from None
        except (OSError, smtplib.SMTPException) as error:
            raise _away(f"the mail server {host}:{port} cannot be reached: {type(error).__name__}") from None

    def _authenticate(self, server: smtplib.SMTP) -> None:
        """STARTTLS before the login, so that the password travels encrypted."""
        settings = self._settings
        try:
            if settings.starttls:
                server.starttls(context=self._tls or ssl.create_default_context())
            if settings.username and settings.password:
                server.login(settings.username, settings.password.get_secret_value())
        except smtplib.SMTPNotSupportedError:
            raise _setting(
                "the mail server offers no STARTTLS or no login; set FSM_MAIL__STARTTLS and FSM_MAIL__USERNAME "
                "as the server wants it"
            ) from None
        except smtplib.SMTPResponseException as error:
            told = "the mail server refuses the login (FSM_MAIL__USERNAME)"
            raise _by_code(error.smtp_code, told, Misconfigured, FailureCode.ACCESS_REFUSED) from None
        except ssl.SSLError as error:
            told = f"no encrypted connection to the mail server: {error.reason}"
            raise Misconfigured(told, code=FailureCode.ACCESS_REFUSED, about=MAIL) from None
        except (OSError, smtplib.SMTPException) as error:
            raise _away(f"the mail server broke off: {type(error).__name__}") from None

    def _deliver(self, server: _Conversation, mail: EmailMessage, recipient: str) -> None:
        sender = parseaddr(self._settings.sender)[1]
        try:
            server.send_message(mail, from_addr=sender, to_addrs=[recipient])
        except smtplib.SMTPRecipientsRefused as refused:
            code, reason = refused.recipients[recipient]
            told = f"the mail server refuses {recipient}: {_readable(reason)}"
            raise _by_code(code, told, NeedsPerson, FailureCode.ADDRESS_REFUSED) from None
        except smtplib.SMTPSenderRefused as error:
            told = f"the mail server refuses the sender {sender} (FSM_MAIL__SENDER)"
            raise _by_code(error.smtp_code, told, Misconfigured, FailureCode.SETTING_WRONG) from None
        except smtplib.SMTPNotSupportedError:
            raise _setting(f"the mail server cannot carry the sender {sender} (FSM_MAIL__SENDER)") from None
        except smtplib.SMTPDataError as error:
            if not 400 <= error.smtp_code <= 599:
                raise _unknown_whether_sent(recipient, f"SMTP {error.smtp_code}") from None
            told = f"the mail server refuses the mail to {recipient}: {_readable(error.smtp_error)}"
            raise _by_code(error.smtp_code, told, NeedsPerson, FailureCode.MAIL_REFUSED) from None
        except (OSError, smtplib.SMTPException) as error:
            if server.last_code == MAIL_EXPECTED:
                raise _unknown_whether_sent(recipient, type(error).__name__) from None
            if isinstance(error, smtplib.SMTPResponseException):
                raise _not_let_in(error.smtp_code) from None
            raise _away(f"the mail server broke off: {type(error).__name__}") from None


def _own_name() -> str:
    """How smtplib calls this machine in its greeting; it looks that up."""
    return smtplib.SMTP().local_hostname


def _single_address(text: str) -> Address:
    """One plain address; a domain in other scripts in its ASCII form (RFC 5890).

    Raises ValueError, or the parser's MessageError or IndexError, for anything else: a list, a display name,
    a local part outside ASCII."""
    address = Address(addr_spec=text)
    if not address.username or not address.domain or any(char.isspace() or char in ',;<>"' for char in text):
        raise ValueError("not a plain address")
    return Address(username=address.username, domain=address.domain.encode("idna").decode())


def _by_code(smtp: int, fact: str, permanent: type[Failure], code: FailureCode) -> Failure:
    """RFC 5321, 4.2.1: 4yz may be tried again, 5yz is for good, and has the code."""
    told = f"{fact} (SMTP {smtp})"
    if 500 <= smtp <= 599:
        return permanent(told, code=code, about=MAIL)
    return Transient(told, code=FailureCode.UNAVAILABLE, about=MAIL)


def _not_let_in(smtp: int) -> Failure:
    return _by_code(smtp, "the mail server does not let us in", Misconfigured, FailureCode.ACCESS_REFUSED)


def _away(told: str) -> Transient:
    return Transient(told, system=MAIL, code=FailureCode.UNREACHABLE, about=MAIL)


def _setting(told: str) -> Misconfigured:
    return Misconfigured(told, code=FailureCode.SETTING_WRONG, about=MAIL)


def _unknown_whether_sent(recipient: str, what: str) -> MayHaveLeft:
    return MayHaveLeft(
        f"the mail server broke off while it took the mail to {recipient} ({what}): not known whether it left"
    )


def _readable(reason: bytes | str) -> str:
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
    return "".join(char if char.isprintable() else " " for char in text)[:200]
