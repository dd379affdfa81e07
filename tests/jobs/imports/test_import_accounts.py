"""From a staff file to accounts in Keycloak: review, confirmation, chunks, and what happens in between."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from mappings import Policy
from sync.commands.imports.confirm import cancel, confirm
from sync.commands.imports.review import ImportOptions, review
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.errors import NeedsPerson, Refused, Transient
from sync.domain.work.lane import Lane
from sync.jobs import imports
from sync.jobs.mail import send_some
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.systems import Systems
from sync.spreadsheet.limits import FileRefused
from sync.store.accounts import accounts, passwords
from sync.store.accounts.listing import list_accounts
from sync.store.accounts.query import AccountQuery
from sync.store.audit.timeline import read_timeline
from sync.store.database.transactions import Tx
from sync.store.runs import progress as run_progress
from sync.store.runs import run_rows, runs
from sync.store.runs.runs import Run
from sync.views.runs import find_run
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
from tests.fakes.accounts import FakeAccounts
from tests.fakes.mailer import FakeMailer
from tests.fakes.signals import FakeWake


@pytest.fixture
def systems(database_url: str) -> Iterator[Systems]:
    """Systems on an empty database of each kind, with two technicians."""
    with import_site(database_url, technicians=("T-1", "T-2")) as made:
        yield made


def usernames(systems: Systems) -> list[str]:
    with systems.db.read() as tx:
        page = list_accounts(tx, Scope.all(), AccountQuery(limit=10_000))
    return [listed.account.username for listed in page.items]


def results(systems: Systems, run: Run) -> list[str | None]:
    with systems.db.read() as tx:
        return [row.result for row in run_rows.rows(tx, run.id)]


@pytest.mark.supports("F2")
def test_review_changes_nothing_and_says_everything(systems: Systems) -> None:
    """Counts, verdict and cell-by-cell findings of each row are kept; no account is touched."""
    found = review(
        systems,
        staff_file(person(1), person(2, Niederlassung="Hamburk"), person(1)),
        "staff.csv",
        BY,
        ImportOptions(),
    )
    assert found.run.counts == {"create": 1, "update": 0, "unchanged": 0, "error": 2, "warning": 1}
    assert [row.verdict for row in found.rows] == ["create", "error", "error"]
    assert "did you mean 'Hamburg'?" in str(found.rows[1].messages)
    assert found.rows[1].original["F"] == "Hamburk"
    assert found.run.options["read_as"] == "csv, utf-8, semicolon-separated"
    assert usernames(systems) == []
    with systems.db.read() as tx:
        assert run_rows.rows(tx, found.run.id) == found.rows
        assert runs.get(tx, found.run.id) == found.run


@pytest.mark.supports("F3", "F4", "B1", "F7")
def test_confirmed_import_reaches_keycloak_and_the_post(systems: Systems) -> None:
    """Joiners are created once, with a password that is sealed until the mail has left."""
    run = imported(systems, person(1), person(2))
    assert usernames(systems) == ["pat1@example.com", "pat2@example.com"]
    assert isinstance(systems.wake, FakeWake)
    assert Lane.BULK in systems.wake.woken
    with systems.db.read() as tx:
        progress = run_progress.progress(tx, run.id)
        timeline = read_timeline(tx, run_rows.rows(tx, run.id)[0].account_id or "")
        [entry] = [each for each in timeline if each.kind == "asked"]
    assert (progress.state, progress.applied, progress.places["in Keycloak"]) == ("done", 2, 2)
    assert progress.finished
    assert (entry.actor, entry.door) == ("kim", "command line, import")
    assert f"new season (import of staff.csv, run {run.id})" in entry.reason
    assert isinstance(systems.accounts, FakeAccounts)
    [user] = [each for each in systems.accounts.users.values() if each.username == "pat1@example.com"]
    assert "/fsm/profiles/dispatcher" in user.groups
    while send_some(systems):
        pass
    assert isinstance(systems.mailer, FakeMailer)
    assert sorted(message.to for message in systems.mailer.sent) == ["pat1@example.com", "pat2@example.com"]


@pytest.mark.supports("B1")
def test_without_welcome_mail_nobody_gets_a_password(systems: Systems) -> None:
    """The choice of the review is what is applied."""
    imported(systems, person(1), welcome_mail=False)
    with systems.db.read() as tx:
        account = accounts.by_login(tx, "pat1@example.com")
        assert account is not None
        assert passwords.kept(tx, account.id, systems.clock.now()) is None
    assert send_some(systems) == 0


@pytest.mark.supports("F2", "F9")
def test_second_import_of_the_same_file_changes_nothing(systems: Systems) -> None:
    """Every row is unchanged, and there is nothing to confirm."""
    imported(systems, person(1), person(2))
    again = reviewed(systems, person(1), person(2))
    assert again.counts == {"create": 0, "update": 0, "unchanged": 2, "error": 0, "warning": 0}
    with pytest.raises(Refused, match="nothing to apply"):
        confirm(systems, again.id, BY)


@pytest.mark.supports("F5")
def test_rows_with_errors_do_not_stop_the_others(systems: Systems) -> None:
    """The good rows are applied; the wrong ones stay in the run."""
    run = imported(systems, person(1), person(2, Profil="Zauberer"), person(3))
    assert usernames(systems) == ["pat1@example.com", "pat3@example.com"]
    assert results(systems, run) == ["applied", None, "applied"]


@pytest.mark.supports("F5")
def test_an_unforeseen_error_stays_with_its_row(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours in one row neither undoes the others nor stops the lane for ever."""
    real = imports.create_all

    def create_all(tx: Tx, policy: Policy, joiners: Any, *rest: Any, **options: Any) -> tuple[Account, ...]:
        made = real(tx, policy, joiners, *rest, **options)
        if any(new.given_name == "Bad" for new, _ in joiners):
            raise LookupError("nobody thought of this")
        return made

    monkeypatch.setattr(imports, "create_all", create_all)
    run = imported(systems, person(1), person(2, Vorname="Bad"))
    assert usernames(systems) == ["pat1@example.com"]
    with systems.db.read() as tx:
        [row] = [row for row in run_rows.rows(tx, run.id) if row.result == "failed"]
    assert "LookupError" in (row.result_message or "")
    assert apply_chunk(systems) == 0


