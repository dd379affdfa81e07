"""`fsm-identity database` needs nothing but the database's URL (J3, J4)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sync.entrypoints.cli.database import app
from sync.settings import SettingsError, load_settings
from sync.store.database import schema


@pytest.fixture
def only_the_url(monkeypatch: pytest.MonkeyPatch, database_url: str) -> str:
    """An environment in which no other setting of ours exists."""
    for name in ("FSM_SETTINGS", "FSM_SECRETS_DIR", "FSM_REDIS_URL", "FSM_SECRET_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FSM_DATABASE_URL", database_url)
    return database_url


@pytest.mark.req("J4", "I3")
def test_up_and_down_on_the_command_line(only_the_url: str) -> None:
    """Status says what waits and fails until it is done; upgrade may run twice; downgrade empties."""
    assert only_the_url
    run = CliRunner().invoke
    before = run(app, ["status"])
    assert (before.exit_code, "still to run: r001" in before.output) == (1, True)
    for _ in range(2):
        assert run(app, ["upgrade"]).exit_code == 0
    after = run(app, ["status", "--json"])
    assert after.exit_code == 0
    newest = schema.status(only_the_url).newest
    assert json.loads(after.output) == {"current": newest, "newest": newest, "waiting": []}
    refused = run(app, ["downgrade", "base"], input="n\n")
    assert refused.exit_code == 1
    assert run(app, ["status"]).exit_code == 0
    assert run(app, ["downgrade", "base", "--yes"]).exit_code == 0
    assert run(app, ["status"]).exit_code == 1


@pytest.mark.parametrize(
    ("url", "arguments", "message"),
    [
        (None, ["status"], "FSM_DATABASE_URL"),
        ("nonsense", ["upgrade"], "not a database URL"),
        ("sqlite:////no/such/folder/x.db", ["upgrade"], "cannot be opened"),
        ("sqlite:///{folder}/x.db", ["downgrade", "7777", "--yes"], "'7777' is not known"),
    ],
)
@pytest.mark.req("J3")
def test_what_is_wrong_is_named_and_the_exit_code_is_not_zero(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str | None, arguments: list[str], message: str
) -> None:
    """One line that says which setting or argument, and no traceback."""
    monkeypatch.delenv("FSM_DATABASE_URL", raising=False)
    monkeypatch.delenv("FSM_SETTINGS", raising=False)
    if url is not None:
        monkeypatch.setenv("FSM_DATABASE_URL", url.format(folder=tmp_path))
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert message in result.output
    assert "realm" not in result.output
    assert "Traceback" not in result.output


@pytest.mark.req("J3")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[keycloak\nurl = 1", "settings.toml: is not TOML"),
        (b'database_url = "\xff"', "settings.toml: is not UTF-8"),
        (None, "settings.toml, which is not a file"),
    ],
)
def test_a_settings_file_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, message: str
) -> None:
    """Whatever is wrong with it as a whole: one line, and no traceback."""
    monkeypatch.delenv("FSM_DATABASE_URL", raising=False)
    monkeypatch.setenv("FSM_SETTINGS", str(tmp_path / "settings.toml"))
    if content is not None:
        (tmp_path / "settings.toml").write_bytes(content)
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 1
    assert message in result.output
    assert isinstance(result.exception, SystemExit)
    with pytest.raises(SettingsError, match=message):
        load_settings()
