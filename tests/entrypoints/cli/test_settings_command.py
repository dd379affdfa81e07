"""`fsm-identity settings`, and processes that are started without what they need (J3)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner, Result

from sync.devstack.process import python
from sync.entrypoints.cli import app
from sync.settings import SettingsError, load_settings
from tests.deploy.compose_file import ROOT

pytestmark = pytest.mark.req("J3")

COMMON = {
    "FSM_DATABASE_URL": "sqlite:////nowhere/fsm.db",
    "FSM_REDIS_URL": "redis://:hush@127.0.0.1:9/0",
    "FSM_FIELD_SERVICE_URL": "sqlite:////nowhere/field.db",
    "FSM_SECRET_KEYS": Fernet.generate_key().decode(),
    "FSM_KEYCLOAK__URL": "http://127.0.0.1:9",
    "FSM_MAIL__LOGIN_URL": "https://login.example.com/",
}


def check(monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, str], *options: str) -> Result:
    for name in [name for name in os.environ if name.startswith("FSM_")]:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    said = CliRunner().invoke(app, ["settings", "check", *options])
    assert "hush" not in said.output
    return said


def named(said: Result) -> list[str]:
    """The variables that are told as wrong."""
    return [line[2:].partition(":")[0] for line in said.stderr.splitlines() if line.startswith("✗")]


def test_with_nothing_set_every_setting_that_is_needed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing table by what it has to have, each with what to write; with the secrets of what is started."""
    said = check(monkeypatch, {}, "--for", "bulk-worker", "--for", "web")
    assert said.exit_code == 1
    secrets = [f"FSM_KEYCLOAK__{name}_SECRET" for name in ("WORKER", "IMPORT", "CONSOLE")]
    assert named(said) == [
        "FSM_DATABASE_URL",
        "FSM_REDIS_URL",
        "FSM_FIELD_SERVICE_URL",
        "FSM_SECRET_KEYS",
        "FSM_KEYCLOAK__URL",
        *secrets,
        "FSM_MAIL__LOGIN_URL",
    ]
    assert "FSM_KEYCLOAK__URL: is missing, such as https://keycloak.example.com:8443" in said.stderr


def test_all_that_is_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses, keys, numbers, names that are none, a folder that is none; no value is shown."""
    wrong = {
        "FSM_DATABASE_URL": "mysql://fsm:hush@db/fsm",
        "FSM_REDIS_URL": "localhost",
        "FSM_FIELD_SERVICE_URL": "fsm:hush@db",
        "FSM_SECRET_KEYS": "hush",
        "FSM_KEYCLOAK__URL": "keycloak:8080",
        "FSM_KEYCLOAK__TIMEOUT_SECONDS": "90",
        "FSM_KEYCLOAK__WORKER_SECRT": "hush",
        "FSM_MAIL__LOGIN_URL": "https://login.example.com/",
        "FSM_METRICS_TOKN": "hush",
    }
    said = check(monkeypatch, wrong)
    assert said.exit_code == 1
    assert sorted(named(said)) == sorted(set(wrong) - {"FSM_MAIL__LOGIN_URL"})
    for words in (
        "key 1 is not a Fernet key (32 bytes, url-safe base64); fsm-identity settings key makes one",
        "FSM_KEYCLOAK__WORKER_SECRT: is no setting; did you mean FSM_KEYCLOAK__WORKER_SECRET?",
        "FSM_METRICS_TOKN: is no setting; did you mean FSM_METRICS_TOKEN?",
        "FSM_DATABASE_URL: this database is not supported; use SQLite or PostgreSQL",
    ):
        assert words in said.stderr, words
    folder = {"FSM_MAPPINGS_FOLDER": "/nowhere/mappings"}
    assert named(check(monkeypatch, COMMON | folder)) == ["FSM_MAPPINGS_FOLDER"]


def test_what_these_settings_start_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """One machine need not have the secrets of all; who asks for a process is told what it lacks."""
    settings = COMMON | {"FSM_KEYCLOAK__WORKER_SECRET": "hush"}
    said = check(monkeypatch, settings)
    assert said.exit_code == 0, said.output
    rows = [line.split()[:2] for line in said.stdout.splitlines()]
    assert dict(rows[rows.index(["process", "starts"]) + 1 :]) == {
        "command-line": "yes",
        "worker": "yes",
        "bulk-worker": "no",
        "beat": "yes",
        "web": "no",
        "realm": "no",
    }
    assert named(check(monkeypatch, settings, "--for", "worker", "--for", "realm")) == [
        "FSM_KEYCLOAK__CONFIGURE_SECRET"
    ]
    assert check(monkeypatch, settings, "--for", "workr").exit_code == 2


def test_a_misspelt_file_of_a_secret_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files that are not ours are nobody's business."""
    for name in ("FSM_METRICS_TOKN", "KEYCLOAK_ADMIN_PASSWORD"):
        (tmp_path / name).write_text("hush")
    assert named(check(monkeypatch, COMMON | {"FSM_SECRETS_DIR": str(tmp_path)})) == ["FSM_METRICS_TOKN"]