@pytest.mark.supports("F5")
def test_all_or_nothing_applies_nothing_when_one_row_is_refused(systems: Systems) -> None:
    """What changed between confirmation and chunk stops every row; the run says which one it was."""
    imported(systems, person(1))
    run = reviewed(systems, person(1, Niederlassung="Köln"), person(2), all_or_nothing=True)
    confirm(systems, run.id, BY)
    move(systems, "pat1@example.com", "berlin")
    assert apply_chunk(systems) == 0
    assert state(systems, run) == "refused"
    assert results(systems, run) == ["refused", None]
    assert usernames(systems) == ["pat1@example.com"]
    assert apply_chunk(systems) == 0


@pytest.mark.supports("F3", "F4")
def test_row_whose_account_changed_after_the_confirmation_is_refused_alone(systems: Systems) -> None:
    """Within a run only the rows whose accounts changed are refused, and they say so
    (rule: approve-a-fingerprint)."""
    imported(systems, person(1), person(2))
    run = reviewed(systems, person(1, Niederlassung="Köln"), person(2, Niederlassung="Köln"))
    confirm(systems, run.id, BY)
    move(systems, "pat1@example.com", "berlin")
    assert apply_chunk(systems) == 2
    assert results(systems, run) == ["refused", "applied"]
    assert (branch_of(systems, "pat1@example.com"), branch_of(systems, "pat2@example.com")) == ("berlin", "koeln")
    with systems.db.read() as tx:
        assert "changed by somebody else since the review" in str(run_rows.rows(tx, run.id)[0].result_message)


@pytest.mark.supports("F4", "H1")
def test_workers_share_a_run_without_doubling_it(systems: Systems) -> None:
    """Three workers at one import: every person exactly once."""
    run = reviewed(systems, *(person(number) for number in range(1, 41)))
    confirm(systems, run.id, BY)
    start = threading.Barrier(3)

    def work() -> None:
        start.wait(20)
        while state(systems, run) != "done":
            apply_chunk(systems, limit=3)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(usernames(systems)) == 40
    assert results(systems, run) == ["applied"] * 40


def _die_in_the_middle(database_url: str, after: int) -> None:
    """A worker that is killed while its transaction is open, after it has stored the rows of another chunk."""
    done = 0
    real = imports.create_all

    def create_and_die(*args: Any, **kwargs: Any) -> tuple[Account, ...]:
        nonlocal done
        made = real(*args, **kwargs)
        done += 1
        if done > after:
            os.kill(os.getpid(), signal.SIGKILL)
        return made

    imports.create_all = create_and_die  # type: ignore[assignment]
    with import_site(database_url) as systems:
        apply_chunk(systems, limit=4)
        apply_chunk(systems, limit=4)


