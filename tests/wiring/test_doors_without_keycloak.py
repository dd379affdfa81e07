"""A door has no way to Keycloak: every command that needs only the database works without one of its secrets."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from typer.main import get_command
from typer.testing import CliRunner

from examples import fsm_database
from sync.entrypoints.cli import app, waiting
from sync.store.database import schema
from sync.wiring.doors import open_desk, open_operator_desk

pytestmark = pytest.mark.supports("C8", "J3")

CONFIGURES = {"realm", "dev"}
"""What reaches Keycloak on purpose, with a client of its own, or starts it."""

WHO = "mia.berg@example.com"
NEW = (
    f"--email {WHO} --given-name Mia --family-name Berg --branch hamburg --profile technician --employee-number 1"
)
OTHER = (
    "--email jo.lind@example.com --given-name Jo --family-name Lind --branch hamburg --profile technician "
    "--employee-number 2"
)
WHY = "--reason test"

COMMANDS = (
    ("settings check --json", 0),
    ("settings key", 0),
    ("database upgrade", 0),
    ("database status", 0),
    (f"mappings adopt --first {WHY}", 0),
    ("mappings check", 0),
    ("mappings history", 0),
    ("audit list", 0),
    ("audit export --output audit.jsonl", 0),
    ("audit verify", 0),
    ("report unused", 0),
    ("mappings copy copied --in-force", 0),
    ("mappings plan copied", 1),
    (f"account create {NEW} --no-wait {WHY}", 0),
    (f"account create {OTHER} --no-wait {WHY}", 0),
    ("account list", 0),
    (f"account show {WHO}", 0),
    ("report access", 0),
    (f"account change {WHO} --given-name Maria --no-wait {WHY}", 0),
    (f"account reset-password {WHO} --no-wait {WHY}", 0),
    (f"account show-password {WHO}", 1),
    (f"account set-password-mail {WHO} --no-wait {WHY}", 0),
    (f"account require-password-change {WHO} --no-wait {WHY}", 0),
    (f"account unlock {WHO} --no-wait {WHY}", 0),
    (f"account end-sessions {WHO} --no-wait {WHY}", 0),
    (f"account reset-second-factor {WHO} --identity-check seen --no-wait {WHY}", 0),
    ("technician list", 0),
    (f"technician link T-0001 {WHO} --no-wait {WHY}", 0),
    (f"technician link T-0002 jo.lind@example.com --no-wait {WHY}", 0),
    ("work-orders list", 0),
    ("work-orders list T-0001", 0),
    (f"work-orders reassign T-0001 --to T-0002 --no-wait {WHY}", 1),
    ("work-orders reassignments", 0),
    (f"technician unlink jo.lind@example.com --no-wait {WHY}", 0),
    (f"account deactivate jo.lind@example.com --no-wait {WHY}", 0),
    (f"account reactivate jo.lind@example.com --no-wait {WHY}", 0),
    ("import template --output template.xlsx", 0),
    ("import review staff.csv --reason test", 0),
    ("import show last", 0),
    ("import errors last --output errors.xlsx", 1),
    ("import list", 0),
    ("import confirm last --yes --no-wait", 0),
    ("import cancel last", 0),
    ("runs list", 0),
    ("runs show last", 0),
    (f"runs approve last --plan 0123456789ab {WHY}", 1),
    (f"runs reject last {WHY}", 1),
    (f"adopt plan --no-wait {WHY}", 0),
    (f"adopt apply last --plan 0123456789ab {WHY}", 1),
    (f"adopt release {WHO} {WHY}", 1),
    ("drift status", 0),
    ("drift list", 0),
    ("drift compare --no-wait", 0),
    (f"drift show 0123456789ab {WHY}", 2),
    ("drift show 0123456789ab", 1),
    (f"drift accept 0123456789ab {WHY}", 1),
    (f"drift repair 0123456789ab {WHY}", 1),
    (f"ops pause mail {WHY}", 0),
    (f"ops resume mail {WHY}", 0),
    ("ops status", 1),
    ("ops queues", 0),
    ("ops quarantine", 0),
    (f"ops retry --all {WHY}", 1),
    (f"ops timeline {WHO}", 0),
    (f"ops circuit open keycloak {WHY}", 0),
    (f"ops circuit probe keycloak {WHY}", 0),
    (f"ops circuit close keycloak {WHY}", 0),
    (f"ops mails retry --all {WHY}", 1),
    ("ops mails check", 0),
    ("ops mails preview --language fr", 0),
    ("ops mails refused", 0),
    (f"ops mails bounced nobody@example.com {WHY}", 1),
    ("database downgrade base --yes", 0),
)
"""Each with the exit code it has in a small place without a worker: 1 where there is nothing to do it to."""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a door needs, and no secret of Keycloak's; nothing answers at Keycloak's address."""
    fsm = f"sqlite:///{tmp_path / 'fsm.db'}"
    fsm_database.create(fsm)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FSM_TEST_KEYCLOAK_URL", raising=False)
    for name, value in {
        "FSM_DATABASE_URL": f"sqlite:///{tmp_path / 'own.db'}",
        "FSM_REDIS_URL": "redis://127.0.0.1:9/0",
        "FSM_FIELD_SERVICE_URL": fsm,
        "FSM_SECRET_KEYS": Fernet.generate_key().decode(),
        "FSM_PUBLIC_URL": "http://127.0.0.1:8000",
        "FSM_MAIL__LOGIN_URL": "http://127.0.0.1:8000",
        "FSM_KEYCLOAK__URL": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0)
    (tmp_path / "staff.csv").write_text(
        "Email;Given name;Family name;Profile;Branch\nnew@example.com;Nora;Neu;dispatcher;hamburg\n"
    )


def names(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command there is, as a person types it."""
    if hasattr(command, "list_commands"):
        for name in command.list_commands(None):
            yield from names(command.get_command(None, name), (*path, name))
    else:
        yield " ".join(path)


def test_every_command_is_tried() -> None:
    """One that is new has its line in the table above."""
    there = {name for name in names(get_command(app)) if name.split()[0] not in CONFIGURES}
    tried = {name for name in there if any(line == name or line.startswith(f"{name} ") for line, _ in COMMANDS)}
    assert there - tried == set()


def test_every_command_works_without_a_secret_of_keycloak(settings: None) -> None:
    """None asks for one, and none breaks."""
    wrong = []
    for line, code in COMMANDS:
        said = CliRunner().invoke(app, shlex.split(line))
        if said.exit_code != code or "_SECRET" in said.output or not isinstance(said.exception, SystemExit | None):
            wrong.append(f"{line}: {said.exit_code}, not {code}: {said.output[-600:]} {said.exception!r}")
    assert wrong == [], "\n\n".join(wrong)


def test_a_desk_holds_no_gateway_to_keycloak(settings: None, tmp_path: Path) -> None:
    """It is made without a secret, and nothing on it knows Keycloak."""
    schema.upgrade(f"sqlite:///{tmp_path / 'own.db'}")
    CliRunner().invoke(app, shlex.split(f"mappings adopt --first {WHY}"))
    for desk in (open_desk(), open_operator_desk()):
        modules = {type(getattr(desk, name)).__module__ for name in desk.__slots__}
        assert not [each for each in modules if "keycloak" in each or "jobs" in each]
