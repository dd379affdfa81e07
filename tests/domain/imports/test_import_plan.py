"""What an import would do to whom, decided from plain values (F2, F3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from sync.domain.accounts.account import Account, Life
from sync.domain.imports.match import World
from sync.domain.imports.plan import ImportPlan, plan_import
from sync.domain.imports.row import Cell, ImportRow
from sync.domain.imports.verdict import RowVerdict, changes_record, new_account
from tests.domain.imports.import_rows import POLICY, THEN, account, only, plan, row, said, world

ANNA: Mapping[str, str] = {
    "employee_number": "00123",
    "given_name": "Anna",
    "family_name": "Muster",
    "email": "anna.muster@example.com",
    "profile": "Disponentin",
    "branch": "Hamburg",
}


@pytest.mark.supports("F2", "A2")
def test_joiner_is_created() -> None:
    """Titles become keys, the zeros stay, the e-mail address is the username."""
    planned = only(row(5, ANNA))
    assert planned.verdict is RowVerdict.CREATE
    assert planned.new is not None
    stored = planned.new.account("x", THEN)
    assert (stored.username, stored.employee_number) == ("anna.muster@example.com", "00123")
    assert (stored.profile, stored.branch) == ("dispatcher", "hamburg")
    assert (planned.account_id, planned.base_version, planned.errors, planned.warnings) == (None, None, (), ())


@pytest.mark.supports("F2")
def test_known_person_is_updated_with_differences() -> None:
    """Only what differs is in the plan, with before and after and the version it was decided on."""
    planned = only(row(5, {**ANNA, "branch": "Köln", "profile": ""}), known=world(account()))
    assert planned.verdict is RowVerdict.UPDATE
    assert planned.changed == {"branch": ("hamburg", "koeln")}
    assert planned.change is not None
    assert planned.change.applied_to(account()) == account(branch="koeln")
    assert (planned.account_id, planned.base_version) == ("id-1", 3)


@pytest.mark.supports("A5", "F2")
def test_a_ceiling_that_was_lowered_stops_no_other_change() -> None:
    """The file says what is stored already; asked for anew it is an error."""
    had = account(data_access="global")
    planned = only(row(5, {**ANNA, "data_access": "Global", "branch": "Köln"}), known=world(had))
    assert planned.changed == {"branch": ("hamburg", "koeln")}
    anew = only(row(5, {**ANNA, "data_access": "Global"}), known=world(account()))
    assert anew.verdict is RowVerdict.ERROR


@pytest.mark.supports("F2")
def test_empty_cells_change_nothing_and_a_dash_takes_away() -> None:
    """A missing value is not a wish to lose it; a dash is."""
    had = account(team="hamburg-heizung", technician_id="T-1")
    unchanged = only(row(5, {**ANNA, "team": "", "technician_id": ""}), known=world(had))
    assert unchanged.verdict is RowVerdict.UNCHANGED
    taken = only(row(5, {**ANNA, "team": "–", "technician_id": "-"}), known=world(had))
    assert taken.changed == {"team": ("hamburg-heizung", None), "technician_id": ("T-1", None)}


@pytest.mark.supports("A2", "F2")
def test_a_name_composed_otherwise_is_unchanged() -> None:
    """Files from a Mac, and files from Windows."""
    had = account(given_name="Zo\u00eb", employee_number="K\u00f6-1")
    same = only(row(5, {**ANNA, "given_name": "Zoe\u0308", "employee_number": "Ko\u0308-1"}), known=world(had))
    assert (same.verdict, same.changed, same.warnings) == (RowVerdict.UNCHANGED, {}, ())


@pytest.mark.supports("A2", "F2", "F8")
@pytest.mark.parametrize("field", [name for name in ANNA if name != "employee_number"])
def test_what_nobody_sees_in_a_cell_is_left_out_and_said(field: str) -> None:
    """The joiner is who she looks like; the second time nothing is to be done."""
    dirty = row(5, {**ANNA, field: f"\u202e{ANNA[field][:2]}\u200b{ANNA[field][2:]}\u00ad"})
    planned = only(dirty)
    assert planned.verdict is RowVerdict.CREATE, said(planned)
    assert planned.new == only(row(5, ANNA)).new
    [warning] = planned.warnings
    assert str(warning).endswith("5: a character that cannot be seen is left out: U+202E, U+200B, U+00AD")
    assert only(dirty, known=world(account())).verdict is RowVerdict.UNCHANGED


WRONG = [
    ({"branch": "Hambourg"}, "F5: 'Hambourg' is unknown (did you mean 'Hamburg'?)"),
    ({"profile": "Disponet"}, "E5: 'Disponet' is unknown (did you mean 'Disponent'?)"),
    ({"email": "anna(at)example.com"}, "D5: 'anna(at)example.com' is not an e-mail address"),
    ({"email": "anna@m\u00fcller.example"}, "D5: the domain 'm\u00fcller.example' is not in its ASCII form"),
    ({"email": "o'neil@example.com"}, "D5: username has what Keycloak refuses in usernames: '"),
    ({"username": "\u0430nna"}, "K5: username has what Keycloak refuses in usernames: U+0430 CYRILLIC SMALL"),
    ({"family_name": "x" * 300}, "C5: family name is longer than 255 characters: it has 300"),
    ({"email": ""}, "D5: the e-mail is missing (fill it in)"),
    ({"family_name": ""}, "C5: family name is missing"),
    ({"branch": ""}, "F5: the branch is missing"),
    ({"data_access": "Global"}, "H5: Global is more than profile Dispatcher may have (at most Branch)"),
    ({"data_access": "Team"}, "data access Team needs a team"),
    ({"team": "Aufzug"}, "G5: 'Aufzug' is unknown (known are Elektro, Heizung, Klima)"),
    ({"team": "berlin-aufzug"}, "G5: team 'berlin-aufzug' belongs to branch 'berlin'"),
    ({"valid_from": "03/01/2026"}, "J5: '03/01/2026' is not a date (write it like 2026-03-01 or 01.03.2026)"),
    ({"valid_from": "31.02.2026"}, "J5: '31.02.2026' is not a date"),
    ({"technician_id": "T-9"}, "I5: there is no technician 'T-9' (did you mean 'T-1'?)"),
]


@pytest.mark.supports("F2", "A5")
@pytest.mark.parametrize(("texts", "message"), WRONG, ids=[next(iter(each[0])) for each in WRONG])
def test_error_names_the_cell_and_the_remedy(texts: dict[str, str], message: str) -> None:
    """One wrong cell is one error, at its address, with what would mend it."""
    planned = only(row(5, {**ANNA, **texts}), known=world(technicians=frozenset({"T-1"})))
    assert planned.verdict is RowVerdict.ERROR
    assert planned.new is None
    assert [message in str(error) for error in planned.errors].count(True) == 1, said(planned)
    assert len(planned.errors) == 1, said(planned)


@pytest.mark.supports("F8")
def test_cell_that_could_not_be_read_is_an_error() -> None:
    """An error value in a cell that matters stops the row, not the file."""
    broken = row(5, ANNA)
    broken = ImportRow(5, {**broken.cells, "branch": Cell("F5", "#N/A", "shows the error #N/A")})
    planned = plan(broken, row(6, {**ANNA, "email": "b@example.com", "employee_number": "2"})).rows
    assert [each.verdict for each in planned] == [RowVerdict.ERROR, RowVerdict.CREATE]
    assert [str(error) for error in planned[0].errors] == ["F5: shows the error #N/A"]


@pytest.mark.supports("F2", "A2")
@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"employee_number": "777"}, "D6: e-mail 'anna.muster@example.com' is also in D5"),
        ({"email": "b@example.com", "family_name": "B"}, "A6: employee number '00123' is also in A5"),
        (
            {"employee_number": "7", "email": "b@example.com", "username": "Anna.Muster@example.com"},
            "K6: username 'anna.muster@example.com' is also in D5",
        ),
    ],
)
def test_of_two_rows_for_one_person_the_first_counts(texts: dict[str, str], message: str) -> None:
    """The later row is an error that names the earlier; the earlier is applied, with a warning."""
    first, second = plan(row(5, ANNA), row(6, {**ANNA, **texts})).rows
    assert first.verdict is RowVerdict.CREATE
    assert "left out" in said(first)
    assert second.verdict is RowVerdict.ERROR
    assert message in said(second)


@pytest.mark.supports("B2")
def test_one_technician_for_two_people_is_an_error() -> None:
    """In the file, and against the account that has the technician already."""
    known = world(account(technician_id="T-1"), technicians=frozenset({"T-1", "T-2"}))
    bert = {
        **ANNA,
        "employee_number": "2",
        "email": "bert@example.com",
        "given_name": "Bert",
        "family_name": "Boss",
    }
    first, second, third = plan(
        row(5, {**bert, "technician_id": "T-1"}),
        row(
            6,
            {**bert, "employee_number": "3", "email": "c@example.com", "family_name": "C", "technician_id": "T-2"},
        ),
        row(
            7,
            {**bert, "employee_number": "4", "email": "d@example.com", "family_name": "D", "technician_id": "T-2"},
        ),
        known=known,
    ).rows
    assert "I5: technician 'T-1' is linked to Anna Muster" in said(first)
    assert second.verdict is RowVerdict.CREATE
    assert "I7: technician id 'T-2' is also in I6" in said(third)


@pytest.mark.supports("A2", "F2")
@pytest.mark.parametrize(
    ("texts", "others", "message"),
    [
        (
            {"email": "otto@example.com"},
            [account(2, username="otto@example.com", email="otto@example.com", employee_number="2")],
            "D5: otto@example.com belongs to Anna Muster (otto@example.com), A5 to Anna Muster",
        ),
        ({"employee_number": "777"}, [], "with employee number '00123', A5 says '777'"),
        (
            {"email": "otto@example.com", "given_name": "Otto", "family_name": "Other"},
            [],
            "employee number '00123' belongs to Anna Muster (anna.muster@example.com), but name and login",
        ),
    ],
    ids=["two candidates", "number contradicts", "number of somebody else"],
)
def test_contradiction_is_an_error(texts: dict[str, str], others: list[Account], message: str) -> None:
    """No account is taken over by an e-mail address or a mistyped number."""
    planned = only(row(5, {**ANNA, **texts}), known=world(account(), *others))
    assert planned.verdict is RowVerdict.ERROR
    assert message in said(planned)


@pytest.mark.supports("A2")
@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"email": "am@example.com", "employee_number": "2"}, "same name in the same branch"),
        (
            {"email": "anna.muster@example.org", "employee_number": "2", "branch": "Köln"},
            "same e-mail address in another domain",
        ),
    ],
)
def test_likely_second_account_is_a_warning(texts: dict[str, str], message: str) -> None:
    """Against existing accounts and within the file: it is created, and said."""
    again = {**ANNA, **texts}
    assert message in said(only(row(5, again), known=world(account())))
    second = only(row(5, ANNA), row(6, again))
    assert second.verdict is RowVerdict.CREATE
    assert f"row 5 has the {message}" in said(second)


@pytest.mark.supports("F2")
def test_recognised_by_e_mail_alone_is_said() -> None:
    """An account without employee number gets the row's number, and the person sees it."""
    planned = only(row(5, {**ANNA, "family_name": "Neu"}), known=world(account(employee_number=None)))
    assert planned.changed == {"family_name": ("Muster", "Neu"), "employee_number": (None, "00123")}
    assert "recognised by anna.muster@example.com alone" in said(planned)
    assert "the row says 'Anna Neu'" in said(planned)