@pytest.mark.supports("F4", "H1")
def test_killed_worker_loses_nothing_and_doubles_nothing(systems: Systems, database_url: str) -> None:
    """Killed in its second chunk: the first stands, the second is as if it had never begun, the rest follows."""
    run = reviewed(systems, *(person(number) for number in range(1, 11)))
    confirm(systems, run.id, BY)
    child = multiprocessing.get_context("spawn").Process(target=_die_in_the_middle, args=(database_url, 1))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert results(systems, run) == ["applied"] * 4 + [None] * 6
    assert len(usernames(systems)) == 4
    while apply_chunk(systems):
        pass
    assert results(systems, run) == ["applied"] * 10
    assert len(usernames(systems)) == 10
    assert state(systems, run) == "done"


@pytest.mark.supports("F4")
def test_cancelled_run_applies_nothing_more(systems: Systems) -> None:
    """What was applied stays, the rest never comes, and it cannot be cancelled twice."""
    run = reviewed(systems, *(person(number) for number in range(1, 7)))
    confirm(systems, run.id, BY)
    apply_chunk(systems, limit=2)
    assert cancel(systems, run.id, BY).state == "cancelled"
    assert apply_chunk(systems) == 0
    assert results(systems, run) == ["applied"] * 2 + [None] * 4
    with pytest.raises(Refused, match="is cancelled already"):
        cancel(systems, run.id, BY)
    with pytest.raises(Refused, match="is cancelled"):
        confirm(systems, run.id, BY)


@pytest.mark.supports("F4", "H2")
def test_progress_tells_waiting_from_keycloak_from_quarantine(systems: Systems) -> None:
    """Stored is not yet in Keycloak, and what needs a person is counted apart."""
    run = reviewed(systems, person(1), person(2))
    confirm(systems, run.id, BY)
    apply_chunk(systems)
    with systems.db.read() as tx:
        before = run_progress.progress(tx, run.id)
    assert (before.places["waiting"], before.finished, before.settled) == (2, False, 0)
    systems.bulk_accounts.fail_next(NeedsPerson("no"))  # type: ignore[attr-defined]
    while provision_some(systems, Lane.BULK):
        pass
    with systems.db.read() as tx:
        after = run_progress.progress(tx, run.id)
        placed = run_progress.places(tx, run.id)
    assert after.places["quarantined"] + after.places["in Keycloak"] == 2
    assert after.places["quarantined"] >= 1
    assert after.finished
    assert any(reason for place, reason in placed.values() if place == "quarantined")


@pytest.mark.supports("B2", "D2")
def test_technicians_are_checked_against_the_fsm_system(systems: Systems) -> None:
    """An unknown technician is an error with the nearest; an FSM system that cannot be asked stops the review."""
    found = reviewed(systems, person(1, **{"Techniker-ID": "T-1"}), person(2, **{"Techniker-ID": "T-9"}))
    assert found.counts["create"] == 1
    systems.field_service.down = True  # type: ignore[attr-defined]
    with pytest.raises(Transient):
        reviewed(systems, person(1, **{"Techniker-ID": "T-1"}))


@pytest.mark.supports("F2", "F8")
def test_file_that_cannot_be_read_stores_nothing(systems: Systems) -> None:
    """A missing column is a refusal of the file; no run is left behind."""
    with pytest.raises(FileRefused, match="no column for email"):
        review(systems, b"Profil;Niederlassung;Name\na;b;c\n", "x.csv", BY, ImportOptions())
    with pytest.raises(Refused, match="there is no run 'last'"):
        find_run(systems, Scope.all(), "last", "import")


def test_runs_are_found_by_what_people_type(systems: Systems) -> None:
    """The whole id, its end, or `last`."""
    first = reviewed(systems, person(1))
    systems.clock.advance(timedelta(seconds=1))  # type: ignore[attr-defined]
    second = reviewed(systems, person(1))
    assert find_run(systems, Scope.all(), first.id, "import") == first
    assert find_run(systems, Scope.all(), first.id[-8:].upper(), "import") == first
    assert find_run(systems, Scope.all(), "last", "import") == second
    with pytest.raises(Refused, match="no run 'abc'"):
        find_run(systems, Scope.all(), "abc", "import")
