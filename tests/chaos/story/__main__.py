"""`python -m tests.chaos.story [--people N] [SEED …]`: the story once for each seed; fails if one of them does."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import func, select

from sync.commands.imports.confirm import confirm
from sync.commands.imports.review import ImportOptions, review
from sync.domain.errors import Transient
from sync.jobs.systems import Systems
from sync.settings import load_settings
from sync.store.database.tables import provisioning
from sync.store.runs import runs
from sync.wiring.workers import open_systems
from tests.callers import wanted_by
from tests.chaos.story.acts import tally
from tests.chaos.story.outcome import differences, told_of, unsettled
from tests.chaos.story.people import Meanwhile, staff_xlsx
from tests.chaos.story.places import Places
from tests.chaos.story.schedule import Disturbance, schedule

PEOPLE = 5000
SETTLES_WITHIN = 420.0
"""Seconds after the last disturbance."""

SHOWN = 20

PERSONS = ("a person asks", "a person asks for an act", "somebody in Keycloak's console")
SERVICES = (
    "kill Redis and start it empty",
    "stop Keycloak",
    "start Keycloak",
    "freeze a worker",
    "cut the database",
)
"""Disturbances that are told as they come, with how far the import is."""


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended all the same
    parser = argparse.ArgumentParser(prog="tests.chaos.story", description=__doc__)
    parser.add_argument("seeds", nargs="*", type=int, default=[1, 2, 3], metavar="SEED")
    parser.add_argument("--people", type=int, default=PEOPLE)
    given = parser.parse_args()
    if len(given.seeds) == 1:
        return tell(given.seeds[0], given.people)
    return max(told_alone(seed, given.people) for seed in given.seeds)


def told_alone(seed: int, people: int) -> int:
    """In a process of its own: Celery's settings are read once in each, and every story has a Redis of its own."""
    command = (sys.executable, "-m", "tests.chaos.story", "--people", str(people), str(seed))
    with subprocess.Popen(command) as story:
        try:
            return story.wait()
        except SystemExit:
            story.terminate()
            raise


def say(*lines: str) -> None:
    sys.stdout.write("\n  ".join(lines) + "\n")
    sys.stdout.flush()


def tell(seed: int, people: int) -> int:
    """One story; 0 if it ended well. An even seed runs on SQLite, an odd one on PostgreSQL."""
    where = "SQLite" if seed % 2 == 0 else "PostgreSQL"
    say(f"seed {seed}: {people} people on {where}")
    folder, began = Path(tempfile.mkdtemp(prefix=f"fsm-identity-chaos-{seed}-")), time.monotonic()
    places, planned = Places(folder, sqlite=seed % 2 == 0), schedule(seed)
    try:
        places.start()
        wrong = lived_through(places, planned, people)
    finally:
        places.end()
    say(f"seed {seed}: {'FAILED' if wrong else 'well'} after {time.monotonic() - began:.0f} s")
    if wrong:
        say(f"{len(wrong)} differences, the first of them:", *wrong[:SHOWN])
        say("the schedule was:", *map(str, planned))
        say(f"logs: {folder}", f"again: make chaos SEED={seed}")
    return 1 if wrong else 0


def lived_through(places: Places, planned: tuple[Disturbance, ...], people: int) -> list[str]:
    """Import, disturb, wait, compare. Returns what is wrong."""
    os.environ.update(places.environment)
    systems = open_systems(load_settings())
    meanwhile = Meanwhile(systems, places.realm)
    by = wanted_by("kim", "new season")
    run = review(systems, staff_xlsx(people), "staff.xlsx", by, ImportOptions()).run
    places.start_workers()
    confirm(systems, run.id, by)
    began = time.monotonic()

    def happens(these: list[Disturbance]) -> None:
        for each in these:
            time.sleep(max(0.0, began + each.at - time.monotonic()))
            if each.what in SERVICES:
                say(f"  {each.at:.0f} s: {each.what}; {in_keycloak(systems)} of {people} people are in Keycloak")
            disturb(places, meanwhile, each)

    with ThreadPoolExecutor(1) as persons:  # who may wait for an answer while services come and go
        asking = persons.submit(happens, [each for each in planned if each.what in PERSONS])
        happens([each for each in planned if each.what not in PERSONS])
        asking.result()
    until, left = time.monotonic() + SETTLES_WITHIN, ["nobody has looked yet"]
    while left and time.monotonic() < until:
        time.sleep(1)
        left = unsettled(systems)
        with systems.db.read() as tx:
            found = runs.get(tx, run.id)
        if found is None or found.state != "done":
            left.append(f"the run is {found and found.state}")
    took = time.monotonic() - began
    say(f"  {places.kills} workers killed, settled {took:.0f} s after the confirmation")
    with systems.db.read() as tx:
        say(f"  {tally(tx, [*meanwhile.asked])}")
    wrong = [f"not settled: {each}" for each in left]
    return wrong + in_the_end(places, meanwhile, people)


def in_keycloak(systems: Systems) -> str:
    """How many accounts were brought there at least once, as far as our database can be asked."""
    applied = select(func.count()).where(provisioning.c.applied_version.is_not(None))
    try:
        with systems.db.read() as tx:
            return f"{tx.connection.scalar(applied)}"
    except Transient:
        return "some"


def in_the_end(places: Places, meanwhile: Meanwhile, people: int) -> list[str]:
    """What somebody changed in Keycloak is seen by its admin events; give the job that reads them its time. What
    is only reported, as drift.toml says of an account that was switched off, an operator has repaired. An account
    that was deactivated is looked at after an access token's life, and not by that job before."""
    until = time.monotonic() + meanwhile.systems.policy.realm.sessions.access_token_seconds + 120
    while (wrong := differences(places, meanwhile.systems, meanwhile, people)) and time.monotonic() < until:
        meanwhile.repair_reported()
        time.sleep(5)
    if wrong:
        (places.folder / "accounts.txt").write_text("\n".join(told_of(meanwhile.systems, wrong)))
    return wrong


def disturb(places: Places, meanwhile: Meanwhile, each: Disturbance) -> None:
    match each.what:
        case "kill a worker":
            places.kill_worker(each.which)
        case "kill Redis and start it empty":
            places.empty_redis()
        case "stop Keycloak":
            places.stop_keycloak()
        case "start Keycloak":
            places.start_keycloak()
        case "cut the database":
            places.cut_database()
        case "restart the database":
            places.restart_database()
        case "freeze a worker":
            places.freeze_worker(each.which)
        case "wake the frozen worker":
            places.wake_frozen()
        case "a person asks":
            meanwhile.ask(each)
        case "a person asks for an act":
            meanwhile.ask_for_an_act(each)
        case _:
            meanwhile.tamper(each)


if __name__ == "__main__":
    sys.exit(main())