def test_a_new_key_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two are two, and each is taken."""
    first, second = (CliRunner().invoke(app, ["settings", "key"]).stdout.strip() for _ in range(2))
    assert first != second
    assert check(monkeypatch, COMMON | {"FSM_SECRET_KEYS": f"{first}, {second}"}).exit_code == 0


@pytest.mark.parametrize(
    ("url", "token", "wrong"),
    [
        ("https://fsm.example.com/identity", "hush-of-the-fsm", None),
        ("HTTPS://fsm.example.com", "hush-of-the-fsm", None),
        ("http://127.0.0.1:8090", "hush-of-the-fsm", None),
        ("sqlite:////nowhere/field.db", None, None),
        ("https://fsm.example.com", None, "FSM_FIELD_SERVICE_TOKEN"),
        ("https://fsm.example.com", "", "FSM_FIELD_SERVICE_TOKEN"),
        ("https://fsm.example.com", "hush of-the-fsm", "FSM_FIELD_SERVICE_TOKEN"),
        ("https://fsm.example.com", "hush-of\nthe-fsm", "FSM_FIELD_SERVICE_TOKEN"),
        ("http://fsm.example.com", "hush-of-the-fsm", "FSM_FIELD_SERVICE_URL"),
        ("https://hush-of-the-fsm@fsm.example.com", "hush-of-the-fsm", "FSM_FIELD_SERVICE_URL"),
        ("https://fsm.example.com/?key=hush-of-the-fsm", "hush-of-the-fsm", "FSM_FIELD_SERVICE_URL"),
        ("https://", "hush-of-the-fsm", "FSM_FIELD_SERVICE_URL"),
        ("https://fsm.example.com:x", "hush-of-the-fsm", "FSM_FIELD_SERVICE_URL"),
    ],
)
def test_an_fsm_system_over_http_needs_tls_and_a_token(
    monkeypatch: pytest.MonkeyPatch, url: str, token: str | None, wrong: str | None
) -> None:
    """Neither is shown, and what a header cannot carry is refused before it is tried."""
    carried = {} if token is None else {"FSM_FIELD_SERVICE_TOKEN": token}
    said = check(monkeypatch, COMMON | {"FSM_FIELD_SERVICE_URL": url} | carried)
    assert named(said) == ([] if wrong is None else [wrong])
    assert said.exit_code == (0 if wrong is None else 1)
    assert "hush" not in said.output


@pytest.mark.parametrize(
    "keys", ["", " , ", "short", Fernet.generate_key().decode()[:-4]], ids=["none", "blank", "short", "cut"]
)
def test_wrong_keys_stop_every_process_before_it_begins(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    """Not the first command that has a password to seal."""
    check(monkeypatch, COMMON | {"FSM_SECRET_KEYS": keys})
    with pytest.raises(SettingsError, match="FSM_SECRET_KEYS"):
        load_settings()


STARTED = {
    "worker": python("-m", "celery", "-A", "workers.app", "worker", "-Q", "interactive"),
    "web": python("-m", "uvicorn", "sync.entrypoints.web:create_app", "--factory"),
}


@pytest.mark.parametrize(("process", "secret"), [("worker", "WORKER"), ("web", "CONSOLE")])
def test_a_process_without_its_secret_ends_with_one_line(process: str, secret: str) -> None:
    """No traceback, and none that runs and can do nothing."""
    done = start(process, COMMON)
    assert done.returncode != 0
    told = [line for line in done.stderr.splitlines() if line.startswith("✗")]
    assert [line.partition(", such as")[0] for line in told] == [
        f"✗ settings are not complete: FSM_KEYCLOAK__{secret}_SECRET: is missing"
    ]
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("process", STARTED)
def test_a_process_without_settings_names_them_and_ends(process: str) -> None:
    """All of them, without a traceback."""
    done = start(process, {})
    assert done.returncode != 0
    assert "FSM_KEYCLOAK__URL: is missing" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def start(process: str, settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("FSM_")}
    return subprocess.run(
        STARTED[process],
        env={**own, **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
