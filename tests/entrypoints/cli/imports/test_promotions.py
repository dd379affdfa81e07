"""A staff file that gives people more than they had: shown without being asked, held where it is much (E7, F2)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from sync.entrypoints.cli import app
from sync.entrypoints.cli.imports import imports
from sync.entrypoints.cli.runs import runs
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.systems import Systems
from sync.store.accounts import accounts
from tests.commands.imports.import_sites import import_site, person, staff_file
from tests.entrypoints.cli.conftest import Run, SitDown, done, told

READERS = [person(number, Profil="Nur Lesen") for number in range(1, 31)]
KEEPS_ACCOUNTS = "able to keep accounts, or to see the whole company beyond what their profile has by default"


@pytest.fixture
def systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systems]:
    """What every command of a test gets."""
    with import_site(f"sqlite:///{tmp_path / 'our.db'}") as made:
        for module in (imports, runs):
            monkeypatch.setattr(module, "open_desk", lambda: made)
        yield made


@pytest.fixture
def run(systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sit_down: SitDown) -> Run:
    """Runs one command line of login 41001 in an own folder."""
    assert systems
    monkeypatch.chdir(tmp_path)
    sit_down(41001)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def review(run: Run) -> Callable[..., str]:
    """Reviews a file of these people. Returns what was said."""

    def reviewed(*people: dict[str, str], options: tuple[str, ...] = ()) -> str:
        Path("staff.csv").write_bytes(staff_file(*people))
        return done(run("import", "review", "staff.csv", *options))

    return reviewed


@pytest.fixture
def confirm(run: Run, systems: Systems) -> Callable[[], Result]:
    """Confirms the newest review, and the workers do what they may."""

    def confirmed() -> Result:
        said = run("import", "confirm", "last", "--yes", "--no-wait")
        while apply_chunk(systems):
            pass
        return said

    return confirmed


@pytest.fixture
def company(review: Callable[..., str], confirm: Callable[[], Result]) -> None:
    """Thirty who may read only."""
    review(*READERS)
    assert confirm().exit_code == 0


def profiles(systems: Systems) -> list[str]:
    with systems.db.read() as tx:
        found = [accounts.by_login(tx, f"pat{number}@example.com") for number in range(1, 31)]
    return sorted({each.profile for each in found if each is not None})


@pytest.mark.req("E7", "F2")
@pytest.mark.usefixtures("company")
@pytest.mark.parametrize("many", [1, 30])
def test_people_made_administrators_are_shown_and_held(
    systems: Systems, run: Run, review: Callable[..., str], confirm: Callable[[], Result], many: int
) -> None:
    """From the first one on. The review shows each of them, what kind of change it is, and that it waits;
    applied is nothing before somebody else has approved it."""
    said = review(*(each | {"Profil": "Administrator"} for each in READERS[:many]), *READERS[many:])
    assert said.count("profile: read-only → administrator") == many
    assert "Number30" not in said or many == 30
    assert f"{KEEPS_ACCOUNTS} {many}" in " ".join(said.split())
    assert "able to do or see more" in said
    reason = f"{'1 account' if many == 1 else f'{many} accounts'} would be {KEEPS_ACCOUNTS}: more than none"
    assert reason in said
    held = confirm()
    assert (held.exit_code, reason in held.output) == (1, True)
    assert profiles(systems) == ["read-only"]
    shown = done(run("runs", "show", "last"))
    assert shown.count("profile: read-only → administrator") == many


@pytest.mark.req("E7", "F2")
@pytest.mark.supports("A5")
@pytest.mark.usefixtures("company")
@pytest.mark.parametrize(
    ("joiner", "kinds"),
    [
        ({"Profil": "Dispatcher"}, []),
        ({"Profil": "Buchhaltung"}, []),
        ({"Profil": "Nur Lesen", "Datenzugriff": "Personal"}, []),
        ({"Profil": "Techniker", "Datenzugriff": "Branch"}, None),
        ({"Profil": "Techniker", "Team": "Heizung", "Datenzugriff": "Team"}, ["promoted"]),
        ({"Profil": "Manager", "Datenzugriff": "Global"}, ["privileged", "promoted"]),
        ({"Profil": "Administrator"}, ["privileged", "promoted"]),
        ({"Profil": "Administrator", "Datenzugriff": "Branch"}, ["privileged", "promoted"]),
    ],
)
def test_a_joiner_with_more_than_the_profiles_default_is_shown(
    run: Run,
    review: Callable[..., str],
    confirm: Callable[[], Result],
    joiner: dict[str, str],
    kinds: list[str] | None,
) -> None:
    """Held from the first on are an administering profile and global access that the profile has not by default;
    the accountant's global access is the default."""
    Path("staff.csv").write_bytes(staff_file(person(77, **joiner)))
    said = run("import", "review", "staff.csv")
    if kinds is None:
        assert (said.exit_code, "more than profile Technician may have" in said.output) == (1, True), said.output
        return
    [row] = json.loads(run("import", "show", "last", "--json").output)["rows"]
    assert row["effects"] == kinds
    assert ("able to do or see more" in said.output) is bool(kinds)
    assert confirm().exit_code == (1 if "privileged" in kinds else 0)


@pytest.mark.req("E7", "F2")
@pytest.mark.usefixtures("company")
def test_many_who_see_more_are_held_as_many_who_see_less(
    review: Callable[..., str], confirm: Callable[[], Result]
) -> None:
    """A few pass; a large part of the company does not."""
    wider = [each | {"Profil": "Buchhaltung"} for each in READERS]
    review(*wider[:1])
    assert confirm().exit_code == 0
    assert "30 accounts" not in review(*wider[1:9])
    said = review(*wider[1:])
    assert "29 accounts would be able to do or see more: 96 % of 30 active ones, more than 10 %" in said


@pytest.mark.req("E7", "F2")
def test_the_first_import_of_an_empty_database_is_shown_and_not_held(
    systems: Systems, run: Run, review: Callable[..., str], confirm: Callable[[], Result]
) -> None:
    """There is nobody yet who could approve it. The next one is held."""
    first = (person(1, Profil="Administrator"), person(2, Profil="Manager", Datenzugriff="Global"), person(3))
    said = review(*first)
    assert "profile: administrator" in said
    assert "data_access: global" in said
    assert "Number3" not in said
    assert "needs an approval" not in said
    assert confirm().exit_code == 0
    assert "needs an approval" in review(*first, person(4, Profil="Administrator"))
    assert confirm().exit_code == 1
    assert [each["state"] for each in told(run, "runs", "list")] == ["held", "done"]
    assert systems


@pytest.mark.req("E7", "F3")
@pytest.mark.usefixtures("company")
def test_the_counts_before_the_question_say_what_kinds_there_are(run: Run, review: Callable[..., str]) -> None:
    """`confirm` asks with the same summary: what was overlooked at the review is seen again."""
    review(*(each | {"Profil": "Administrator"} for each in READERS[:2]))
    asked = CliRunner().invoke(app, ["import", "confirm", "last"], input="n\n")
    assert KEEPS_ACCOUNTS in asked.output
    assert "needs an approval" in asked.output
    assert told(run, "runs", "list", "--limit", "1")[0]["state"] == "reviewed"
