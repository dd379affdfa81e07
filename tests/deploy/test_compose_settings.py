"""What compose.yaml tells our processes is what `sync.settings` and Celery's settings understand."""

from __future__ import annotations

import os
import runpy
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import BaseModel
from redis.connection import parse_url
from sqlalchemy.engine import make_url

from sync.domain.work.lane import Lane
from sync.entrypoints.cli.database import DatabaseSettings
from sync.entrypoints.cli.realm import ADMINISTRATOR, PASSWORD
from sync.settings import KeycloakSettings, Settings, load_settings
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from sync.store.work import processes
from tests.deploy.compose_file import ROOT, read

pytestmark = pytest.mark.supports("J2", "J3")

COMPOSE = read()
FIELD_SERVICE_URL = "postgresql+psycopg://reader:pw@fsm-database.example.com/fsm"
WHERE_SETTINGS_ARE = {"FSM_SECRETS_DIR", "FSM_SETTINGS"}


Enter = Callable[[str], None]


def variables(model: type[BaseModel] = Settings, prefix: str = "FSM_") -> set[str]:
    """Every variable the settings know."""
    found = set()
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= variables(field.annotation, f"{prefix}{name.upper()}__")
        else:
            found.add(f"{prefix}{name.upper()}")
    return found


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The secrets as an operator makes them."""
    folder = tmp_path_factory.mktemp("made") / "secrets"
    make_secrets(FIELD_SERVICE_URL, folder)
    return folder


def make_secrets(url: str, folder: Path) -> str:
    command = ["sh", str(ROOT / "deploy" / "make-secrets"), url, str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, secrets: Path) -> Enter:
    """Makes this process see what a container sees: its environment and its secrets, nothing else of ours."""

    def enter(name: str) -> None:
        service = COMPOSE.services[name]
        for variable in [each for each in os.environ if each.startswith("FSM_")]:
            monkeypatch.delenv(variable)
        for variable, value in service.get("environment", {}).items():
            monkeypatch.setenv(variable, value)
        mounted = tmp_path / name
        mounted.mkdir()
        for secret in service["secrets"]:
            (mounted / secret).write_text((secrets / secret).read_text())
        assert service["environment"]["FSM_SECRETS_DIR"] == "/run/secrets"
        monkeypatch.setenv("FSM_SECRETS_DIR", str(mounted))

    return enter


@pytest.mark.parametrize("name", sorted(COMPOSE.ours()))
def test_every_variable_is_a_setting(name: str) -> None:
    """A misspelt FSM_ variable would be ignored in silence; so would a secret of another name."""
    service = COMPOSE.services[name]
    given = {*service["environment"], *(each for each in service["secrets"] if each.startswith("FSM_"))}
    assert given - WHERE_SETTINGS_ARE - {ADMINISTRATOR} <= variables()


def test_the_realm_is_bootstrapped_with_the_variables_it_reads() -> None:
    """The command line reads them, and the shell around it sets them from the secret."""
    service = COMPOSE.services["realm"]
    assert service["environment"][ADMINISTRATOR] == "admin"
    assert f'{PASSWORD}="$(cat /run/secrets/KEYCLOAK_ADMIN_PASSWORD)"' in service["command"][-1]


@pytest.mark.parametrize(
    ("has_password", "done"),
    [(True, ["realm bootstrap (with it)", "realm apply --yes ()"]), (False, ["realm apply --yes ()"])],
)
def test_the_administrator_s_password_can_be_taken_away(
    tmp_path: Path, has_password: bool, done: list[str]
) -> None:
    """As deploy/README.md advises; the next start only applies, and the password is never around for longer."""
    program = tmp_path / "fsm-identity"
    program.write_text('#!/bin/sh\necho "$* (${FSM_BOOTSTRAP_ADMIN_PASSWORD:-})"\n')
    program.chmod(0o755)
    if has_password:
        (tmp_path / "KEYCLOAK_ADMIN_PASSWORD").write_text("with it")
    command = [word.replace("/run/secrets", str(tmp_path)) for word in COMPOSE.services["realm"]["command"]]
    path = f"{tmp_path}:{os.environ['PATH']}"
    ran = subprocess.run(command, env={"PATH": path}, check=True, capture_output=True, text=True, timeout=20)
    assert ran.stdout.splitlines() == done


@pytest.mark.parametrize("name", sorted(set(COMPOSE.ours()) - {"migrate"}))
def test_a_container_has_all_settings_it_starts_with(name: str, inside: Enter) -> None:
    """Settings can be built from exactly the environment and the secrets of the container."""
    inside(name)
    settings = load_settings()
    assert str(settings.keycloak.url) == "http://keycloak:8080/"
    assert settings.keycloak.issuer == "http://localhost:8080/realms/fsm"
    assert settings.field_service_url.get_secret_value() == FIELD_SERVICE_URL
    Fernet(settings.secret_keys.get_secret_value())


def test_the_migration_gets_the_database_alone(inside: Enter) -> None:
    """It runs before the rest is set up, and needs no other secret."""
    inside("migrate")
    assert "@postgres:5432/fsm_identity" in DatabaseSettings().database_url.get_secret_value()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("web", {"console_secret"}),
        ("beat", set()),
        ("worker-interactive", {"worker_secret"}),
        ("worker-bulk", {"worker_secret", "import_secret"}),
        ("worker-reconcile", {"worker_secret"}),
        ("realm", {"worker_secret", "import_secret", "configure_secret", "console_secret"}),
    ],
)
def test_a_container_has_the_clients_it_needs_and_no_other(name: str, needed: set[str], inside: Enter) -> None:
    """Least rights: only the bulk worker may import, only the realm's set-up may configure."""
    inside(name)
    keycloak = load_settings().keycloak
    secrets = {each for each in KeycloakSettings.model_fields if each.endswith("_secret")}
    assert {each for each in secrets if getattr(keycloak, each) is not None} == needed


