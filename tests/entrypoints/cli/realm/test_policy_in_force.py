"""`fsm-identity realm apply` and `drift` where no mapping files are in force: refused before Keycloak is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from sync.entrypoints.cli.realm import app

pytestmark = pytest.mark.req("C8", "E7")


@pytest.fixture(params=["nothing adopted", "no tables", "no database"])
def nothing_in_force(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, migrated: Path, tmp_path: Path
) -> None:
    """The settings of a process whose Keycloak is away too."""
    database = tmp_path / "our.db"
    if request.param == "nothing adopted":
        database.write_bytes(migrated.read_bytes())
    elif request.param == "no database":
        database = tmp_path / "nowhere" / "our.db"
    for name, value in {
        "FSM_DATABASE_URL": f"sqlite:///{database}",
        "FSM_REDIS_URL": "redis://127.0.0.1:9/0",
        "FSM_FIELD_SERVICE_URL": f"sqlite:///{tmp_path / 'fsm.db'}",
        "FSM_SECRET_KEYS": Fernet.generate_key().decode(),
        "FSM_KEYCLOAK__URL": "http://127.0.0.1:9",
        "FSM_KEYCLOAK__CONFIGURE_SECRET": "hush",
        "FSM_MAIL__LOGIN_URL": "http://127.0.0.1:8000/",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("words", [("apply", "--yes"), ("drift",)], ids=" ".join)
@pytest.mark.usefixtures("nothing_in_force")
def test_files_of_this_machine_do_not_stand_in(words: tuple[str, ...]) -> None:
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 1
    assert "no mapping files are in force yet: fsm-identity mappings adopt --first" in said.output
