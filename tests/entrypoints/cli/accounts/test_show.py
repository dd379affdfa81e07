"""`fsm-identity account show`: what was stored, with its time, after a worker was asked to look (A8)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog

from sync.commands.accounts.look import ask_look
from sync.domain.accounts.account import Account
from sync.domain.errors import Misconfigured
from tests.entrypoints.cli.conftest import Run, done, told
from tests.world import World
from workers import logs

pytestmark = pytest.mark.req("A8", "I3")


@pytest.fixture
def worker(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that works at every wake."""
    monkeypatch.setattr(world.wake, "wake", world.work)


def test_a_worker_looks_and_what_it_saw_is_shown(
    run: Run, world: World, people: list[Account], worker: None
) -> None:
    """With what differs from what is wanted; nothing is put right."""
    said = done(run("show", people[0].username))
    assert "Keycloak is as wanted" in said
    world.pass_time(60)
    user = world.user(people[0])
    user.enabled = False
    answer = told(run, "show", people[0].username)
    assert (answer["differs"], answer["observed"]["enabled"]) == (["enable"], False)
    assert answer["observed"]["observed_at"] == world.clock.now().isoformat()
    assert answer["not_looked_at_now"] is None
    assert not user.enabled


def test_without_a_worker_the_last_look_is_shown_with_its_time(
    run: Run, world: World, people: list[Account]
) -> None:
    """Nothing was seen yet; then it was, and the worker is gone."""
    assert "nothing was seen yet" in done(run("show", world.join("dora.dorn").username))
    ask_look(world.systems, people[0].id)
    world.work()
    world.pass_time(60)
    said = done(run("show", people[0].username))
    assert "as of 2026-03-02 09:00 UTC; no worker looked within 0 s" in said
    assert told(run, "show", people[0].username)["not_looked_at_now"] == "no worker looked within 0 s"


def test_why_nobody_could_look_is_told(run: Run, world: World, people: list[Account], worker: None) -> None:
    """And what was stored is shown all the same."""
    world.pass_time(60)
    world.accounts.fail_next(Misconfigured("Keycloak refuses fsm-worker", system="keycloak"))
    said = done(run("show", people[0].username))
    assert "Keycloak refuses fsm-worker" in said
    assert people[0].full_name in said


@pytest.fixture
def default_logging() -> Iterator[None]:
    """Whatever a test sets up ends with it."""
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("default_logging")
@pytest.mark.parametrize("logged_elsewhere", [False, True])
def test_what_is_logged_meanwhile_leaves_the_answer_alone(
    run: Run, world: World, people: list[Account], *, logged_elsewhere: bool
) -> None:
    """Redis is away, which is logged; a program reads standard output. So it is too where something else of the
    process, such as a worker, had set up its own logging."""
    if logged_elsewhere:
        logs.configure()
    world.wake.down = True
    said = run("show", people[0].username, "--json")
    assert json.loads(said.stdout)["account"]["username"] == people[0].username
    assert "could not be woken" in said.stderr
