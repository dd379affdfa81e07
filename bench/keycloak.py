"""A Keycloak of the benchmark's own with a configured realm, Systems of ours on it, and our workers for it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
import requests
from keycloak import KeycloakAdmin
from sqlalchemy import func, select, update

from bench.people import run_name
from sync.commands.mappings.in_force import adopt_first
from sync.devstack import stack, surroundings
from sync.devstack.foundation import LONG_LIVED_KEYCLOAK, MAIL, REDIS
from sync.devstack.layout import Layout, make_home
from sync.devstack.own_processes import SET_UP
from sync.devstack.process import Launch, Running, end, launch
from sync.devstack.services.keycloak_server import ADMIN
from sync.devstack.surroundings import REALM, Surroundings
from sync.domain.access.callers import Machine
from sync.domain.access.cause import Cause, Door
from sync.jobs.systems import Systems
from sync.settings import KeycloakSettings, MailSettings, Settings
from sync.store.database import schema
from sync.store.database.tables import installation, provisioning
from sync.store.realm import installation as installation_of
from sync.wiring.workers import build

CELERY = (sys.executable, "-m", "celery", "-A", "workers.app")


@dataclass(frozen=True)
class Place:
    """Where a benchmark runs: one Keycloak, and one database of ours."""

    systems: Systems
    surroundings: Surroundings
    database_url: str

    @property
    def realm(self) -> str:
        return REALM

    def plain_admin(self) -> KeycloakAdmin:
        """python-keycloak as its documentation shows it, signed in as the administrator."""
        return KeycloakAdmin(
            server_url=f"{self.surroundings.keycloak_url}/",
            username=ADMIN,
            password=self.surroundings.credentials.keycloak_admin,
            realm_name=REALM,
            user_realm_name="master",
        )

    def admin_token(self) -> str:
        """Of the administrator; good for a minute of work."""
        answer = requests.post(
            f"{self.surroundings.keycloak_url}/realms/{REALM}/protocol/openid-connect/token",
            {
                "client_id": "fsm-import",
                "client_secret": self.surroundings.credentials.import_client,
                "grant_type": "client_credentials",
            },
            timeout=30,
        )
        return str(answer.json()["access_token"])

    def admin_get(self, path: str, token: str | None = None) -> Any:  # noqa: ANN401 - JSON
        """With a token that is there, one request alone."""
        answer = requests.get(
            f"{self.surroundings.keycloak_url}/admin/realms/{REALM}/{path}",
            headers={"Authorization": f"Bearer {token or self.admin_token()}"},
            timeout=30,
        )
        return answer.json()

    def users(self) -> int:
        return int(self.admin_get("users/count"))

    def applied(self) -> int:
        """How many accounts are recorded to be in Keycloak as wanted. To ask Keycloak ten times a second how many
        users it has costs it more the more it has; the raw loop does not ask it either."""
        with self.systems.db.read() as tx:
            found = select(func.count()).where(provisioning.c.applied_version.is_not(None))
            return int(tx.connection.scalar(found) or 0)

    def with_new_database(self) -> Place:
        """The same Keycloak, and an empty database for it, of the installation that the realm is of; nothing waits
        in Redis."""
        url = f"sqlite:///{self.surroundings.layout.home / f'{run_name()}.db'}"
        schema.upgrade(url)
        os.environ.update(surroundings.for_command_line(self.surroundings))  # whoever wakes workers reads them
        redis.Redis.from_url(self.surroundings.redis_url).flushall()
        made = Place(build(_settings(self.surroundings, url)), self.surroundings, url)
        with self.systems.db.read() as tx:
            ours = installation_of(tx)
        with made.systems.db.write() as tx:
            tx.connection.execute(update(installation).values(id=ours))
        adopt_first(made.systems.db, None, BENCH, made.systems.clock.now())
        return made


BENCH = Cause(Machine(0, "bench", "bench"), Door.COMMAND_LINE, "measuring")


@contextmanager
def configured_keycloak() -> Iterator[Place]:
    """Keycloak and Redis, the realm applied, our database migrated; all gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="fsm-identity-bench-"))
    layout = Layout(home.resolve())
    make_home(layout)
    try:
        with stack.foreground(
            layout, (LONG_LIVED_KEYCLOAK, REDIS, MAIL), "sqlite", lambda line: print(f"  {line}", flush=True)
        ) as place:
            for step in SET_UP:
                print(f"  {step.name}", flush=True)
                step.do(place)
            yield place_of(place)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def place_of(where: Surroundings) -> Place:
    url = surroundings.common(where)["FSM_DATABASE_URL"]
    return Place(build(_settings(where, url)), where, url)


def _settings(place: Surroundings, database_url: str) -> Settings:
    own = surroundings.for_command_line(place)
    return Settings(
        database_url=database_url,
        redis_url=own["FSM_REDIS_URL"],
        field_service_url=own["FSM_FIELD_SERVICE_URL"],
        secret_keys=own["FSM_SECRET_KEYS"],
        keycloak=KeycloakSettings(
            url=own["FSM_KEYCLOAK__URL"],
            realm=own["FSM_KEYCLOAK__REALM"],
            worker_secret=own["FSM_KEYCLOAK__WORKER_SECRET"],
            import_secret=own["FSM_KEYCLOAK__IMPORT_SECRET"],
        ),
        mail=MailSettings(login_url=own["FSM_MAIL__LOGIN_URL"]),
    )


@contextmanager
def workers(place: Place, *, bulk: int = 2, interactive: int = 1) -> Iterator[Mapping[str, Running]]:
    """Our workers and beat as they run in the development stack, without the mail lane: it would only take
    processor time from Keycloak, whose is what is measured."""
    home = place.surroundings.layout.home
    common = surroundings.for_bulk_worker(place.surroundings) | {"FSM_DATABASE_URL": place.database_url}
    alone = ("-l", "INFO", "--without-mingle", "--without-gossip")

    def start(name: str, *arguments: str) -> Running:
        log = place.surroundings.layout.log(name)
        return launch(Launch(name, (*CELERY, *arguments), log, home, common, without=("FSM_",)))

    started = {
        "interactive": start(
            "w-interactive", "worker", "-Q", "interactive", "-n", "i@b", "-c", str(interactive), *alone
        ),
        "bulk": start("w-bulk", "worker", "-Q", "bulk", "-n", "b@b", "-c", str(bulk), *alone),
        "beat": start("w-beat", "beat", "-s", str(home / "bench-beat"), "--pidfile="),
    }
    try:
        _wait_until_ready(started)
        yield started
    finally:
        end(list(started.values()))


def _wait_until_ready(started: Mapping[str, Running]) -> None:
    until = time.monotonic() + 60
    for name in ("interactive", "bulk"):
        while " ready." not in started[name].log.read_text(errors="replace"):
            if time.monotonic() > until:
                raise RuntimeError(f"the worker {name} did not start: {started[name].log}")
            time.sleep(0.1)
