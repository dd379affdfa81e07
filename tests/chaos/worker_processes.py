"""Real Celery workers on a real Keycloak, Redis and database, to be killed; and the people they are given."""

from __future__ import annotations

import os
import signal
import sys
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.fernet import Fernet

from mappings import load
from sync.commands.accounts.change import create
from sync.commands.accounts.initial_password import InitialPassword
from sync.devstack.process import Launch, Running, end, launch
from sync.domain.access.cause import Origin
from sync.domain.accounts.change import NewAccount
from sync.domain.work.lane import Lane
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from tests.callers import wanted_by
from tests.realms import ConfiguredRealm
from tests.services import MailCatcher, RedisServer

QUEUES = "interactive,bulk,mail,reconcile"
KEY = Fernet.generate_key().decode()
BY = wanted_by("dana", "the staff list of the test", Origin.IMPORT)


def worker_settings(
    folder: Path, database_url: str, realm: ConfiguredRealm, redis: RedisServer, mails: MailCatcher
) -> dict[str, str]:
    """The settings of workers that live in `folder`, with an FSM database of their own."""
    return {
        "FSM_DATABASE_URL": database_url,
        "FSM_REDIS_URL": redis.url,
        "FSM_FIELD_SERVICE_URL": f"sqlite:///{folder / 'fsm.db'}",
        "FSM_SECRET_KEYS": KEY,
        "FSM_KEYCLOAK__URL": realm.url,
        "FSM_KEYCLOAK__REALM": realm.realm,
        "FSM_KEYCLOAK__WORKER_SECRET": realm.secrets["fsm-worker"],
        "FSM_KEYCLOAK__IMPORT_SECRET": realm.secrets["fsm-import"],
        "FSM_MAIL__HOST": mails.host,
        "FSM_MAIL__PORT": str(mails.port),
        "FSM_MAIL__LOGIN_URL": "https://login.example.com/",
    }


def database(url: str) -> Database:
    """The database of these workers, as a door sees it."""
    return Database(url, Sealer([KEY]))


def import_people(db: Database, people: int) -> None:
    """So many new accounts in the bulk lane, each with a welcome mail."""
    policy, company = load(), uuid.uuid4().hex[:6]
    with db.write() as tx:
        now = datetime.now(UTC)
        for number in range(people):
            address = f"{company}-{number:04d}@example.com"
            new = NewAccount(address, "Pat", f"Person {number}", "read-only", "hamburg")
            password = InitialPassword(f"temporary-{number:04d}-secret-secret", "mail")
            create(tx, policy, new, BY, now, password=password, lane=Lane.BULK)


@dataclass
class Workers:
    """Starts workers in `folder` with these settings and no others. End what is left with `end`."""

    folder: Path
    environment: dict[str, str]
    started: list[Running] = field(default_factory=list)

    def start(self, name: str, queues: str) -> Running:
        command = (sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", queues, "-c", "1")
        options = ("-n", f"{name}@test", "-l", "INFO", "--without-mingle", "--without-gossip")
        log = self.folder / f"{name}.log"
        running = launch(Launch(name, (*command, *options), log, self.folder, self.environment, without=("FSM_",)))
        self.started.append(running)
        return running

    def start_beat(self) -> Running:
        command = (sys.executable, "-m", "celery", "-A", "workers.app", "beat", "-s", str(self.folder / "beat"))
        log = self.folder / "beat.log"
        running = launch(Launch("beat", command, log, self.folder, self.environment, without=("FSM_",)))
        self.started.append(running)
        return running

    def kill(self, worker: Running) -> None:
        """kill -9 for the worker and its child, as a machine that loses power does."""
        os.killpg(os.getpgid(worker.pid), signal.SIGKILL)

    def freeze(self, worker: Running) -> None:
        """Stop it where it stands, as a machine that swaps or is moved does; it keeps leases and connections."""
        os.killpg(os.getpgid(worker.pid), signal.SIGSTOP)

    def wake(self, worker: Running) -> None:
        os.killpg(os.getpgid(worker.pid), signal.SIGCONT)

    def log_of(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def end(self) -> None:
        """End all, the frozen ones too."""
        for worker in self.started:
            with suppress(ProcessLookupError):
                self.wake(worker)
        end(self.started)
