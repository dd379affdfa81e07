"""Who may drop an import: whoever made or confirmed it, and whoever could confirm what is left of it (I4)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.commands.accounts.change import create
from sync.commands.imports.confirm import cancel, confirm
from sync.commands.perform import perform
from sync.commands.run_kinds import approve
from sync.domain.access.callers import Person
from sync.domain.access.cause import Cause, Door
from sync.domain.accounts.change import NewAccount
from sync.domain.errors import NotAllowed, Refused
from sync.domain.provisioning.aspect import Aspect, Deviation
from sync.jobs.drift.hand_over import hand_over
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.systems import Systems
from sync.store.accounts import accounts
from sync.store.drift import findings
from sync.store.drift.findings import Subject
from sync.store.runs import runs
from tests.callers import BY, allowed
from tests.claiming import JOB
from tests.commands.imports.import_sites import POLICY, import_site, move, person, reviewed, state

pytestmark = pytest.mark.supports("I4", "F4")


@pytest.fixture
def systems(tmp_path: Path) -> Iterator[Systems]:
    with import_site(f"sqlite:///{tmp_path / 'our.db'}") as made:
        yield made


def joined(systems: Systems, name: str, level: str | None, profile: str = "administrator") -> Cause:
    new = NewAccount(f"{name}@example.com", name, "Admin", profile, "hamburg", data_access=level)
    made = perform(systems, lambda tx: create(tx, POLICY, new, BY, systems.clock.now()), wakes=None)
    return Cause(Person(made.id, made.username), Door.CONSOLE, "the wrong file")


@pytest.fixture
def hamburg(systems: Systems) -> Cause:
    """Who administers Hamburg; somebody else administers everything."""
    joined(systems, "boss", None)
    return joined(systems, "ada", "branch")


def test_who_holds_all_its_rows_drops_what_somebody_else_has_confirmed(systems: Systems, hamburg: Cause) -> None:
    """Joiners and people who are there already."""
    first = reviewed(systems, person(1))
    confirm(systems, first.id, BY)
    while apply_chunk(systems):
        pass
    run = reviewed(systems, person(1, Nachname="Other"), person(2))
    confirm(systems, run.id, BY)
    assert cancel(systems, run.id, hamburg).state == "cancelled"
    assert apply_chunk(systems) == 0


def test_one_row_elsewhere_keeps_it(systems: Systems, hamburg: Cause) -> None:
    """A joiner of another branch, or somebody who is there; the row is named."""
    run = reviewed(systems, person(1), person(2, Niederlassung="Köln"))
    with pytest.raises(NotAllowed, match=r"row 4: branch .*not your branch"):
        cancel(systems, run.id, hamburg)
    first = reviewed(systems, person(3))
    confirm(systems, first.id, BY)
    while apply_chunk(systems):
        pass
    move(systems, "pat3@example.com", "koeln")
    back = reviewed(systems, person(3))
    with pytest.raises(NotAllowed, match=r"row 3: branch .*not your branch"):
        cancel(systems, back.id, hamburg)
    assert (state(systems, run), state(systems, back)) == ("reviewed", "reviewed")


def test_whoever_made_it_drops_it_whatever_its_rows_have_become(systems: Systems, hamburg: Cause) -> None:
    """Ada's people were moved elsewhere meanwhile; what she began she may still stop, and nobody below her."""
    first = reviewed(systems, person(1))
    confirm(systems, first.id, BY)
    while apply_chunk(systems):
        pass
    run = confirm_as(systems, hamburg, person(1, Nachname="Other"))
    move(systems, "pat1@example.com", "koeln")
    other = joined(systems, "eve", "branch")
    with pytest.raises(NotAllowed):
        cancel(systems, run, other)
    with pytest.raises(NotAllowed, match="user-management"):
        cancel(systems, run, joined(systems, "tom", None, "dispatcher"))
    assert cancel(systems, run, hamburg).state == "cancelled"


def confirm_as(systems: Systems, by: Cause, *people: dict[str, str]) -> str:
    """Reviewed by a login, confirmed by somebody."""
    run = reviewed(systems, *people)
    return confirm(systems, run.id, by).id


def test_it_drops_imports_alone(systems: Systems, hamburg: Cause) -> None:
    """A run of repairs whose accounts are all in the branch is none."""
    with systems.db.write() as tx:
        account = accounts.by_login(tx, "ada@example.com")
        assert account is not None
        subject = Subject(account.id, account.username, account.id, "kc-1")
        drift = Deviation(Aspect.BRANCH, "hamburg", "koeln")
        found = findings.found(tx, JOB, subject, drift, "repair", systems.clock.now())
        hand_over(tx, POLICY, [found], systems.clock.now())
        [repair] = runs.recent(tx, 10, "repair")
    with pytest.raises(Refused, match="there is no run"):
        cancel(systems, repair.id, hamburg)


def test_dropping_is_no_approving(systems: Systems, hamburg: Cause) -> None:
    """That takes the whole company, as before."""
    run = reviewed(systems, person(1))
    with systems.db.write() as tx:
        runs.hold(tx, run.id, ("too much",), allowed())
    with pytest.raises(NotAllowed, match="whole company"):
        approve(systems, run.id, hamburg, run.fingerprint)
    assert cancel(systems, run.id, hamburg).state == "cancelled"
