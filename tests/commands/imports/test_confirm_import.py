"""Confirming an import: once, by its fingerprint, against the world of now."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync.commands.imports.confirm import confirm
from sync.domain.errors import Refused
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.systems import Systems
from sync.store.runs import run_rows, runs
from sync.store.runs.runs import Run
from tests.callers import allowed
from tests.commands.imports.import_sites import (
    BY,
    branch_of,
    import_site,
    imported,
    move,
    person,
    reviewed,
    staff_file,
    state,
)


@pytest.fixture
def systems(database_url: str) -> Iterator[Systems]:
    """Systems on an empty database of each kind."""
    with import_site(database_url) as made:
        yield made


@pytest.mark.supports("F5")
def test_all_or_nothing_is_not_confirmed_with_errors(systems: Systems) -> None:
    """One wrong row, and the whole run waits to be mended."""
    run = reviewed(systems, person(1), person(2, Profil="Zauberer"), all_or_nothing=True)
    with pytest.raises(Refused, match="1 rows are errors and all or nothing"):
        confirm(systems, run.id, BY)
    assert state(systems, run) == "reviewed"


@pytest.mark.supports("F3")
def test_changed_world_is_refused_with_what_differs(systems: Systems) -> None:
    """An account changed after the review: the confirmation names the row, and nothing is applied."""
    imported(systems, person(1), person(2))
    run = reviewed(systems, person(1, Niederlassung="Köln"), person(2, Niederlassung="Köln"))
    move(systems, "pat2@example.com", "berlin")
    with pytest.raises(
        Refused, match=r"1 rows would be decided otherwise.*row 4: Pat Number2: the account was changed"
    ):
        confirm(systems, run.id, BY)
    assert apply_chunk(systems) == 0
    assert branch_of(systems, "pat1@example.com") == "hamburg"


@pytest.mark.supports("F3")
def test_joiner_who_came_another_way_is_refused(systems: Systems) -> None:
    """The same person was created meanwhile: what was a joiner is one no more."""
    run = reviewed(systems, person(1), person(2))
    imported(systems, person(1, Niederlassung="Berlin"))
    with pytest.raises(Refused, match="row 3: Pat Number1: was create, is now update"):
        confirm(systems, run.id, BY)


@pytest.mark.supports("F3")
def test_changed_file_mapping_or_fingerprint_is_refused(systems: Systems) -> None:
    """Only the very review that was shown can be confirmed."""
    run = reviewed(systems, person(1))
    with pytest.raises(Refused, match=r"is not the staff\.csv that was reviewed"):
        confirm(systems, run.id, BY, content=staff_file(person(2)))
    with pytest.raises(Refused, match="fingerprint"):
        confirm(systems, run.id, BY, fingerprint="0" * 12)
    with pytest.raises(Refused, match="the mapping files have changed"):
        confirm(replace(systems, policy=replace(systems.policy, fingerprint="other")), run.id, BY)
    confirm(systems, run.id, BY, fingerprint=run.fingerprint[:12], content=staff_file(person(1)))
    assert state(systems, run) == "confirmed"


@pytest.mark.supports("F3")
def test_run_is_confirmed_once(systems: Systems) -> None:
    """The second confirmation says who was first."""
    run = reviewed(systems, person(1))
    confirm(systems, run.id, BY)
    with pytest.raises(Refused, match="was confirmed by kim at 2026-03-02 09:00 UTC already"):
        confirm(systems, run.id, BY)


@pytest.mark.supports("F3")
def test_two_imports_of_the_same_people_one_waits(systems: Systems) -> None:
    """While one is under way, another that touches its people is refused with its name; then it must be reviewed
    again, because the world has changed."""
    first, second = reviewed(systems, person(1), person(2)), reviewed(systems, person(2, Vorname="Kim"))
    other = reviewed(systems, person(3))
    confirm(systems, first.id, BY)
    with pytest.raises(Refused, match=r"1 of the same people.*row 3: is about somebody in the import of staff"):
        confirm(systems, second.id, BY)
    confirm(systems, other.id, BY)
    while apply_chunk(systems):
        pass
    with pytest.raises(Refused, match="was create, is now"):
        confirm(systems, second.id, BY)


def test_a_large_import_does_not_make_the_next_one_slow(tmp_path: Path) -> None:
    """Looking for the same people costs ten times as much for ten times as many, not a hundred times."""

    def steps(people: int) -> int:
        counted = []
        with import_site(f"sqlite:///{tmp_path / str(people)}.db") as systems:
            confirm(systems, reviewed(systems, *map(person, range(people))).id, BY)
            other = reviewed(systems, *map(person, range(people, 2 * people)))
            with systems.db.read() as tx:
                connection = tx.connection.connection.dbapi_connection
                assert isinstance(connection, sqlite3.Connection)
                connection.set_progress_handler(lambda: counted.append(1), 100)
                assert not runs.same_people(tx, other.id)
                connection.set_progress_handler(None, 0)
        return len(counted)

    assert 0 < steps(1000) < 15 * steps(100)


@pytest.mark.supports("F3")
def test_what_is_under_way_is_called_what_it_is(systems: Systems) -> None:
    """Repairs of drift are no import."""
    imported(systems, person(1))
    run = reviewed(systems, person(1, Niederlassung="Köln"))
    with systems.db.write() as tx:
        other = replace(run, id="repair", kind="repair", state="confirmed", source="comparison")
        runs.insert(tx, allowed(BY), other, run_rows.rows(tx, run.id))
    with pytest.raises(Refused, match=r"changes 1 of the same people.*in the repair of comparison \(repair\)"):
        confirm(systems, run.id, BY)


@pytest.mark.supports("F3")
def test_two_imports_confirmed_at_once_exactly_one_wins(systems: Systems) -> None:
    """Four confirmations of two runs of the same people start together: one goes through."""
    both = [reviewed(systems, person(1), person(2)), reviewed(systems, person(2), person(1, Vorname="Kim"))]
    start = threading.Barrier(4)
    won: list[str] = []
    lost: list[str] = []

    def run_it(run: Run) -> None:
        start.wait(20)
        try:
            confirm(systems, run.id, BY)
            won.append(run.id)
        except Refused as refused:
            lost.append(str(refused))

    threads = [threading.Thread(target=run_it, args=(run,)) for run in both * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(won) == 1
    assert len(lost) == 3
    assert all("already" in said or "same people" in said for said in lost), lost