@pytest.mark.parametrize("name", sorted(COMPOSE.ours()))
def test_an_operators_own_addresses_reach_every_container(name: str) -> None:
    """FSM_PUBLIC_URL and FSM_KEYCLOAK__PUBLIC_URL set in the shell or in .env are used everywhere."""
    own = read(FSM_PUBLIC_URL="https://accounts.example.com", FSM_KEYCLOAK__PUBLIC_URL="https://login.example.com")
    environment = own.services[name]["environment"]
    assert environment["FSM_PUBLIC_URL"] == environment["FSM_MAIL__LOGIN_URL"] == "https://accounts.example.com"
    assert environment["FSM_KEYCLOAK__PUBLIC_URL"] == own.services["keycloak"]["environment"]["KC_HOSTNAME"]


def test_addresses_in_secrets_are_those_of_the_services(secrets: Path) -> None:
    """The database and Redis are found under their service's name, with the password the service has."""
    database = make_url((secrets / "FSM_DATABASE_URL").read_text())
    assert (database.host, database.port, database.database) == ("postgres", 5432, "fsm_identity")
    assert database.password == (secrets / "FSM_IDENTITY_DATABASE_PASSWORD").read_text()
    redis = parse_url((secrets / "FSM_REDIS_URL").read_text())
    assert (redis["host"], redis["port"]) == ("redis", 6379)
    assert redis["password"] == (secrets / "REDIS_PASSWORD").read_text()


def test_every_secret_is_made_once(secrets: Path) -> None:
    """Files and declared secrets are the same, the folder is closed, and running it again changes nothing."""
    made = {path.name: path.read_text() for path in secrets.iterdir()}
    declared = {name: source["file"] for name, source in COMPOSE.document["secrets"].items()}
    assert set(made) == set(declared)
    assert all(file == f"./deploy/secrets/{name}" for name, file in declared.items())
    assert all(value and value == value.strip() for value in made.values())
    assert secrets.stat().st_mode & 0o077 == 0
    assert make_secrets("another", secrets) == ""
    assert {path.name: path.read_text() for path in secrets.iterdir()} == made


def test_every_lane_has_a_worker() -> None:
    """The queues of the workers are the lanes; bulk work never stands before interactive work, nor mails before
    bulk work."""
    queues = {
        name: set(each["command"][each["command"].index("-Q") + 1].split(","))
        for name, each in COMPOSE.services.items()
        if "worker" in each.get("command", [])
    }
    assert set().union(*queues.values()) == {lane.value for lane in Lane}
    assert queues["worker-interactive"] == {Lane.INTERACTIVE.value}
    assert queues["worker-bulk"] == {Lane.BULK.value}


@pytest.mark.supports("H1", "H3")
def test_the_beat_is_well_while_it_ticks_and_no_longer(
    inside: Enter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The health check of its container asks for the row of its own machine, not for the age of a file."""
    inside("beat")
    url = f"sqlite:///{tmp_path / 'our.db'}"
    monkeypatch.setenv("FSM_DATABASE_URL", url)
    schema.upgrade(url)
    kind, python, *words = COMPOSE.services["beat"]["healthcheck"]["test"]
    assert (kind, python) == ("CMD", "python")

    def check() -> tuple[int, str]:
        ran = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        return ran.returncode, ran.stderr.strip()

    host = socket.gethostname()
    assert check() == (1, f"no beat has ticked on {host}")
    database = Database(url, Sealer([Fernet.generate_key().decode()]))
    with database.write() as tx:
        processes.lives(tx, processes.beat_of(host), host, 7, datetime.now(UTC))
    assert check() == (0, "")
    with database.write() as tx:
        processes.lives(tx, processes.beat_of(host), host, 7, datetime.now(UTC) - timedelta(minutes=1))
    database.close()
    code, told = check()
    assert (code, told.startswith(f"the beat of {host} ticked 6")) == (1, True)


def test_flower_reads_the_broker_of_the_workers(inside: Enter) -> None:
    """The same address, key prefix and content types as the workers, and a login for whoever looks."""
    inside("beat")
    workers = runpy.run_path(str(ROOT / "celeryconfig.py"))
    inside("flower")
    flower = runpy.run_path(str(ROOT / "deploy" / "flower" / "flower_broker.py"))
    assert flower["broker_url"] == workers["broker_url"]
    prefix = workers["broker_transport_options"]["global_keyprefix"]
    assert flower["broker_transport_options"]["global_keyprefix"] == prefix
    assert flower["accept_content"] == workers["accept_content"]
    login = runpy.run_path(str(ROOT / "deploy" / "flower" / "flowerconfig.py"))
    assert login["basic_auth"][0].startswith("operator:")


def test_flower_stands_on_the_locked_packages() -> None:
    """Whatever Flower shares with our image has the locked version; regenerate as the file's head says."""
    locked, flower = (
        {
            line.split("==")[0]: line.split()[0]
            for line in path.read_text().splitlines()
            if "==" in line and line[0].isalnum()
        }
        for path in (ROOT / "requirements.txt", ROOT / "deploy" / "flower" / "requirements.txt")
    )
    assert "flower" in flower
    assert {name: flower[name] for name in flower.keys() & locked.keys()} == {
        name: locked[name] for name in flower.keys() & locked.keys()
    }
