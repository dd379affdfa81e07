"""One-shot acts as a person types them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from sync.domain.accounts.account import Account
from sync.domain.errors import Transient
from sync.domain.provisioning.observed import LockState
from sync.domain.work.lane import Lane
from sync.entrypoints.cli import acts, app
from sync.entrypoints.cli.accounts import account
from sync.jobs.systems import Systems
from sync.store.provisioning import due
from tests.entrypoints.cli.conftest import Run
from tests.world import World


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command."""
    monkeypatch.setattr(account, "open_desk", lambda: world.systems)
    monkeypatch.setattr(acts, "open_desk", lambda: world.systems)
    return lambda *arguments: CliRunner().invoke(app, ["account", *arguments])


@pytest.mark.req("C1")
@pytest.mark.supports("H1")
def test_how_to_see_the_password_is_told_although_waiting_failed(
    run: Run, people: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reset is stored and goes on alone; our database is away while the command line waits for the worker."""

    def away(_site: Systems, _act: object, _timeout: int) -> None:
        raise Transient("the database cannot be asked just now", system="database")

    monkeypatch.setattr(acts, "wait_for_act", away)
    said = run("reset-password", people[0].username, "--reason", "forgot it", "--json")
    assert said.exit_code == 1
    assert "the database cannot be asked" in said.stderr
    answer = json.loads(said.stdout)
    assert answer["show_password"] == f"fsm-identity account show-password {people[0].username}"
    assert answer["act"]["state"] == "waiting"


@pytest.mark.req("A7", "E6")
@pytest.mark.supports("I4")
def test_an_act_and_the_history_say_which_login_asked(run: Run, people: list[Account]) -> None:
    """With number and host: a name alone tells nobody from another."""
    asked = json.loads(run("unlock", people[0].username, "--reason", "called us", "--no-wait", "--json").stdout)
    by = asked["act"]["by"]
    assert (by["caller"]["kind"], by["door"], by["reason"]) == ("machine", "command line", "called us")
    shown = json.loads(run("show", people[0].username, "--json").stdout)
    assert [act["by"] for act in shown["acts"]] == [by]
    number, host = str(by["caller"]["number"]), by["caller"]["host"]
    assert shown["timeline"][-1]["caller"] == {"kind": "machine", "id": number, "host": host}


@pytest.mark.req("C1", "C3", "A8")
def test_a_reset_says_that_it_ends_no_lockout_and_ends_it_if_told_so(
    run: Run, world: World, people: list[Account]
) -> None:
    """The help desk would read out a password with which nobody gets in."""
    who, user = people[0], world.user(people[0])
    user.lock = LockState(temporary=True, failures=5, until=world.clock.now() + timedelta(minutes=10))
    world.do(lambda tx: due.look_again(tx, who.id, Lane.INTERACTIVE, world.clock.now()))
    world.work()
    told = run("reset-password", who.username, "--reason", "forgot it", "--no-wait")
    assert "is locked out until" in told.stderr
    assert "--unlock does" in told.stderr
    world.work()
    assert user.lock.temporary
    told = run("reset-password", who.username, "--reason", "forgot it", "--no-wait", "--unlock")
    assert "locked out" not in told.stderr
    world.work()
    assert not user.lock.temporary
    assert user.password is not None
