"""The real parts of a module's end-to-end tests, put together as a process of ours puts them together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from examples import fsm_database
from examples.browser import CALLBACK
from sync.settings import Settings
from sync.wiring.doors import installation_of
from sync.wiring.workers import build
from tests.chaos.worker_processes import Workers
from tests.e2e.command_line import CommandLine
from tests.e2e.place import APP, OffsetClock, Place
from tests.fakes.signals import FakeWake
from tests.realms import ConfiguredRealm
from tests.services import MailCatcher, RedisServer
from tests.world import set_up


@pytest.fixture(scope="module")
def settings_file(
    tmp_path_factory: pytest.TempPathFactory,
    configured_realm: ConfiguredRealm,
    redis_server: RedisServer,
    mail_catcher: MailCatcher,
) -> Path:
    """What FSM_SETTINGS names; beside it our database, with mapping files in force, and the example of FSM."""
    folder = tmp_path_factory.mktemp("place")
    redis_server.flush()
    set_up(f"sqlite:///{folder / 'our.db'}")
    fsm_database.create(f"sqlite:///{folder / 'fsm.db'}")
    secrets = configured_realm.secrets
    tables = {
        "": {
            "database_url": f"sqlite:///{folder / 'our.db'}",
            "redis_url": redis_server.url,
            "field_service_url": f"sqlite:///{folder / 'fsm.db'}",
            "secret_keys": Fernet.generate_key().decode(),
        },
        "keycloak": {
            "url": configured_realm.url,
            "realm": configured_realm.realm,
            "worker_secret": secrets["fsm-worker"],
            "import_secret": secrets["fsm-import"],
            "configure_secret": secrets["fsm-configure"],
            "console_secret": secrets["fsm-console"],
        },
        "mail": {
            "host": mail_catcher.host,
            "port": mail_catcher.port,
            "login_url": f"{configured_realm.url}/realms/{configured_realm.realm}/account",
        },
    }
    lines = []
    for table, values in tables.items():
        lines += [f"[{table}]"] if table else []
        lines += [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    file = folder / "settings.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def shell(settings_file: Path, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """The command line, as an administrator has it."""
    return CommandLine(tmp_path_factory.mktemp("desk"), settings_file)


@pytest.fixture(scope="module")
def a_worker(settings_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One that follows every lane."""
    workers = Workers(tmp_path_factory.mktemp("worker"), {"FSM_SETTINGS": str(settings_file)})
    workers.start("only", "interactive,bulk,mail")
    yield
    workers.end()


@pytest.fixture(scope="module")
def field_app(configured_realm: ConfiguredRealm) -> str:
    """The company's application: a public client that people log in to."""
    client = {
        "clientId": APP,
        "publicClient": True,
        "redirectUris": [CALLBACK],
        "attributes": {"pkce.code.challenge.method": "S256"},
    }
    configured_realm.send("POST", "clients", client)
    return APP


@pytest.fixture(scope="module")
def place(settings_file: Path, field_app: str, configured_realm: ConfiguredRealm) -> Iterator[Place]:
    """Systems as `build` makes it; time can be let pass, and wakes are counted instead of sent."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FSM_SETTINGS", str(settings_file))
        settings = Settings()  # type: ignore[call-arg]
    clock = OffsetClock()
    systems = replace(build(settings, installation=installation_of(settings)), clock=clock, wake=FakeWake())
    fsm_file = settings_file.with_name("fsm.db")
    engine = fsm_database.engine_for(f"sqlite:///{fsm_file}")
    yield Place(systems, configured_realm, clock, engine, fsm_file)
    engine.dispose()
    systems.db.close()
