"""Keycloak is away: what was asked for waits, operators are told, and it goes on by itself (H2)."""

from __future__ import annotations

import json

import pytest
from click.testing import Result
from typer.testing import CliRunner

from sync.domain.accounts.account import Account
from sync.domain.errors import Transient
from sync.domain.work.circuit import LONGEST_PAUSE
from sync.entrypoints.cli import app
from sync.entrypoints.cli.accounts import account
from sync.entrypoints.cli.operations import circuit, ops
from sync.jobs.schedule.sweep import sweep
from tests.entrypoints.cli.conftest import done
from tests.world import World, people, world  # noqa: F401 - fixtures

AWAY = "Keycloak at http://kc.example.com: not reachable (GET users)"


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def away(world: World, people: list[Account], monkeypatch: pytest.MonkeyPatch) -> list[Account]:  # noqa: F811
    """Three people, and a Keycloak that answers nothing from now on."""
    monkeypatch.setattr(account, "open_desk", lambda: world.systems)
    for module in (ops, circuit):
        monkeypatch.setattr(module, "open_operator_desk", lambda: world.systems)
    world.accounts.always_fails = Transient(AWAY, system="keycloak")
    return people


@pytest.mark.req("H2")
def test_work_waits_without_being_tried_for_nothing_and_goes_on_by_itself(
    world: World,  # noqa: F811
    away: list[Account],
) -> None:
    """The circuit says since when and why; hours of it cost a request a minute and nobody's attempts, nobody is
    in quarantine, and nobody has to do anything after it."""
    for who in away:
        done(typed("account", "change", who.username, "--branch", "berlin", "--reason", "moves", "--no-wait"))
    for _ in range(60):
        world.work()
        world.pass_time(5)
    shown = typed("ops", "circuit", "--json")
    assert shown.exit_code == 1
    [keycloak] = [each for each in json.loads(shown.stdout) if each["name"] == "keycloak"]
    assert keycloak["state"] == "open"
    assert AWAY in keycloak["reason"]

    asked, minutes = world.accounts.asked, 180
    for _ in range(minutes):
        world.pass_time(60)
        sweep(world.systems)
        world.work()
    assert world.accounts.asked - asked <= minutes + 3
    assert json.loads(done(typed("ops", "quarantine", "--json"))) == []
    assert not [who for who in away if "/fsm/branches/berlin" in world.user(who).groups]

    world.accounts.always_fails = None
    world.pass_time(LONGEST_PAUSE.total_seconds())
    for _ in range(3):
        sweep(world.systems)
        world.work()
        world.pass_time(5)
    assert [who for who in away if "/fsm/branches/berlin" in world.user(who).groups] == away
    assert typed("ops", "circuit").exit_code == 0
