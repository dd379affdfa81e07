"""A process that ends, or freezes, at any single point of I/O: one after the other, not by chance.

For each scenario the world is made anew, the process ends at point 1, the world goes on; again with point 2, and
so on until a run goes through. Whatever a person wanted is then as wanted, once. `make test` takes every third
point or every second: what ends begins at the first, what freezes at the second, what is overtaken at the third.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from sync.domain.deactivation.gate import WorkOrdersOpen
from sync.domain.errors import Refused
from sync.ports.lease import unkept
from sync.store.database import schema
from tests.chaos.act_scenarios import ACTS
from tests.chaos.crash_copies import Copies, SqliteCopies, postgres_copies
from tests.chaos.crash_place import Place, Prepared, work
from tests.chaos.crash_points import Crash, Points, watched
from tests.chaos.invariants import violations
from tests.chaos.scenarios import SCENARIOS, Scenario

WHOLE = "FSM_CHAOS" in os.environ
"""Set by `make chaos`: every scenario, every point, and PostgreSQL too."""


def step(scenario: Scenario) -> int:
    """From one chosen point to the next: as many as there are tests of the scenario, so that one of them meets
    each."""
    return 1 if WHOLE else 2 if scenario.instead is None else 3


CHOSEN = [scenario for scenario in (*SCENARIOS, *ACTS) if scenario.main or WHOLE]
MEMORY = Path("/dev/shm")
KEY = Fernet.generate_key().decode()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """In memory where there is such a place: hundreds of databases are made here."""
    made = Path(tempfile.mkdtemp(prefix="fsm-identity-crash-", dir=MEMORY if MEMORY.is_dir() else None))
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def sqlite(folder: Path) -> Copies:
    path = folder / "migrated.sqlite"
    schema.upgrade(f"sqlite:///{path}")
    return SqliteCopies(folder, path)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)] if WHOLE else ["sqlite"])
def copies(request: pytest.FixtureRequest, sqlite: Copies, folder: Path) -> Iterator[Copies]:
    """Databases that come and go by the hundred."""
    if request.param == "postgres":
        with postgres_copies(request.getfixturevalue("postgres_server")) as made:
            yield made
        return
    yield sqlite
    for path in folder.glob("*.db*"):
        path.unlink()


def ended_at(prepared: Prepared, scenario: Scenario, points: Points) -> tuple[bool, list[str]]:
    """One run with one end. Whether the process ended, and what is wrong afterwards."""
    with closing(prepared.again()) as place:
        subject = prepared.subject
        here = watched(place.systems, points)
        ended = False
        try:
            scenario.wish(here, subject)
            work(here)
        except Crash:
            ended = True
            ask_again(place, scenario, subject)
        place.settle()
        if scenario.relieve is not None:
            scenario.relieve(place, subject)
            place.settle()
        found = violations(place, settled=scenario.settled) + points.held_open
        try:
            scenario.then(place, subject)
        except AssertionError as error:
            found.append(str(error))
        return ended, found


def ask_again(place: Place, scenario: Scenario, subject: object) -> None:
    """What a person does who never got an answer."""
    with suppress(Refused, WorkOrdersOpen):
        scenario.wish(place.systems, subject)


def every_end(prepared: Prepared, scenario: Scenario) -> int:
    """All runs of a scenario; returns how many points there are."""
    wrong = list[str]()
    for number in itertools.count(1, step(scenario)):
        points = Points(number)
        ended, found = ended_at(prepared, scenario, points)
        wrong += [f"ended {points.where}: {line}" for line in found]
        if not ended:
            break
    assert wrong == [], "\n".join(wrong[:20])
    return len(points.passed)


@pytest.mark.supports("H1", "H2", "E6")
@pytest.mark.parametrize("scenario", CHOSEN, ids=str)
def test_a_process_may_end_anywhere(copies: Copies, scenario: Scenario) -> None:
    """Killed at any request, commit or mail: nothing is lost, nothing done twice, and access never wider."""
    prepared = Prepared(copies, KEY, scenario.prepare)
    prepared.make()
    assert every_end(prepared, scenario) > 5


def woken_after(prepared: Prepared, scenario: Scenario, points: Points, *, instead: bool) -> list[str]:
    """One run with one freeze: meanwhile the world goes on, with another wish if `instead`; then the frozen
    process goes on as if nothing had happened, and the world once more. Returns what is wrong afterwards."""
    with closing(prepared.again()) as place:
        subject = prepared.subject

        @unkept()
        def meanwhile() -> None:
            """In other processes, which hold nothing of the frozen one's."""
            if instead and scenario.instead is not None:
                with suppress(Refused, WorkOrdersOpen):
                    scenario.instead(place.systems, subject)
            place.settle()

        points.meanwhile = meanwhile
        here = watched(place.systems, points)
        with suppress(Refused, WorkOrdersOpen):
            scenario.wish(here, subject)
        work(here)
        place.settle()
        if scenario.relieve is not None:
            scenario.relieve(place, subject)
            place.settle()
        late = int("give_temporary_password" in points.where)
        found = violations(place, settled=scenario.settled, late_writes=instead, late_passwords=late)
        found += points.held_open
        then = scenario.and_then if instead else scenario.then
        if then is not None and (points.reached or not instead):
            try:
                then(place, subject)
            except AssertionError as error:
                found.append(str(error))
        return found


def every_freeze(prepared: Prepared, scenario: Scenario, *, instead: bool) -> int:
    """As `every_end`."""
    wrong = list[str]()
    for number in itertools.count(1 if WHOLE else 3 if instead else 2, step(scenario)):
        points = Points(number)
        found = woken_after(prepared, scenario, points, instead=instead)
        wrong += [f"frozen {points.where}: {line}" for line in found]
        if not points.reached:
            break
    assert wrong == [], "\n".join(wrong[:20])
    return len(points.passed)


@pytest.mark.supports("H1")
@pytest.mark.parametrize("scenario", CHOSEN, ids=str)
def test_a_process_may_freeze_anywhere(copies: Copies, scenario: Scenario) -> None:
    """Stopped at any point until another one has done its work, then woken: its late word changes nothing."""
    prepared = Prepared(copies, KEY, scenario.prepare)
    prepared.make()
    assert every_freeze(prepared, scenario, instead=False) > 5


@pytest.mark.supports("D6", "H1")
@pytest.mark.parametrize("scenario", [each for each in CHOSEN if each.instead is not None], ids=str)
def test_a_late_write_never_outlives_another_wish(copies: Copies, scenario: Scenario) -> None:
    """While it was frozen somebody wanted something else, and has it: what it still sends is undone."""
    prepared = Prepared(copies, KEY, scenario.prepare)
    prepared.make()
    assert every_freeze(prepared, scenario, instead=True) > 5
