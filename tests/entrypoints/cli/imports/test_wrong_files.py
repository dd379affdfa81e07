"""Files that are not as the import wants them: what is said is true, and mends them (F1, F2, F5)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.commands.imports.import_sites import person
from tests.entrypoints.cli.imports.conftest import Run, staff

pytestmark = pytest.mark.req("F1", "F2", "I3")


def renamed(people: Sequence[dict[str, str]], **titles: str) -> list[dict[str, str]]:
    """The same people under other titles."""
    return [{titles.get(title, title): text for title, text in each.items()} for each in people]


def errors_of(run: Run, row: int = 0) -> list[str]:
    shown = json.loads(run("show", "last", "--json").output)["rows"][row]
    return [f"{each['reason']} ({each['remedy']})" for each in shown["errors"]]


@pytest.mark.req("E4")
def test_dates_that_cannot_be_are_errors_of_their_row(run: Run, tmp_path: Path) -> None:
    """A last day that is over, and one before the first; the others of the file are taken."""
    rows = [
        person(1, Eintritt="2027-01-31", Austritt=""),
        person(2, Eintritt="", Austritt="2020-12-31"),
        person(3, Eintritt="2027-02-01", Austritt="2027-01-31"),
    ]
    assert run("review", staff(tmp_path, *rows)).exit_code == 1
    assert errors_of(run) == []
    assert errors_of(run, 1) == ["valid until 2020-12-31 is over (nobody needs the account; or mend the date)"]
    assert errors_of(run, 2) == ["2027-01-31 is before the start 2027-02-01 (swap the dates)"]


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_the_errors_file_of_columns_named_by_hand_is_imported_as_it_is(
    run: Run, tmp_path: Path, suffix: str
) -> None:
    """Columns that had to be named have a title that the import knows, with their own beside it; one that was left
    out, or meant otherwise, is so again."""
    people = renamed(
        [person(1, Profil="Dispatchr", Notiz="n", Login="left out", Rolle="x")],
        **{"E-Mail": "Post (neu)", "Vorname": "Wie genannt", "Profil": "Rang", "Rolle": "Team"},
    )
    by_hand = ("Post (neu)=email", "Wie genannt=given_name", "Rang=profile", "Login=", "Team=")
    asked = [part for each in by_hand for part in ("--map", each)]
    assert run("review", staff(tmp_path, *people), *asked).exit_code == 1
    first = json.loads(run("show", "last", "--json").output)["run"]["options"]["fields"]
    assert run("errors", "last", "-o", f"errors.{suffix}").exit_code == 0
    again = run("review", f"errors.{suffix}")
    assert "'Dispatchr' is unknown" in again.output, again.output
    shown = json.loads(run("show", "last", "--json").output)["run"]["options"]
    assert (shown["fields"], shown["titles"]["D"]) == (first, "E-mail (Post neu)")
    assert "not used: Login" in shown["titles"].values()


def test_an_unknown_title_is_answered_with_how_to_name_it(run: Run, tmp_path: Path) -> None:
    """Also where no title of the file is near what is missing, and where none is known at all."""
    far = staff(tmp_path, *renamed([person(1)], Niederlassung="Haus"))
    assert "no column for branch" in run("review", far).output
    assert "say which one it is: --map 'Title=branch'" in run("review", far).output
    (tmp_path / "none.csv").write_text("Uno;Dos\n1;2\n", "utf-8")
    assert "--map 'Title=field' for each" in run("review", "none.csv").output


def test_a_team_beside_a_wrong_branch_is_not_answered_with_itself(run: Run, tmp_path: Path) -> None:
    """The branch is what is wrong; without any branch it is said which teams are called so."""
    run("review", staff(tmp_path, person(1, Niederlassung="Hamburk", Team="Heizung")))
    assert errors_of(run) == ["'Hamburk' is unknown (did you mean 'Hamburg'?)"]
    run("review", staff(tmp_path, person(1, Niederlassung="Hamburk", Team="Heizunk")))
    assert [each.partition(" is")[0] for each in errors_of(run)] == ["'Hamburk'", "'Heizunk'"]
    run("review", staff(tmp_path, person(1, Niederlassung="", Team="Heizung")))
    told = errors_of(run)
    assert len(told) == 2
    assert any(
        "'Heizung' is a team of several branches (name the branch, or write one of " in each for each in told
    )


@pytest.mark.parametrize(
    "last",
    [{"Personalnr.": "Summe"}, {"Vorname": "Summe", "E-Mail": "2"}, {"Personalnr.": "Stand: Mai", "Profil": "2"}],
)
def test_a_sum_row_is_one_error(run: Run, tmp_path: Path, last: dict[str, str]) -> None:
    """It is no person, and the others are not kept from anything."""
    run("review", staff(tmp_path, person(1), person(2), dict.fromkeys(person(1), "") | last))
    [told] = errors_of(run, 2)
    assert told.startswith("says too little of a person: no ")
    assert told.endswith("(fill it in; leave the row out if it is a sum or a remark)")
    counts = json.loads(run("show", "last", "--json").output)["run"]["counts"]
    assert (counts["create"], counts["error"]) == (2, 1)
