"""The services of one story, its own: started here, disturbed here, ended here, all on the loopback interface."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sqlite3
import tempfile
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from cryptography.fernet import Fernet

import mappings
from examples import fsm_database
from sync.devstack.ports import free_ports, listens
from sync.devstack.process import Launch, PartFailed, Running, alive, end, launch, wait_until_ready
from sync.devstack.services import keycloak_server as keycloak
from sync.devstack.services import postgres
from sync.devstack.services.keycloak_archive import prepared
from sync.devstack.services.mail_catcher import mail_catcher_launch
from sync.devstack.services.redis_server import redis_answers, redis_launch, redis_url
from tests.chaos.story.schedule import LOCKED
from tests.chaos.worker_processes import QUEUES, Workers
from tests.realms import ConfiguredRealm, configure
from tests.services import KeycloakServer
from tests.world import set_up

WORKERS = 3
REDIS_STARTS = 5
"""Somebody's outgoing connection may have taken its port meanwhile."""


@dataclass
class Places:
    """`sqlite`: our database is a file; otherwise a PostgreSQL of the story."""

    folder: Path
    sqlite: bool
    running: dict[str, Running] = field(default_factory=dict)
    launches: dict[str, Launch] = field(default_factory=dict)
    workers: list[Running] = field(default_factory=list)
    frozen: Running | None = None
    kills: int = 0
    _shared: Path | None = None
    _held: threading.Thread | None = None
    _number: int = 0

    def start(self) -> None:
        self._ports = free_ports(5)
        self._secret = secrets.token_urlsafe(12)
        kc, management, redis, database, mail = self._ports
        home = keycloak.thin_home(prepared(print), self.folder / "keycloak")
        logs = self.folder / "logs"
        self.launches["keycloak"] = keycloak.keycloak_launch(
            home, kc, management, self._secret, logs / "keycloak.log"
        )
        self.launches["redis"] = redis_launch(self.folder / "redis", redis, self._secret, logs / "redis.log")
        self.mails = self.folder / "mails"
        self.launches["mail"] = mail_catcher_launch(self.mails, mail, logs / "mail.log")
        if not self.sqlite:
            self._shared = Path(tempfile.mkdtemp(prefix="fsm-identity-chaos-"))
            self._shared.chmod(0o711)
            cluster = postgres.cluster_for(self._shared / "cluster")
            postgres.prepare(cluster, self._secret)
            self.launches["postgres"] = postgres.postgres_launch(cluster, database, logs / "postgres.log")
        for name in self.launches:
            self.running[name] = launch(self.launches[name])
        for name in self.launches:
            wait_until_ready(self.running[name], lambda name=name: self._ready(name), seconds=180)
        server = KeycloakServer(keycloak.keycloak_url(kc), keycloak.ADMIN, self._secret)
        self.realm: ConfiguredRealm = configure(server, "chaos", mappings.load(), mail)
        if self.sqlite:
            self.database_url = f"sqlite:///{self.folder / 'fsm-identity.db'}"
        else:
            postgres.create_database(database, self._secret, "chaos")
            self.database_url = postgres.postgres_url(database, self._secret, "chaos")
        set_up(self.database_url)
        fsm_url = f"sqlite:///{self.folder / 'fsm.db'}"
        fsm_database.create(fsm_url)
        self.environment = {
            "FSM_DATABASE_URL": self.database_url,
            "FSM_REDIS_URL": redis_url(redis, self._secret),
            "FSM_FIELD_SERVICE_URL": fsm_url,
            "FSM_SECRET_KEYS": Fernet.generate_key().decode(),
            "FSM_KEYCLOAK__URL": server.url,
            "FSM_KEYCLOAK__REALM": "chaos",
            "FSM_KEYCLOAK__WORKER_SECRET": self.realm.secrets["fsm-worker"],
            "FSM_KEYCLOAK__IMPORT_SECRET": self.realm.secrets["fsm-import"],
            "FSM_MAIL__HOST": "127.0.0.1",
            "FSM_MAIL__PORT": str(mail),
            "FSM_MAIL__LOGIN_URL": "https://login.example.com/",
        }
        self._starter = Workers(self.folder, self.environment)

    def _ready(self, name: str) -> bool:
        _, management, redis, database, mail = self._ports
        match name:
            case "keycloak":
                return keycloak.keycloak_ready(management)
            case "redis":
                return redis_answers(redis_url(redis, self._secret))
            case "mail":
                return listens(mail)
            case _:
                return postgres.postgres_answers(database, self._secret)

    def start_workers(self) -> None:
        self._starter.start_beat()
        for _ in range(WORKERS):
            self._one_more()

    def _one_more(self) -> None:
        self._number += 1
        self.workers.append(self._starter.start(f"worker-{self._number}", QUEUES))

    def kill_worker(self, which: float) -> None:
        """kill -9 for one that is not frozen; another one is started in its place."""
        free = [each for each in self.workers if each is not self.frozen]
        worker = free[int(which * len(free))]
        self.workers.remove(worker)
        if alive(worker):
            self._starter.kill(worker)
            self.kills += 1
        self._one_more()

    def freeze_worker(self, which: float) -> None:
        self.frozen = self.workers[int(which * len(self.workers))]
        os.killpg(self.frozen.pid, signal.SIGSTOP)

    def wake_frozen(self) -> None:
        assert self.frozen is not None
        os.killpg(self.frozen.pid, signal.SIGCONT)
        self.frozen = None

    def empty_redis(self) -> None:
        """kill -9, everything it kept is gone, start."""
        os.killpg(self.running["redis"].pid, signal.SIGKILL)
        end([self.running["redis"]])
        for path in [*(self.folder / "redis").glob("*.aof*"), *(self.folder / "redis").glob("*.rdb")]:
            path.unlink()
        shutil.rmtree(self.folder / "redis" / "appendonlydir", ignore_errors=True)
        for _ in range(REDIS_STARTS):
            self.running["redis"] = launch(self.launches["redis"])
            with suppress(PartFailed):
                return wait_until_ready(self.running["redis"], lambda: self._ready("redis"), seconds=10)
            end([self.running["redis"]])
        raise PartFailed("redis", "did not come back", self.running["redis"].log)

    def stop_keycloak(self) -> None:
        end([self.running["keycloak"]])

    def start_keycloak(self) -> None:
        self.running["keycloak"] = launch(self.launches["keycloak"])

    def cut_database(self) -> None:
        """PostgreSQL ends all our sessions; SQLite's write lock is held longer than anybody waits for it."""
        if self.sqlite:
            self._held = threading.Thread(target=self._hold_lock, daemon=True)
            self._held.start()
            return
        with psycopg.connect(self.database_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = 'chaos' AND pid <> pg_backend_pid()"
            )

    def _hold_lock(self) -> None:
        """Nothing more to do where somebody holds it already, such as a frozen worker."""
        held = sqlite3.connect(self.folder / "fsm-identity.db", timeout=30, isolation_level=None)
        with closing(held), suppress(sqlite3.OperationalError):
            held.execute("BEGIN IMMEDIATE")
            time.sleep(LOCKED)
            held.execute("ROLLBACK")

    def restart_database(self) -> None:
        if self.sqlite:
            self.cut_database()
            return
        end([self.running["postgres"]])
        self.running["postgres"] = launch(self.launches["postgres"])
        wait_until_ready(self.running["postgres"], lambda: self._ready("postgres"), seconds=60)

    def end(self) -> None:
        """End what this story started, and nothing else."""
        if self.frozen is not None:
            self.wake_frozen()
        if self._held is not None:
            self._held.join()
        if hasattr(self, "_starter"):
            self._starter.end()
        end(list(self.running.values()))
        if self._shared is not None:
            shutil.rmtree(self._shared, ignore_errors=True)
