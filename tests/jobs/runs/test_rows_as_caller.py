"""Rows are applied as who confirmed them: judged at the review, at the confirmation and once more (I4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync.commands.accounts.change import change, create
from sync.commands.imports.confirm import confirm
from sync.commands.imports.review import ImportOptions, review
from sync.commands.perform import perform
from sync.commands.run_kinds import approve
from sync.domain.access.callers import Person
from sync.domain.access.cause import Cause, Door
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange, NewAccount
from sync.domain.errors import Refused
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.systems import Systems
from sync.store.accounts import accounts
from sync.store.audit.trail import assignments
from sync.store.runs import run_rows, runs
from sync.store.runs.runs import Run
from tests.callers import BY
from tests.commands.imports.import_sites import POLICY, import_site, person, staff_file

pytestmark = pytest.mark.supports("I4", "F4")


@pytest.fixture
def systems(tmp_path: Path) -> Iterator[Systems]:
    with import_site(f"sqlite:///{tmp_path / 'our.db'}") as made:
        yield made


def joined(systems: Systems, name: str, level: str | None) -> Account:
    new = NewAccount(f"{name}@example.com", name, "Admin", "administrator", "hamburg", data_access=level)
    return perform(systems, lambda tx: create(tx, POLICY, new, BY, systems.clock.now()), wakes=None)


@pytest.fixture
def hamburg(systems: Systems) -> Cause:
    """Who administers Hamburg; somebody else administers everything."""
    joined(systems, "boss", None)
    return as_person(joined(systems, "ada", "branch"))


def as_person(account: Account) -> Cause:
    return Cause(Person(account.id, account.username), Door.CONSOLE, "new season")


def reviewed(systems: Systems, by: Cause, *branches: str, **options: bool) -> tuple[Run, list[str]]:
    people = [person(number, Niederlassung=branch) for number, branch in enumerate(branches, start=1)]
    found = review(systems, staff_file(*people), "staff.csv", by, ImportOptions(**options))
    return found.run, [row.verdict for row in found.rows]


def demote(systems: Systems, by: Cause) -> None:
    assert isinstance(by.caller, Person)
    who = str(by.caller.account_id)
    wanted = AccountChange(profile="read-only")
    perform(systems, lambda tx: change(tx, POLICY, who, wanted, BY, systems.clock.now()), wakes=None)


def stored(systems: Systems, run: Run) -> Run:
    with systems.db.read() as tx:
        found = runs.get(tx, run.id)
    assert found is not None
    return found


def names(systems: Systems) -> list[str]:
    with systems.db.read() as tx:
        found = [accounts.by_login(tx, f"pat{number}@example.com") for number in range(1, 5)]
    return [each.username for each in found if each is not None]


def test_what_the_caller_may_not_is_an_error_of_its_row(systems: Systems, hamburg: Cause) -> None:
    """The rest of the file goes on, applied as the caller, through the caller's door."""
    run, verdicts = reviewed(systems, hamburg, "Hamburg", "Köln", "Hamburg")
    assert verdicts == ["create", "error", "create"]
    with systems.db.read() as tx:
        [problem] = run_rows.rows(tx, run.id)[1].messages["errors"]
    assert "is not your branch" in problem["reason"]
    confirm(systems, run.id, hamburg)
    while apply_chunk(systems):
        pass
    assert names(systems) == ["pat1@example.com", "pat3@example.com"]
    with systems.db.read() as tx:
        account = accounts.by_login(tx, "pat1@example.com")
        assert account is not None
        [given] = assignments(tx, account.id)
    assert (given.by, given.door) == ("ada@example.com", "console, import")


def test_who_may_less_than_the_reviewer_does_not_confirm(systems: Systems, hamburg: Cause) -> None:
    """Each row is judged again with the confirmer as caller."""
    run, verdicts = reviewed(systems, BY, "Hamburg", "Köln")
    assert verdicts == ["create", "create"]
    with pytest.raises(Refused, match="1 rows would be decided otherwise"):
        confirm(systems, run.id, hamburg)


@pytest.mark.parametrize("together", [False, True], ids=["row by row", "all or nothing"])
def test_if_the_right_is_lost_the_rest_is_held_and_then_somebody_elses(
    systems: Systems, hamburg: Cause, together: bool
) -> None:
    """Demoted between two chunks: what is left waits, and is applied as who approves it."""
    run, _ = reviewed(systems, hamburg, "Hamburg", "Hamburg", "Hamburg", all_or_nothing=together)
    confirm(systems, run.id, hamburg)
    if not together:
        assert apply_chunk(systems, limit=1) == 1
    demote(systems, hamburg)
    apply_chunk(systems)
    held = stored(systems, run)
    before = names(systems)
    assert (held.state, len(before)) == ("held", 0 if together else 1)
    [reason] = held.held_reasons or ()
    assert "ada@example.com may not do this any more" in reason
    assert "user-management" in reason
    with systems.db.read() as tx:
        boss = accounts.by_login(tx, "boss@example.com")
    assert boss is not None
    allowed = replace(as_person(boss), reason="they are ours")
    approve(systems, run.id, allowed, run.fingerprint)
    while apply_chunk(systems):
        pass
    assert stored(systems, run).state == "done"
    assert len(names(systems)) == 3
    with systems.db.read() as tx:
        last = accounts.by_login(tx, "pat3@example.com")
        assert last is not None
        [given] = assignments(tx, last.id)
    assert (given.by, given.reason.partition(" (")[0]) == ("boss@example.com", "they are ours")
