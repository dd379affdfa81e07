"""An import that takes too much is held, shown, and approved by its fingerprint or rejected."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from sync.commands.accounts.change import change
from sync.commands.imports.confirm import cancel, confirm
from sync.commands.imports.review import ImportOptions, review
from sync.commands.perform import perform
from sync.commands.run_kinds import approve, reject
from sync.domain.access.callers import Machine
from sync.domain.accounts.change import AccountChange
from sync.domain.errors import Refused
from sync.domain.work.lane import Lane
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.systems import Systems
from sync.store.accounts import accounts
from sync.store.database.tables import audit
from sync.store.runs import run_rows, runs
from sync.store.runs.runs import Run
from tests.callers import machine, wanted_by
from tests.commands.imports.import_sites import BY, import_site, person, staff_file

LEE = wanted_by("lee", "the branch has closed")
PEOPLE = 12


@pytest.fixture
def systems(database_url: str) -> Iterator[Systems]:
    """A company of twelve, all in one branch."""
    with import_site(database_url) as made:
        confirm(made, reviewed(made, "Hamburg").id, BY)
        while apply_chunk(made):
            pass
        yield made


def reviewed(systems: Systems, branch: str, people: int = PEOPLE) -> Run:
    staff = staff_file(*(person(number, Niederlassung=branch) for number in range(1, people + 1)))
    return review(systems, staff, "staff.csv", BY, ImportOptions()).run


def held(systems: Systems) -> Run:
    """Everybody moves."""
    return confirm(systems, reviewed(systems, "Köln").id, BY)


def branches(systems: Systems) -> set[str | None]:
    with systems.db.read() as tx:
        found = [accounts.by_login(tx, f"pat{number}@example.com") for number in range(1, PEOPLE + 1)]
    return {account.branch for account in found if account is not None}


@pytest.mark.supports("E7")
def test_an_import_that_moves_everybody_is_held_with_the_reason(systems: Systems) -> None:
    """The review says so before; confirmed it is held, and no worker applies a row of it."""
    run = reviewed(systems, "Köln")
    [reason] = run.options["will_be_held"]
    assert "12 accounts would be moved to another branch or team: 100 % of 12 active ones" in reason
    stopped = confirm(systems, run.id, BY)
    assert (stopped.state, stopped.held_reasons, stopped.confirmed_at) == ("held", (reason,), None)
    assert apply_chunk(systems) == 0
    assert branches(systems) == {"hamburg"}
    with pytest.raises(Refused, match="is held already"):
        confirm(systems, run.id, BY)


@pytest.mark.supports("E7")
def test_joiners_and_few_changes_are_not_held(systems: Systems) -> None:
    """An ordinary season: forty new people and a few who move."""
    run = confirm(systems, reviewed(systems, "Hamburg", people=52).id, BY)
    assert run.state == "confirmed"
    while apply_chunk(systems):
        pass
    assert confirm(systems, reviewed(systems, "Köln", people=5).id, BY).state == "confirmed"


@pytest.mark.supports("E7")
def test_a_file_cut_in_pieces_is_one_change_of_many(systems: Systems) -> None:
    """Each piece is below the limits; together they move a fifth of the company. Somebody else's next one is not
    held for it, whatever they are called."""
    confirm(systems, reviewed(systems, "Hamburg", people=60).id, BY)
    while apply_chunk(systems):
        pass
    pieces = [
        review(
            systems,
            staff_file(*(person(number, Niederlassung="Köln") for number in some)),
            "staff.csv",
            BY,
            ImportOptions(),
        ).run
        for some in (range(1, 7), range(7, 13), range(13, 19))
    ]
    by_another_name = replace(BY, caller=Machine(machine("kim").number, "kim-2", "another-host"))
    assert confirm(systems, pieces[0].id, by_another_name).state == "confirmed"
    second = confirm(systems, pieces[1].id, BY)
    assert second.state == "held"
    assert second.held_reasons is not None
    assert "12 accounts within an hour would be moved to another branch or team: 20 %" in second.held_reasons[0]
    namesake = replace(LEE, caller=Machine(machine("lee").number, "kim", "host-of-the-test"))
    assert confirm(systems, pieces[2].id, namesake).state == "confirmed"
    reject(systems, second.id, LEE)


@pytest.mark.supports("E7", "G1")
def test_approved_by_its_fingerprint_it_goes_on(systems: Systems) -> None:
    """Who approved it, and why, is kept beside who confirmed it."""
    run = held(systems)
    approved = approve(systems, run.id, LEE, run.fingerprint[:12])
    assert (approved.state, approved.confirmation, approved.approval) == ("confirmed", BY, LEE)
    while apply_chunk(systems):
        pass
    assert branches(systems) == {"koeln"}
    with pytest.raises(Refused, match="was approved by lee already and is done"):
        approve(systems, run.id, LEE, run.fingerprint)


@pytest.mark.supports("E7")
@pytest.mark.parametrize(("plan", "said"), [("0" * 12, "is not 000000000000, it is"), ("", "too short")])
def test_another_plan_is_not_approved(systems: Systems, plan: str, said: str) -> None:
    """Only what somebody looked at."""
    run = held(systems)
    with pytest.raises(Refused, match=said):
        approve(systems, run.id, LEE, plan)
    assert apply_chunk(systems) == 0


@pytest.mark.supports("E7", "G1")
def test_nobody_decides_about_a_held_run_without_a_reason(systems: Systems) -> None:
    """Neither way; it waits on."""
    run = held(systems)
    silent = replace(LEE, reason=" ")
    with pytest.raises(Refused, match="reason: is missing"):
        approve(systems, run.id, silent, run.fingerprint)
    with pytest.raises(Refused, match="reason: is missing"):
        reject(systems, run.id, silent)
    with systems.db.read() as tx:
        waiting = runs.get(tx, run.id)
    assert waiting is not None
    assert waiting.state == "held"


@pytest.mark.supports("E7")
def test_a_plan_of_other_mapping_files_is_not_approved(systems: Systems) -> None:
    """What the rows mean may have become different."""
    run = held(systems)
    other = replace(systems, policy=replace(systems.policy, fingerprint="other"))
    with pytest.raises(Refused, match="the mapping files have changed since the review"):
        approve(other, run.id, LEE, run.fingerprint)


@pytest.mark.supports("E7", "F3")
def test_of_an_approved_run_only_the_changed_accounts_are_refused(systems: Systems) -> None:
    """Somebody was changed by hand while the run waited (rule: approve-a-fingerprint)."""
    run = held(systems)
    with systems.db.read() as tx:
        account = accounts.by_login(tx, "pat3@example.com")
    assert account is not None
    by_hand = AccountChange(branch="berlin")
    perform(
        systems,
        lambda tx: change(tx, systems.policy, account.id, by_hand, BY, systems.clock.now()),
        wakes=Lane.INTERACTIVE,
    )
    approve(systems, run.id, LEE, run.fingerprint)
    while apply_chunk(systems):
        pass
    assert branches(systems) == {"koeln", "berlin"}
    with systems.db.read() as tx:
        assert [row.result for row in run_rows.rows(tx, run.id)].count("refused") == 1


@pytest.mark.supports("E7")
def test_of_two_approvals_at_once_one_counts(systems: Systems) -> None:
    """The other is told who was first."""
    run = held(systems)
    start = threading.Barrier(3)
    said: list[str] = []

    def run_it(name: str) -> None:
        start.wait(20)
        try:
            said.append(approve(systems, run.id, replace(LEE, caller=machine(name)), run.fingerprint).state)
        except Refused as refused:
            said.append(str(refused))

    threads = [threading.Thread(target=run_it, args=(name,)) for name in ("ann", "bob", "cat")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert said.count("confirmed") == 1
    assert sum("was approved by" in each for each in said) == 2
    with systems.db.read() as tx:
        kept = tx.connection.scalars(select(audit.c.action).where(audit.c.correlation_id == run.id))
        assert len([action for action in kept if action.startswith("approve")]) == 1


@pytest.mark.supports("E7")
def test_rejected_nothing_of_it_is_applied(systems: Systems) -> None:
    """It ends; the file can be reviewed again. Cancelling does the same."""
    run = held(systems)
    assert reject(systems, run.id, LEE).state == "cancelled"
    assert apply_chunk(systems) == 0
    with pytest.raises(Refused, match="is cancelled, not held"):
        approve(systems, run.id, LEE, run.fingerprint)
    again = held(systems)
    assert cancel(systems, again.id, BY).state == "cancelled"
