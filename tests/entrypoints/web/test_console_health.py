"""Health answers name what fails, and nothing that should stay hidden."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from sync.entrypoints.web import create_app
from tests.entrypoints.web.conftest import MakeSettings
from tests.services import KeycloakServer, RedisServer

pytestmark = [pytest.mark.req("H3"), pytest.mark.supports("J2")]


def test_the_process_is_alive_whatever_it_depends_on(make_settings: MakeSettings) -> None:
    """Nothing else runs, and the process is not restarted for that."""
    answer = TestClient(create_app(make_settings())).get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})


def test_what_fails_is_named_and_no_secret_is(make_settings: MakeSettings, tmp_path: Path) -> None:
    """No Redis, no Keycloak, a database without tables: 503 with each of them, without address or password."""
    settings = make_settings(database_url=f"sqlite:///{tmp_path}/empty.db")
    answer = TestClient(create_app(settings)).get("/health/ready")
    assert answer.status_code == 503
    checks = answer.json()["checks"]
    assert "no tables yet" in checks["database"]
    assert checks["redis"] == "cannot be used: ConnectionError"
    assert checks["keycloak"] == "cannot be reached: ConnectError"
    assert "hidden" not in answer.text
    assert "127.0.0.1" not in answer.text


@pytest.mark.keycloak
def test_ready_when_all_of_it_answers(
    make_settings: MakeSettings, keycloak_server: KeycloakServer, redis_server: RedisServer
) -> None:
    """A database with tables, a real Redis and a real Keycloak with the realm."""
    keycloak = {"url": keycloak_server.url, "realm": "master"}
    answer = TestClient(create_app(make_settings(keycloak, redis_url=redis_server.url))).get("/health/ready")
    assert answer.json() == {"status": "ready", "checks": {"database": "ok", "redis": "ok", "keycloak": "ok"}}
    assert answer.status_code == 200


@pytest.mark.keycloak
def test_a_realm_that_does_not_exist_is_named(
    make_settings: MakeSettings, keycloak_server: KeycloakServer
) -> None:
    """Keycloak runs, and the realm in the settings is mistyped."""
    keycloak = {"url": keycloak_server.url, "realm": "mistyped"}
    answer = TestClient(create_app(make_settings(keycloak))).get("/health/ready")
    assert answer.json()["checks"]["keycloak"] == "the realm does not exist"
