"""An SMTP server that delivers nothing: each mail becomes a file that people and tests can read.

Started as `python -m sync.devstack.services.mail_catcher PORT FOLDER`, and with a third argument serves a page on
that port too. A file is complete as soon as it has its name, and names sort by arrival. `mailbox` reads them.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from sync.devstack.ports import LOOPBACK
from sync.devstack.process import Launch, python
from sync.devstack.services.mail_page import PAGE_LOGIN, serve_page

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


@dataclass(frozen=True)
class MailPage:
    """Where people read the mails; `login` is `name:password`."""

    port: int
    login: str = field(repr=False)


def mail_catcher_launch(folder: Path, port: int, log: Path, page: MailPage | None = None) -> Launch:
    """How to start the catcher; mails arrive in `folder`, readable by the owner only: they hold passwords."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = python("-m", "sync.devstack.services.mail_catcher", str(port), str(folder))
    if page is None:
        return Launch("mail", command, log, Path.cwd())
    return Launch("mail", (*command, str(page.port)), log, Path.cwd(), {PAGE_LOGIN: page.login})


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


def main(arguments: list[str]) -> None:
    port, folder, *page = arguments
    if page:
        serve_page(int(page[0]), Path(folder), os.environ[PAGE_LOGIN])
    asyncio.run(serve(int(port), Path(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