def test_inactive_account_stays_inactive() -> None:
    """An import brings nobody back; it says that it did not."""
    planned = only(row(5, ANNA), known=world(account(life=Life.INACTIVE)))
    assert planned.verdict is RowVerdict.UNCHANGED
    assert "is inactive and stays so" in said(planned)


@pytest.mark.supports("B3")
def test_technician_without_link_is_flagged() -> None:
    """A field worker nobody can give work to is seen in the review."""
    planned = only(row(5, {**ANNA, "profile": "Techniker"}))
    assert planned.verdict is RowVerdict.CREATE
    assert "no work order can be assigned" in said(planned)


@pytest.mark.parametrize(
    ("full_name", "given", "family"),
    [
        ("Anna Muster", "Anna", "Muster"),
        ("Muster, Anna", "Anna", "Muster"),
        ("Ludwig van Gogh", "Ludwig", "van Gogh"),
        ("Anna Maria Muster", "Anna Maria", "Muster"),
    ],
)
def test_full_name_is_split(full_name: str, given: str, family: str) -> None:
    """Both ways of writing a name, and the words a family name begins with."""
    texts = {name: text for name, text in ANNA.items() if name not in {"given_name", "family_name"}}
    planned = only(row(5, {**texts, "full_name": full_name}))
    assert planned.new is not None
    assert (planned.new.given_name, planned.new.family_name) == (given, family)


