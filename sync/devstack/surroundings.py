"""The settings of one stack and what each of our processes is told of them (`sync.settings`).

A process gets only the secrets it needs: the worker for interactive work cannot import, the web process
cannot change users. The whole of it stands in `settings.toml`, for a person at the command line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from sync.devstack.credentials import Credentials
from sync.devstack.layout import Layout
from sync.devstack.ports import LOOPBACK
from sync.devstack.services.keycloak_server import ADMIN, keycloak_url
from sync.devstack.services.postgres import postgres_url
from sync.devstack.services.redis_server import redis_url
from sync.devstack.state import Database

POSTGRES_DATABASE = "fsm_identity"
REALM = "fsm"
OPERATOR = "operator"
"""The name in the logins of Flower and of the mails."""


@dataclass(frozen=True)
class Surroundings:
    """Where a stack's parts find each other."""

    layout: Layout
    ports: Mapping[str, int]
    credentials: Credentials
    database: Database = "sqlite"

    @property
    def web_url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports['web']}"

    @property
    def keycloak_url(self) -> str:
        return keycloak_url(self.ports["keycloak"])

    @property
    def mail_url(self) -> str:
        """The page with the mails that were caught."""
        return f"http://{LOOPBACK}:{self.ports['mail-page']}"

    @property
    def redis_url(self) -> str:
        return redis_url(self.ports["redis"], self.credentials.redis)

    @property
    def database_url(self) -> str:
        if self.database == "sqlite":
            return f"sqlite:///{self.layout.database}"
        return postgres_url(self.ports["postgres"], self.credentials.postgres, POSTGRES_DATABASE)


def common(place: Surroundings) -> dict[str, str]:
    """Settings every process of ours gets. A folder of mappings that the user has set is handed on."""
    own_mappings = os.environ.get("FSM_MAPPINGS_FOLDER")
    return {
        "FSM_DATABASE_URL": place.database_url,
        "FSM_REDIS_URL": place.redis_url,
        "FSM_FIELD_SERVICE_URL": f"sqlite:///{place.layout.field_service}",
        "FSM_SECRET_KEYS": place.credentials.secret_key,
        "FSM_PUBLIC_URL": place.web_url,
        "FSM_KEYCLOAK__URL": place.keycloak_url,
        "FSM_KEYCLOAK__REALM": REALM,
        "FSM_MAIL__HOST": LOOPBACK,
        "FSM_MAIL__PORT": str(place.ports["mail"]),
        "FSM_MAIL__LOGIN_URL": place.web_url,
    } | ({"FSM_MAPPINGS_FOLDER": own_mappings} if own_mappings else {})


def for_worker(place: Surroundings) -> dict[str, str]:
    """A worker that changes single accounts."""
    return {**common(place), "FSM_KEYCLOAK__WORKER_SECRET": place.credentials.worker_client}


def for_bulk_worker(place: Surroundings) -> dict[str, str]:
    """A worker that also creates many accounts at once."""
    return {**for_worker(place), "FSM_KEYCLOAK__IMPORT_SECRET": place.credentials.import_client}


def for_web(place: Surroundings) -> dict[str, str]:
    """The web process."""
    return {
        **common(place),
        "FSM_KEYCLOAK__CONSOLE_SECRET": place.credentials.console_client,
        "FSM_METRICS_TOKEN": place.credentials.metrics,
    }


def for_flower(place: Surroundings) -> dict[str, str]:
    """Flower, which shows the workers' tasks to whoever has its login."""
    return {
        **common(place),
        "CELERY_CONFIG_MODULE": "celeryconfig",
        "FLOWER_BASIC_AUTH": f"{OPERATOR}:{place.credentials.flower}",
    }


def for_command_line(place: Surroundings) -> dict[str, str]:
    """The command line, for every command that changes no realm's foundation."""
    return {
        **for_bulk_worker(place),
        **for_web(place),
        "FSM_KEYCLOAK__CONFIGURE_SECRET": place.credentials.configure_client,
    }


def for_bootstrap(place: Surroundings) -> dict[str, str]:
    """The one command that needs Keycloak's administrator."""
    return {
        **for_command_line(place),
        "FSM_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
        "FSM_BOOTSTRAP_ADMIN_PASSWORD": place.credentials.keycloak_admin,
    }


def as_toml(environment: Mapping[str, str]) -> str:
    """The same settings as the file that FSM_SETTINGS may name."""
    plain: list[str] = []
    tables: dict[str, list[str]] = {}
    for name, value in sorted(environment.items()):
        table, _, key = name.removeprefix("FSM_").lower().rpartition("__")
        (tables.setdefault(table, []) if table else plain).append(f"{key} = {json.dumps(value)}")
    blocks = ["\n".join(plain), *(f"[{table}]\n" + "\n".join(lines) for table, lines in tables.items())]
    return "\n\n".join(blocks) + "\n"
