"""A Keycloak of the benchmark's own with a configured realm, and a Site of ours on it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from keycloak import KeycloakAdmin

from sync.devstack import stack, surroundings
from sync.devstack.keycloak_server import ADMIN
from sync.devstack.layout import Layout, make_home
from sync.devstack.own_processes import SET_UP
from sync.devstack.surroundings import REALM, Surroundings
from sync.settings import KeycloakSettings, MailSettings, Settings
from sync.usecases.site import Site
from sync.wiring import build


@dataclass(frozen=True)
class Place:
    """Where a benchmark runs."""

    site: Site
    surroundings: Surroundings

    def plain_admin(self) -> KeycloakAdmin:
        """python-keycloak as its documentation shows it, signed in as the administrator."""
        return KeycloakAdmin(
            server_url=f"{self.surroundings.keycloak_url}/",
            username=ADMIN,
            password=self.surroundings.credentials.keycloak_admin,
            realm_name=REALM,
            user_realm_name="master",
        )


@contextmanager
def configured_keycloak() -> Iterator[Place]:
    """Keycloak and Redis, the realm applied, our database migrated; all gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="fsm-identity-bench-"))
    layout = Layout(home.resolve())
    make_home(layout)
    try:
        parts = stack.chosen_parts("sqlite", ["keycloak", "redis", "mail"])
        with stack.foreground(layout, parts, "sqlite", lambda line: print(f"  {line}", flush=True)) as place:
            for step in SET_UP:
                print(f"  {step.name}", flush=True)
                step.do(place)
            yield Place(build(_settings(place)), place)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _settings(place: Surroundings) -> Settings:
    own = surroundings.for_command_line(place)
    return Settings(
        database_url=own["FSM_DATABASE_URL"],
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
