"""The mapping files in force are those in our database, whatever lies on the machine of a process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from structlog.testing import capture_logs

from mappings import MappingErrors, load
from mappings.loading import read_texts
from sync.commands.mappings.in_force import adopt_first, put_in_force
from sync.commands.perform import perform
from sync.domain.errors import Misconfigured, Transient
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.run_kinds import apply_chunk
from sync.store import mappings
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from sync.views.mappings import CurrentPolicy, InForce, warn_of_other_files
from tests.callers import wanted_by
from tests.world import FIRST, World

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BY = wanted_by("lee", "longer holds")


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """Our database with its tables and nothing in them."""
    schema.upgrade(database_url)
    made = Database(database_url, Sealer([Fernet.generate_key().decode()]))
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files that differ from the shipped ones: a hold lasts three days."""
    text = read_texts()["work_orders.toml"]
    own = tmp_path / "mappings"
    own.mkdir()
    (own / "work_orders.toml").write_text(text.replace("hold_deadline_days = 14", "hold_deadline_days = 3"))
    return own


def bring(db: Database, folder: Path | None) -> None:
    with db.write() as tx:
        mappings.adopt_one_at_a_time(tx)
        put_in_force(tx, None, read_texts(folder), load(folder).fingerprint, BY, NOW)


@pytest.mark.supports("E7", "J3")
def test_the_first_files_are_adopted_once(db: Database, folder: Path) -> None:
    """A later process on another machine, with other files, gets the same policy; the audit trail says so."""
    first = adopt_first(db, folder, FIRST, NOW)
    assert (first.number, first.policy.work_orders.hold_deadline_days) == (1, 3)
    other = adopt_first(db, None, FIRST, NOW)
    assert (other.number, other.policy) == (1, first.policy)
    with db.read() as tx:
        [adopted] = mappings.recent(tx, 5)
    assert (adopted.adopted_by, adopted.reason) == (FIRST.name, FIRST.reason)


@pytest.mark.supports("E7")
def test_of_several_first_starts_one_adopts(db: Database) -> None:
    """Everybody has the same number in the end."""
    start = threading.Barrier(4)
    found: list[InForce] = []

    def run_it() -> None:
        start.wait(20)
        found.append(adopt_first(db, None, FIRST, NOW))

    threads = [threading.Thread(target=run_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [each.number for each in found] == [1] * 4


@pytest.mark.supports("E7", "J3")
def test_other_files_on_a_machine_are_a_proposal_and_told_once(db: Database, folder: Path, tmp_path: Path) -> None:
    """One warning that says what to run; none where only a comment differs; broken files harm nobody."""
    in_force = adopt_first(db, None, FIRST, NOW)
    with capture_logs() as logged:
        warn_of_other_files(in_force, folder)
    assert "mappings plan" in logged[0]["event"]
    (folder / "work_orders.toml").write_text("# other words\n" + read_texts()["work_orders.toml"])
    with capture_logs() as logged:
        warn_of_other_files(in_force, None)
        warn_of_other_files(in_force, folder)
    assert logged == []
    (folder / "work_orders.toml").write_text("nonsense")
    with capture_logs() as logged:
        warn_of_other_files(in_force, folder)
    assert "mappings check" in logged[0]["event"]
    assert adopt_first(db, folder, FIRST, NOW).policy == in_force.policy


@pytest.mark.supports("J3")
def test_wrong_files_are_not_adopted_at_the_first_start(db: Database, folder: Path) -> None:
    """With nothing in force the files of the machine must be right: each problem is named."""
    (folder / "work_orders.toml").write_text("closed_statuses = 5")
    with pytest.raises(MappingErrors):
        adopt_first(db, folder, FIRST, NOW)
    with db.read() as tx:
        assert mappings.newest_number(tx) == 0


@pytest.mark.supports("J3", "E7")
def test_a_file_that_a_later_version_brought_comes_from_the_package(db: Database) -> None:
    """A database of before goes on working; what this version cannot read at all is told."""
    files = read_texts()
    del files["guard.toml"]
    with db.write() as tx:
        put_in_force(tx, None, files, "f", BY, NOW)
    assert adopt_first(db, None, FIRST, NOW).policy.guard == load().guard
    with db.write() as tx:
        put_in_force(tx, None, files | {"work_orders.toml": "assignments = 5"}, "g", BY, NOW)
    with pytest.raises(Misconfigured, match=r"(?s)do not fit this version.*in force \(2\)/work_orders.toml"):
        adopt_first(db, None, FIRST, NOW)


@pytest.mark.supports("J3", "E7")
def test_limits_of_a_version_before_go_on_and_as_many_may_be_promoted_as_demoted(db: Database) -> None:
    """It had one window, of an hour, and no limit for what is given."""
    files = read_texts()
    before, _, _ = files["guard.toml"].partition("# Accounts that may do or see more")
    files["guard.toml"] = before.replace("[approval]", "window_minutes = 60\n[approval]", 1)
    with db.write() as tx:
        put_in_force(tx, None, files, "f", BY, NOW)
    limits = adopt_first(db, None, FIRST, NOW).policy.guard.limits
    assert limits["promoted"] == limits["demoted"]
    assert (limits["privileged"].accounts, limits["privileged"].within("week").accounts) == (0, 0)


@pytest.mark.supports("E7")
def test_a_long_lived_process_notices_what_was_adopted(db: Database, folder: Path) -> None:
    """The web process shows the new titles without a restart; going back to earlier files works too."""
    adopt_first(db, None, FIRST, NOW)
    current = CurrentPolicy(db)
    assert current() is current()
    bring(db, folder)
    assert current().work_orders.hold_deadline_days == 3
    bring(db, None)
    assert current().work_orders.hold_deadline_days == 14


@pytest.mark.supports("E7", "H1")
def test_nobody_works_by_files_that_are_no_longer_in_force(world: World, folder: Path) -> None:
    """A worker claims nothing and applies nothing with them; a command stores nothing and says try again."""
    number = adopt_first(world.systems.db, None, FIRST, NOW).number
    systems = replace(world.systems, policy_number=number)
    account = world.join()
    bring(systems.db, folder)
    assert provision_some(systems, Lane.INTERACTIVE) == 0
    assert apply_chunk(systems) == 0
    with pytest.raises(Transient, match="other mapping files have just come into force"):
        perform(systems, lambda tx: None, wakes=Lane.INTERACTIVE)
    newer = replace(systems, policy_number=number + 1)
    assert provision_some(newer, Lane.INTERACTIVE) == 1
    assert world.user(account).groups
