"""An SMTP server that delivers nothing: each mail becomes a file that people and tests can read.

Started as `python -m sync.devstack.mail_catcher PORT FOLDER`. A file is complete as soon as it has its name,
and names sort by arrival.
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from sync.devstack.ports import LOOPBACK
from sync.devstack.process import POLL_SECONDS, Launch, python

MAIL_BYTES = 1_000_000


class _Folder:
    """aiosmtpd's handler: writes what arrives, with the envelope's recipients in front."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        recipients = ", ".join(envelope.rcpt_tos)
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}"
        unfinished = self._folder / f"{name}.part"
        unfinished.write_bytes(f"X-Envelope-To: {recipients}\r\n".encode() + content)
        unfinished.rename(self._folder / f"{name}.eml")
        return "250 Kept"


def mail_catcher_launch(folder: Path, port: int, log: Path) -> Launch:
    """How to start the catcher; mails arrive in `folder`, readable by the owner only: they hold passwords."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Launch("mail", python("-m", "sync.devstack.mail_catcher", str(port), str(folder)), log, Path.cwd())


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


async def serve(port: int, folder: Path) -> None:
    """Accept mails on the loopback interface until the process is ended."""
    handler = _Folder(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            handler, hostname="mail-catcher", enable_SMTPUTF8=True, data_size_limit=MAIL_BYTES, loop=loop
        ),
        host=LOOPBACK,
        port=port,
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
