"""Parts and steps that start side by side, each as soon as what it needs is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sync.devstack.credentials import credentials_in
from sync.devstack.foundation import KEYCLOAK
from sync.devstack.layout import Layout
from sync.devstack.own_processes import OWN_PARTS, SET_UP
from sync.devstack.part import Part, Step
from sync.devstack.process import Launch, PartFailed, Running, end, last_lines, python
from sync.devstack.side_by_side import bring_up
from sync.devstack.stack import FOUNDATION
from sync.devstack.surroundings import Surroundings

pytestmark = pytest.mark.supports("J1")

RUNS_ON = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"


class Place:
    """Starts small programs as parts and steps, and remembers what came when."""

    def __init__(self, folder: Path) -> None:
        self.surroundings = Surroundings(Layout(folder), {}, credentials_in(folder / "credentials.json"))
        self.running: list[Running] = []
        self.told: list[str] = []

    def part(self, name: str, *needs: str, healthy: threading.Event | None = None) -> Part:
        """One that is healthy at once, or as soon as the event is set."""
        return Part(
            name,
            lambda place: self._program(name, RUNS_ON, place),
            lambda _: healthy is None or healthy.is_set(),
            needs=needs,
        )

    def step(self, name: str, *needs: str, text: str = "") -> Step:
        """One that does what `text` says."""
        return Step(name, lambda place: self._program(name, text, place), needs=needs)

    def bring_up(self, *works: Part | Step) -> None:
        bring_up(works, self.surroundings, self.running.append, self.told.append)

    def _program(self, name: str, text: str, place: Surroundings) -> Launch:
        return Launch(name, python("-c", text), place.layout.log(name), place.layout.home)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    end(made.running)


def test_what_needs_no_slow_server_does_not_wait_for_it(place: Place) -> None:
    """The server is well only once the worker is there, which therefore cannot have waited for it."""
    worker_started = threading.Event()
    server = place.part("server", healthy=worker_started)
    worker = place.part("worker", "prepare")
    sets = Part("worker", worker.launch, lambda _: not worker_started.set(), needs=worker.needs)
    place.bring_up(server, place.step("prepare"), sets)
    assert place.told == ["starting server", "prepare", "starting worker"]


def test_what_needs_something_comes_after_it(place: Place) -> None:
    """Whatever the order in which they are named."""
    place.bring_up(place.part("last", "second"), place.step("second", "first"), place.part("first"))
    assert place.told == ["starting first", "second", "starting last"]


def test_what_is_not_started_here_is_not_waited_for(place: Place) -> None:
    """`--only web`: its database runs somewhere else."""
    place.bring_up(place.part("web", "postgres", "adopted"))
    assert place.told == ["starting web"]


def test_the_first_failure_is_told_while_others_still_start(place: Place) -> None:
    """Nobody waits minutes for a server to be told that a step failed; what needed it was never started."""
    never = threading.Event()
    broken = place.step("broken", text="raise SystemExit('no disk space')")
    with pytest.raises(PartFailed, match=r"broken failed with exit code 1(.|\n)*no disk space"):
        place.bring_up(place.part("slow", healthy=never), broken, place.part("next", "broken"))
    assert [each.name for each in place.running] == ["slow"]


def test_a_step_that_runs_is_ended_with_a_failed_start(place: Place) -> None:
    """Only parts are written down for `down`; a step would go on unseen."""
    log = place.surroundings.layout.log("long")
    place.surroundings.layout.logs.mkdir()
    broken = place.step("broken", text=f"while not open({str(log)!r}).read(): pass\nraise SystemExit(1)")
    with pytest.raises(PartFailed, match="broken failed"):
        place.bring_up(place.step("long", text=RUNS_ON), broken)
    assert not psutil.pid_exists(int(last_lines(log)[0]))


def test_of_our_own_only_beat_waits_for_keycloak() -> None:
    """Keycloak takes longest: while it starts, the web process and the workers do. What waits for it is its realm,
    and beat, which begins to work by itself."""
    works = {work.name: work for work in (*FOUNDATION, *SET_UP, *OWN_PARTS)}

    def waits_for_keycloak(name: str) -> bool:
        return name == KEYCLOAK.name or any(map(waits_for_keycloak, works[name].needs))

    assert {name for name in works if waits_for_keycloak(name)} == {
        "keycloak",
        "realm bootstrap",
        "realm apply",
        "beat",
    }


def test_whatever_is_needed_exists() -> None:
    """A misspelt need would be taken for something that is started elsewhere."""
    works = (*FOUNDATION, *SET_UP, *OWN_PARTS)
    assert {need for work in works for need in work.needs} <= {work.name for work in works}
