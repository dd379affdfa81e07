"""What all tests share: real services started as the development stack starts them.

One of each service serves a whole run; a test or module gets a realm, database or folder of its own inside.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.devstack.ports import free_ports
from sync.devstack.process import end, launch, wait_until_ready
from sync.devstack.services import postgres
from sync.devstack.services.redis_server import redis_answers, redis_launch, redis_url
from tests.asked_outside import _watched, fsm_is_asked_outside  # noqa: F401 - fixtures of every test
from tests.fsm_over_http import serve_fsm  # noqa: F401 - a fixture
from tests.keycloak_of_a_run import shared_keycloak
from tests.realms import a_realms_name, configured_realm  # noqa: F401 - the second is a fixture
from tests.services import KeycloakServer, MailCatcher, PostgresServer, RedisServer, a_mail_catcher
from tests.world import at_work, migrated, people, world  # noqa: F401 - fixtures

TAKE_LONG = ("tests/e2e/test_demo.py", "tests/chaos", "tests/devstack", "tests/e2e")
"""These begin first where several processes share the files, so that none is left alone with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(
            key=lambda item: next((n for n, each in enumerate(TAKE_LONG) if item.nodeid.startswith(each)), 9)
        )


@pytest.fixture(scope="session")
def service_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the services of this run write their logs."""
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="session")
def keycloak_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeycloakServer]:
    """The Keycloak of this run; FSM_TEST_KEYCLOAK_URL names one that runs already (admin, admin)."""
    named = os.environ.get("FSM_TEST_KEYCLOAK_URL")
    if named:
        yield KeycloakServer(named, "admin", "admin")
        return
    with shared_keycloak(run_folder(tmp_path_factory)) as server:
        yield server


def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of one run share: pytest-xdist gives each a folder of its own below it."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="module")
def realm_name(keycloak_server: KeycloakServer) -> Iterator[str]:
    """A name for a realm of this module's own; the realm is removed afterwards if the module made it."""
    with a_realms_name(keycloak_server) as name:
        yield name


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory, service_logs: Path) -> Iterator[RedisServer]:
    """The Redis of this run."""
    [port] = free_ports(1)
    password = secrets.token_urlsafe(12)
    url = redis_url(port, password)
    running = launch(redis_launch(tmp_path_factory.mktemp("redis"), port, password, service_logs / "redis.log"))
    try:
        wait_until_ready(running, lambda: redis_answers(url), seconds=20)
        yield RedisServer(url)
    finally:
        end([running])


@pytest.fixture(scope="module")
def clean_redis_url(redis_server: RedisServer) -> str:
    """The address of the Redis of this run, emptied for this module."""
    redis_server.flush()
    return redis_server.url


@pytest.fixture(scope="session")
def postgres_server(service_logs: Path) -> Iterator[PostgresServer]:
    """The PostgreSQL cluster of this run; it does not care for surviving a power cut."""
    folder = Path(tempfile.mkdtemp(prefix="fsm-identity-tests-"))
    folder.chmod(0o711)
    password = secrets.token_urlsafe(12)
    cluster = postgres.cluster_for(folder / "cluster")
    postgres.prepare(cluster, password)
    [port] = free_ports(1)
    running = launch(postgres.postgres_launch(cluster, port, service_logs / "postgres.log", durable=False))
    try:
        wait_until_ready(running, lambda: postgres.postgres_answers(port, password), seconds=30)
        yield PostgresServer(port, password)
    finally:
        end([running])
        shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The SQLAlchemy address of an empty database of this test's own."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The SQLAlchemy address of an empty database of this test's own: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fsm-identity.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="module")
def mail_catcher(tmp_path_factory: pytest.TempPathFactory, service_logs: Path) -> Iterator[MailCatcher]:
    """An SMTP server of this module's own whose mails can be waited for."""
    with a_mail_catcher(tmp_path_factory.mktemp("mail"), service_logs / "mail.log") as catcher:
        yield catcher
