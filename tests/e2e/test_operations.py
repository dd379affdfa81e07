"""A whole stack as an operator watches it: well, and then without Keycloak (H2, H3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from typer.testing import CliRunner

from sync.devstack.credentials import Credentials, credentials_in
from sync.devstack.layout import Layout
from sync.devstack.process import end
from sync.devstack.state import StackState, read_state
from sync.entrypoints.cli import app
from tests.deploy.compose_file import ROOT
from tests.e2e.command_line import CommandLine
from tests.e2e.prometheus_server import Prometheus, prometheus
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.req("H3"),
    pytest.mark.supports("H2", "J1"),
    pytest.mark.stack,
    pytest.mark.keycloak,
    pytest.mark.timeout(600),
]


@dataclass(frozen=True)
class Stack:
    """A development stack of this module's own."""

    layout: Layout
    command_line: CommandLine

    @property
    def state(self) -> StackState:
        found = read_state(self.layout.state)
        assert found is not None
        return found

    @property
    def credentials(self) -> Credentials:
        return credentials_in(self.layout.credentials)

    def troubles(self) -> list[str]:
        """What `ops status` says is wrong; its exit code agrees."""
        said = self.command_line.run("ops", "status", "--json")
        found: dict[str, Any] = json.loads(said.out)
        assert said.code == (1 if found["troubles"] else 0), said
        return [each["what"] for each in found["troubles"]]

    def get(self, part: str, path: str, **options: Any) -> httpx.Response:
        address = f"http://127.0.0.1:{self.state.ports[part]}{path}"
        return httpx.get(address, trust_env=False, timeout=10, **options)


def dev(home: Path, *arguments: str) -> None:
    done = CliRunner().invoke(app, ["dev", *arguments], env={"FSM_DEV_HOME": str(home)}, catch_exceptions=False)
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Keycloak, Redis, workers, web and Flower of this module alone: it stops Keycloak."""
    home = tmp_path_factory.mktemp("operations") / "stack"
    dev(home, "up", "--detach")
    layout = Layout(home)
    yield Stack(layout, CommandLine(home, layout.settings))
    dev(home, "down")


@pytest.fixture(scope="module")
def watching(stack: Stack) -> Iterator[Prometheus]:
    """A Prometheus that reads the stack as the one of compose.yaml does."""
    ports = stack.state.ports
    targets = {"fsm-identity": ports["web"], "keycloak": ports["keycloak-management"]}
    here = {job: f"127.0.0.1:{port}" for job, port in targets.items()}
    with prometheus(stack.layout.home.parent / "prometheus", here, stack.credentials.metrics) as running:
        yield running


def test_flower_asks_for_a_login(stack: Stack) -> None:
    """Nobody sees the tasks without it; whoever has it sees the workers."""
    assert stack.get("flower", "/workers").status_code == 401
    assert stack.get("flower", "/workers", auth=("operator", "wrong")).status_code == 401
    assert stack.get("flower", "/workers", auth=("operator", stack.credentials.flower)).status_code == 200


def test_metrics_ask_for_the_token(stack: Stack) -> None:
    """The web process has one, so even this machine needs it."""
    assert stack.get("web", "/metrics").status_code == 401
    answer = stack.get("web", "/metrics", headers={"Authorization": f"Bearer {stack.credentials.metrics}"})
    assert 'fsm_workers{lane="bulk"} 1.0' in answer.text


def test_prometheus_reads_all_and_nothing_is_wrong(stack: Stack, watching: Prometheus) -> None:
    """It gets in with the token, understands every rule and the question of every panel, and no alert fires."""
    wait_until(lambda: set(watching.targets().values()) == {"up"}, 60, "it cannot read them")
    wait_until(lambda: stack.troubles() == [], 60, "something is wrong from the start")
    wait_until(lambda: set(watching.rules().values()) == {("ok", "inactive")}, 60, "a rule fires or fails")
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "fsm-identity.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            watching.ask("query", query=target["expr"])


@pytest.mark.req("H6")
def test_an_operator_sees_that_keycloak_stands_still(stack: Stack) -> None:
    """Its process is there and does nothing: with no work under way `ops status` says in seconds that nobody can
    log in, and no longer than it is so."""
    wait_until(lambda: stack.troubles() == [], 60, "something is wrong from the start")
    [keycloak] = [psutil.Process(each.pid) for each in stack.state.parts if each.name == "keycloak"]
    standing = [keycloak, *keycloak.children(recursive=True)]
    for process in standing:
        process.suspend()
    try:
        wait_until(lambda: any("nobody can log in" in each for each in stack.troubles()), 20, "nobody says so")
        first, *_ = stack.command_line.run("ops", "status").out.splitlines()
        assert first.startswith("Keycloak: does not answer since")
    finally:
        for process in standing:
            process.resume()
    wait_until(lambda: not any("nobody can log in" in each for each in stack.troubles()), 20, "it is still told")


@pytest.mark.req("H2")
def test_an_operator_sees_that_keycloak_is_away(stack: Stack, watching: Prometheus) -> None:
    """Nothing is wrong; Keycloak is ended and a change is stored all the same: `ops status` says what cannot be
    used, `/metrics` and the alert too, and no secret is in it."""
    wait_until(lambda: stack.troubles() == [], 60, "something is wrong from the start")
    options = ("--profile", "dispatcher", "--branch", "hamburg", "--reason", "joins")
    person = ("--email", "jo.lind@example.com", "--given-name", "Jo", "--family-name", "Lind")
    stack.command_line.done("account", "create", *person, *options)

    end([each for each in stack.state.parts if each.name == "keycloak"])
    change = ("change", "jo.lind@example.com", "--family-name", "Linde", "--reason", "married", "--no-wait")
    stack.command_line.done("account", *change)
    wait_until(lambda: any("Keycloak cannot be used" in each for each in stack.troubles()), 90, "nobody says so")
    said = stack.command_line.run("ops", "status")
    assert said.code == 1
    assert "A circuit is open" in said.out
    assert stack.credentials.worker_client not in said.out
    headers = {"Authorization": f"Bearer {stack.credentials.metrics}"}
    wait_until(
        lambda: 'fsm_circuit_open{circuit="keycloak"} 1.0' in stack.get("web", "/metrics", headers=headers).text,
        30,
        "the metrics do not say so",
    )
    wait_until(lambda: watching.rules()["CircuitOpen"][1] != "inactive", 60, "no alert is about to fire")
    assert stack.command_line.run("ops", "timeline", "jo.lind@example.com").code == 0