def test_name_split_otherwise_is_no_change() -> None:
    """A full name that reads the same changes nothing."""
    texts = {name: text for name, text in ANNA.items() if name not in {"given_name", "family_name"}}
    had = account(given_name="Anna Maria von", family_name="Muster")
    planned = only(row(5, {**texts, "full_name": "Muster, Anna Maria von"}), known=world(had))
    assert planned.verdict is RowVerdict.UNCHANGED


@pytest.mark.supports("F3")
@pytest.mark.parametrize(
    "other",
    [
        plan(row(5, {**ANNA, "branch": "Köln"}), known=world(account())),
        plan(row(6, ANNA), known=world(account())),
        plan(row(5, ANNA), known=World({"id-1": account()}, {"id-1": 4})),
        plan(row(5, ANNA), known=world(account(life=Life.INACTIVE))),
        plan(row(5, ANNA)),
        plan_import([row(5, ANNA)], world(account()), replace(POLICY, fingerprint="other")),
    ],
    ids=["change", "row", "version", "warning", "verdict", "policy"],
)
def test_fingerprint_covers_everything_decided(other: ImportPlan) -> None:
    """Whatever a person would see differently is another plan."""
    assert other.fingerprint != plan(row(5, ANNA), known=world(account())).fingerprint


def test_date_of_a_joiner_survives_its_record() -> None:
    """Dates are dates again when the row is applied."""
    planned = only(row(5, {**ANNA, "valid_from": "01.03.2026"}))
    assert new_account(json.loads(json.dumps(changes_record(planned)))).valid_from == date(2026, 3, 1)
