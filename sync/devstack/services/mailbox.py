"""The mails that the mail catcher took, read from its folder: by the command line, its page and tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from sync.devstack.process import POLL_SECONDS


def mails(folder: Path) -> list[EmailMessage]:
    """All mails of the folder, the oldest first. The header X-Envelope-To names the recipients."""
    found = sorted(folder.glob("*.eml"))
    parser = BytesParser(EmailMessage, policy=policy.default)
    return [parser.parsebytes(path.read_bytes()) for path in found]


def wait_for_mails(
    folder: Path, count: int = 1, *, which: Callable[[EmailMessage], bool] = lambda _: True, seconds: float = 10.0
) -> list[EmailMessage]:
    """At least `count` mails for which `which` holds, the oldest first. Raises TimeoutError after `seconds`."""
    limit = time.monotonic() + seconds
    while len(found := [mail for mail in mails(folder) if which(mail)]) < count:
        if time.monotonic() > limit:
            raise TimeoutError(f"{len(found)} of {count} mails arrived in {folder} within {seconds:.0f} seconds")
        time.sleep(POLL_SECONDS)
    return found


def sent_to(mail: EmailMessage, address: str) -> bool:
    """Whether it went there; a part of the address will do."""
    return address.casefold() in str(mail["X-Envelope-To"]).casefold()


def text_of(mail: EmailMessage) -> str:
    """What it says, as plain text if it has that."""
    body = mail.get_body(preferencelist=("plain", "html"))
    return "" if body is None else str(body.get_content()).replace("\r\n", "\n")
