"""A whole stack: started, watched, asked and ended through the command line, as a person does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import smtplib
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner, Result

from sync.devstack import stack, surroundings
from sync.devstack.credentials import credentials_in
from sync.devstack.layout import Layout
from sync.devstack.part import Part
from sync.devstack.ports import listens
from sync.devstack.process import Launch, python
from sync.devstack.services.postgres import cluster_for
from sync.devstack.stack import PARTS, UnknownPart, chosen_parts
from sync.devstack.state import StackState, read_state, write_state
from sync.devstack.surroundings import Surroundings
from sync.entrypoints.cli.dev import app
from sync.settings import load_settings

pytestmark = pytest.mark.req("J1")

PORTS = dict.fromkeys([purpose for part in PARTS.values() for purpose in part.ports], 1)
DEV = python("-c", "from sync.entrypoints.cli.dev import app; app()")


def dev(home: Path, *arguments: str) -> Result:
    """Run `fsm-identity dev …` on the stack in `home` to its end."""
    return CliRunner().invoke(app, arguments, env={"FSM_DEV_HOME": str(home)}, catch_exceptions=False)


def gone(pid: int) -> bool:
    """Whether nothing runs under the id any more; what ended and was not asked for its exit code does not run."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class Foreground:
    """A `dev up` that stays."""

    def __init__(self, home: Path, *arguments: str) -> None:
        environment = {**os.environ, "FSM_DEV_HOME": str(home)}
        self.process = subprocess.Popen(
            [*DEV, "up", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output = ""

    def read_until(self, words: str) -> None:
        """Read what it prints until the words come."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            if words in line:
                return
        raise AssertionError(f"it ended without saying {words!r}:\n{self.output}")

    def ended(self) -> int:
        """Its exit code, once it ended."""
        rest, _ = self.process.communicate(timeout=60)
        self.output += rest
        return self.process.returncode


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The folder of a stack that is ended in any case. Root's cluster stands elsewhere and goes too."""
    yield tmp_path / "stack"
    dev(tmp_path / "stack", "down")
    shutil.rmtree(cluster_for(Layout(tmp_path / "stack").postgres).data, ignore_errors=True)


def parts_of(home: Path) -> dict[str, dict[str, Any]]:
    """The answer of `dev status`."""
    return {part["name"]: part for part in json.loads(dev(home, "status", "--json").stdout)}


def test_a_detached_stack_is_well_and_is_ended_by_down(home: Path) -> None:
    """Up leaves it running, status asks each part, a second up says so, down ends all of it by id."""
    assert dev(home, "status").exit_code == 1
    up = dev(home, "up", "--only", "redis,mail", "--detach")
    assert up.exit_code == 0, up.output
    found = parts_of(home)
    assert {name: part["healthy"] for name, part in found.items()} == {"redis": True, "mail": True}

    again = dev(home, "up", "--only", "redis,mail")
    assert again.exit_code == 1
    assert "runs already (redis, mail)" in again.stderr

    down = dev(home, "down")
    assert down.stdout.strip() == "Ended: redis, mail."
    assert all(gone(part["pid"]) for part in found.values())
    assert not any(listens(port) for part in found.values() for port in part["ports"])
    assert dev(home, "down").stdout.strip() == f"Nothing was running in {home}."


def test_ports_stay_from_start_to_start(home: Path) -> None:
    """Addresses that people and the realm remember are still right after a restart."""
    for part in ("redis", "mail"):
        dev(home, "up", "--only", part, "--detach")
        dev(home, "down")
    first = read_state(Layout(home).state)
    dev(home, "up", "--only", "redis", "--detach")
    again = read_state(Layout(home).state)
    assert first is not None
    assert again is not None
    assert again.ports == first.ports


def test_a_port_that_was_taken_meanwhile_is_replaced(home: Path, redis_server: Any) -> None:
    """Another program on a remembered port does not stop the start."""
    layout = Layout(home)
    home.mkdir()
    taken = int(redis_server.url.rpartition(":")[2].partition("/")[0])
    write_state(layout.state, StackState({**PORTS, "redis": taken}))
    assert dev(home, "up", "--only", "redis", "--detach").exit_code == 0
    assert parts_of(home)["redis"]["ports"] != [taken]


def test_a_part_that_dies_is_named_and_everything_is_ended(home: Path) -> None:
    """In the foreground nobody has to look: the message says which part and how its log ends."""
    stack = Foreground(home, "--only", "redis,mail")
    stack.read_until("Running.")
    found = parts_of(home)
    os.kill(found["redis"]["pid"], signal.SIGKILL)
    assert stack.ended() == 1
    assert "redis ended by itself" in stack.output
    assert "Ready to accept connections" in stack.output
    assert not listens(found["mail"]["ports"][0])
    assert read_state(Layout(home).state).parts == ()  # type: ignore[union-attr]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_ends_everything(home: Path, number: signal.Signals) -> None:
    """Ctrl-C, a request to end and a closed terminal leave nothing behind, and are no failure."""
    stack = Foreground(home, "--only", "mail")
    stack.read_until("Running.")
    found = parts_of(home)
    os.kill(stack.process.pid, number)
    assert stack.ended() == 0
    assert gone(found["mail"]["pid"])


def test_down_ends_a_stack_that_runs_in_the_foreground_elsewhere(home: Path) -> None:
    """From another terminal; the foreground goes with it."""
    stack = Foreground(home, "--only", "mail")
    stack.read_until("Running.")
    assert dev(home, "down").stdout.strip() == "Ended: mail."
    assert stack.ended() == 0


def test_a_killed_supervisor_leaves_a_stack_that_down_can_end(home: Path) -> None:
    """What was started is written down before it is waited for."""
    stack = Foreground(home, "--only", "mail")
    stack.read_until("Running.")
    pid = parts_of(home)["mail"]["pid"]
    stack.process.kill()
    stack.ended()
    assert not gone(pid)
    assert dev(home, "up", "--only", "mail").exit_code == 1
    assert dev(home, "down").stdout.strip() == "Ended: mail."
    assert gone(pid)


def test_a_remembered_id_of_another_process_is_not_ended(home: Path) -> None:
    """After a reboot the ids in the state file may belong to anyone."""
    dev(home, "up", "--only", "mail", "--detach")
    layout = Layout(home)
    state = read_state(layout.state)
    assert state is not None
    older = replace(state, parts=tuple(replace(part, created=part.created - 1000) for part in state.parts))
    write_state(layout.state, older)
    try:
        assert dev(home, "down").stdout.strip() == f"Nothing was running in {home}."
        assert not gone(state.parts[0].pid)
    finally:
        write_state(layout.state, state)


def test_what_is_secret_can_be_read_by_the_owner_only(home: Path) -> None:
    """Passwords stand in files of mode 0600 and on no command line."""
    dev(home, "up", "--only", "redis", "--detach")
    layout = Layout(home)
    secret = credentials_in(layout.credentials)
    for path in (layout.credentials, layout.settings, layout.state, layout.redis / "redis.conf"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(layout.home.stat().st_mode) == 0o700
    command = psutil.Process(parts_of(home)["redis"]["pid"]).cmdline()
    assert not [word for word in command if secret.redis in word]
    assert secret.redis not in repr(secret)


def test_caught_mails_are_listed_and_shown(home: Path) -> None:
    """A person finds the welcome mail without another program."""
    dev(home, "up", "--only", "mail", "--detach")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.com", "b@example.com", "Welcome"
    mail.set_content("Your password waits.")
    with smtplib.SMTP("127.0.0.1", parts_of(home)["mail"]["ports"][0]) as client:
        client.send_message(mail)
    assert "Welcome" in dev(home, "mail").stdout
    assert "Your password waits." in dev(home, "mail", "1").stdout
    missing = dev(home, "mail", "7")
    assert missing.exit_code == 1
    assert "there is no mail 7; 1 were caught" in missing.stderr


def test_logs_of_an_unknown_part_name_those_that_exist(home: Path) -> None:
    """A typing mistake is answered with the right names."""
    dev(home, "up", "--only", "redis", "--detach")
    assert "Ready to accept connections" in dev(home, "logs", "redis").stdout
    wrong = dev(home, "logs", "rediss")
    assert wrong.exit_code == 1
    assert "there are: redis" in wrong.stderr


@pytest.mark.supports("J1")
def test_an_unknown_part_is_refused_with_the_known_ones() -> None:
    """`--only` with a typing mistake starts nothing."""
    with pytest.raises(UnknownPart, match="there is no part keyclok; there are keycloak, redis, mail"):
        chosen_parts("sqlite", ["redis", "keyclok"])


@pytest.mark.supports("J1")
def test_postgres_is_started_only_when_it_is_the_database() -> None:
    """SQLite serves one machine; nobody waits for a server that is not used."""
    assert "postgres" not in [part.name for part in chosen_parts("sqlite", None)]
    assert "postgres" in [part.name for part in chosen_parts("postgres", None)]


@pytest.mark.supports("J1")
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_the_settings_file_is_complete_and_right(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the stack writes, the settings accept, and it says the same as our processes' environment (J3)."""
    place = Surroundings(Layout(tmp_path), PORTS, credentials_in(tmp_path / "credentials.json"), database)
    environment = surroundings.for_command_line(place)
    (tmp_path / "settings.toml").write_text(surroundings.as_toml(environment))
    for name in [name for name in os.environ if name.startswith("FSM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FSM_SETTINGS", str(tmp_path / "settings.toml"))
    from_file = load_settings()
    monkeypatch.delenv("FSM_SETTINGS")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load_settings() == from_file


@pytest.mark.supports("J1")
def test_each_process_gets_only_the_secrets_it_needs(tmp_path: Path) -> None:
    """The web process cannot change users, the worker for single accounts cannot import (rule: least-rights)."""
    place = Surroundings(Layout(tmp_path), PORTS, credentials_in(tmp_path / "credentials.json"))
    secret = place.credentials
    held = {
        "web": surroundings.for_web(place),
        "worker": surroundings.for_worker(place),
        "bulk": surroundings.for_bulk_worker(place),
        "beat": surroundings.common(place),
    }
    clients = {
        secret.worker_client: {"worker", "bulk"},
        secret.import_client: {"bulk"},
        secret.console_client: {"web"},
        secret.configure_client: set[str](),
        secret.keycloak_admin: set[str](),
    }
    for value, holders in clients.items():
        assert {name for name, environment in held.items() if value in environment.values()} == holders


@pytest.mark.supports("J1")
def test_the_workers_are_asked_at_once(tmp_path: Path) -> None:
    """`dev status` asks all parts side by side, and loads Celery for it: `from celery import Celery` fails where
    two threads come first. Nothing answers here, and that is all that is said."""
    program = f"""
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from sync.devstack.credentials import credentials_in
from sync.devstack.layout import Layout
from sync.devstack.stack import PARTS
from sync.devstack.surroundings import Surroundings
home = Path({str(tmp_path)!r})
place = Surroundings(Layout(home), {{"redis": 1}}, credentials_in(home / "credentials.json"))
sys.setswitchinterval(1e-6)
with ThreadPoolExecutor(8) as pool:
    assert not any(pool.map(lambda _: PARTS["worker-bulk"].healthy(place), range(8)))
"""
    for _ in range(3):
        asked = subprocess.run(python("-c", program), stdin=subprocess.DEVNULL, capture_output=True, check=False)
        assert asked.returncode == 0, asked.stderr.decode()


@pytest.mark.stack
@pytest.mark.keycloak
@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_the_whole_stack_on_postgres_is_well_and_tells_when_a_worker_is_gone(home: Path) -> None:
    """Every part answers for itself after the first start; a worker that is killed is not reported as well."""
    up = dev(home, "up", "--database", "postgres", "--detach")
    assert up.exit_code == 0, up.output
    found = parts_of(home)
    assert set(found) == set(PARTS)
    assert [name for name, part in found.items() if not part["healthy"]] == []

    worker = psutil.Process(found["worker-bulk"]["pid"])
    worker.kill()
    worker.wait(timeout=20)
    after = parts_of(home)
    assert not after["worker-bulk"]["running"]
    assert after["worker-interactive"]["healthy"]
    assert dev(home, "status").exit_code == 1

    dev(home, "down")
    assert all(gone(part["pid"]) for part in found.values())


@pytest.fixture
def sleepers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two parts that need nothing and do nothing."""

    def sleeper(name: str) -> Part:
        def launch(place: Surroundings) -> Launch:
            return Launch(
                name, python("-c", "import time; time.sleep(600)"), place.layout.log(name), place.layout.home
            )

        return Part(name, launch, healthy=lambda _: True)

    monkeypatch.setattr(stack, "PARTS", PARTS | {name: sleeper(name) for name in ("one", "two")})


@pytest.mark.usefixtures("sleepers")
def test_an_ended_part_is_taken_up_again_beside_the_rest(home: Path) -> None:
    """The status and a second start say how; the rest is left alone, and down ends all of it."""
    assert dev(home, "up", "--only", "one,two", "--detach").exit_code == 0
    before = parts_of(home)
    two = psutil.Process(before["two"]["pid"])
    two.kill()
    two.wait(timeout=20)

    told = dev(home, "status")
    assert (told.exit_code, "fsm-identity dev up --only two" in told.stdout) == (1, True), told.output
    assert "two has ended: take up again with" in dev(home, "up").stderr
    assert "runs already (one)" in dev(home, "up", "--only", "one").stderr

    again = dev(home, "up", "--only", "two")
    assert again.exit_code == 0, again.output
    assert "two: runs again, beside the rest." in again.stdout
    after = parts_of(home)
    assert (after["one"]["pid"], after["two"]["running"]) == (before["one"]["pid"], True)
    assert after["two"]["pid"] != before["two"]["pid"]
    assert dev(home, "status").exit_code == 0
    assert dev(home, "down").stdout.strip() == "Ended: one, two."
    assert gone(after["two"]["pid"])


@pytest.mark.usefixtures("sleepers")
def test_a_part_that_was_never_started_is_not_put_beside_a_running_stack(home: Path) -> None:
    """It may need what was not set up for it."""
    assert dev(home, "up", "--only", "one", "--detach").exit_code == 0
    said = dev(home, "up", "--only", "two", "--detach")
    assert said.exit_code == 1
    assert "runs already (one). See it with" in said.stderr
