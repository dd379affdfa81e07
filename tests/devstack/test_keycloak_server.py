"""The real Keycloak of a stack: the shared installation with data of its own."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import pytest

from sync.devstack.ports import free_ports, listens
from sync.devstack.process import alive, end, launch, run, wait_until_ready
from sync.devstack.services.keycloak_archive import prepared, wanted_version
from sync.devstack.services.keycloak_server import ADMIN, keycloak_launch, keycloak_ready, keycloak_url, thin_home
from tests.services import KeycloakServer

pytestmark = [pytest.mark.supports("J1"), pytest.mark.keycloak]


def contents(folder: Path) -> dict[str, int]:
    """Each file below the folder with its time of change."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_keycloak_of_a_stack_keeps_its_data_and_leaves_the_installation_alone(tmp_path: Path) -> None:
    """It starts, answers its administrator, stops, starts again with the same realm, and shares nothing."""
    installation = prepared(print)
    before = contents(installation)
    home = thin_home(installation, tmp_path / "home")
    password = secrets.token_urlsafe(12)
    for attempt in range(2):
        port, management_port = free_ports(2)
        running = launch(keycloak_launch(home, port, management_port, password, tmp_path / f"{attempt}.log"))
        try:
            wait_until_ready(running, lambda on=management_port: keycloak_ready(on), seconds=180)
            server = KeycloakServer(keycloak_url(port), ADMIN, password)
            admin = server.session()
            version = admin.get(f"{server.url}/admin/serverinfo", timeout=30).json()["systemInfo"]["version"]
            assert version == wanted_version()
            if attempt == 0:
                admin.post(f"{server.url}/admin/realms", json={"realm": "kept"}, timeout=60).raise_for_status()
            else:
                assert admin.get(f"{server.url}/admin/realms/kept", timeout=30).status_code == 200
        finally:
            end([running])
        assert not alive(running)
        assert not listens(port)
    assert contents(installation) == before


def test_the_installation_was_made_for_this_keycloak(keycloak_server: KeycloakServer) -> None:
    """The server that tests use is of the wanted version, also when it was started by someone else."""
    admin = keycloak_server.session()
    info = admin.get(f"{keycloak_server.url}/admin/serverinfo", timeout=30).json()
    assert info["systemInfo"]["version"] == wanted_version()


def test_a_variable_of_the_user_does_not_change_keycloak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A KC_DB of the user's own environment would make our build useless; it does not reach the process."""
    monkeypatch.setenv("KC_DB", "postgres")
    monkeypatch.setenv("JAVA_OPTS", "-Xmx1k")
    wanted = keycloak_launch(tmp_path, 1, 2, "the-password", tmp_path / "log")
    run(replace(wanted, command=("env",)), seconds=20)
    seen = (tmp_path / "log").read_text()
    assert "KC_BOOTSTRAP_ADMIN_PASSWORD=the-password" in seen
    assert "KC_DB=" not in seen
    assert "JAVA_OPTS=" not in seen


def test_the_password_is_on_no_command_line_and_in_no_message(tmp_path: Path) -> None:
    """Everyone on the machine can read command lines, and messages end up in logs."""
    wanted = keycloak_launch(tmp_path, 1, 2, "the-password", tmp_path / "log")
    assert "the-password" not in " ".join(wanted.command)
    assert "the-password" not in repr(wanted)
