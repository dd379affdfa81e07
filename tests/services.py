"""What a test holds in its hand when it asks for a real service; the fixtures stand in tests/conftest.py."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import redis
import requests

from sync.devstack.ports import LOOPBACK, free_ports, listens
from sync.devstack.process import end, launch, wait_until_ready
from sync.devstack.services import mail_catcher, mailbox, postgres


@dataclass(frozen=True)
class KeycloakServer:
    """A running Keycloak and the administrator of its master realm."""

    url: str
    admin: str
    password: str = field(repr=False)

    def session(self) -> requests.Session:
        """An HTTP session with a fresh administrator's token (it lives one minute)."""
        session = requests.Session()
        answer = session.post(
            f"{self.url}/realms/master/protocol/openid-connect/token",
            data={
                "grant_type": "password",
                "client_id": "admin-cli",
                "username": self.admin,
                "password": self.password,
            },
            timeout=20,
        )
        answer.raise_for_status()
        session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return session


@dataclass(frozen=True)
class RedisServer:
    """A running Redis; its address holds the password."""

    url: str

    def flush(self) -> None:
        """Forget everything."""
        client = redis.Redis.from_url(self.url)
        client.flushall()
        client.close()


@dataclass(frozen=True)
class PostgresServer:
    """A running PostgreSQL in which databases come and go."""

    port: int
    password: str = field(repr=False)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The SQLAlchemy address of a new empty database, dropped at the end even if someone is connected."""
        name = f"t_{uuid.uuid4().hex[:12]}"
        postgres.create_database(self.port, self.password, name)
        try:
            yield postgres.postgres_url(self.port, self.password, name)
        finally:
            postgres.drop_database(self.port, self.password, name)


@dataclass(frozen=True)
class MailCatcher:
    """A running SMTP server; what it took stands in `folder`."""

    host: str
    port: int
    folder: Path

    def wait(
        self, count: int = 1, *, which: Callable[[EmailMessage], bool] = lambda _: True, seconds: float = 10.0
    ) -> list[EmailMessage]:
        """At least `count` mails for which `which` holds, the oldest first. Raises TimeoutError."""
        return mailbox.wait_for_mails(self.folder, count, which=which, seconds=seconds)

    def forget(self) -> None:
        """Remove all mails that came so far."""
        for path in self.folder.glob("*.eml"):
            path.unlink()


@contextmanager
def a_mail_catcher(folder: Path, log: Path) -> Iterator[MailCatcher]:
    """Runs one that keeps its mails in `folder`."""
    [port] = free_ports(1)
    running = launch(mail_catcher.mail_catcher_launch(folder, port, log))
    try:
        wait_until_ready(running, lambda: listens(port), seconds=20)
        yield MailCatcher(LOOPBACK, port, folder)
    finally:
        end([running])
