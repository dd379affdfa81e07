"""What an import would do to whom, decided from plain values (F2, F3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mappings
from sync.domain.account import Account, Life
from sync.domain.import_match import World
from sync.domain.import_plan import ImportPlan, plan_import
from sync.domain.import_row import Cell, ImportRow
from sync.domain.import_verdict import (
    PlannedRow,
    Verdict,
    account_change,
    changes_record,
    findings,
    messages_record,
    new_account,
)

POLICY = mappings.load()
THEN = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = (
    "employee_number", "given_name", "family_name", "email", "profile", "branch", "team", "data_access",
    "technician_id", "valid_from", "username", "full_name",
)  # fmt: skip
ANNA: Mapping[str, str] = {
    "employee_number": "00123",
    "given_name": "Anna",
    "family_name": "Muster",
    "email": "anna.muster@example.com",
    "profile": "Disponentin",
    "branch": "Hamburg",
}


def row(number: int, texts: Mapping[str, str], order: tuple[str, ...] = COLUMNS) -> ImportRow:
    """A row whose columns stand in the order given, addressed accordingly."""
    return ImportRow(
        number,
        {
            field: Cell(f"{chr(65 + order.index(field))}{number}", texts[field])
            for field in order
            if field in texts
        },
    )


def account(number: int = 1, **values: Any) -> Account:
    """Anna's account, as her row would create it."""
    return replace(
        Account(
            id=f"id-{number}",
            username="anna.muster@example.com",
            email="anna.muster@example.com",
            given_name="Anna",
            family_name="Muster",
            profile="dispatcher",
            branch="hamburg",
            team=None,
            data_access=None,
            technician_id=None,
            employee_number="00123",
            life=Life.ACTIVE,
            created_at=THEN,
        ),
        **values,
    )


def world(*accounts: Account, technicians: frozenset[str] | None = None) -> World:
    return World({each.id: each for each in accounts}, {each.id: 3 for each in accounts}, technicians)


def plan(*rows: ImportRow, known: World | None = None) -> ImportPlan:
    return plan_import(rows, known or world(), POLICY)


def only(*rows: ImportRow, known: World | None = None) -> PlannedRow:
    return plan(*rows, known=known).rows[-1]


def said(planned: PlannedRow) -> str:
    return "\n".join(str(finding) for finding in (*planned.errors, *planned.warnings))


@pytest.mark.req("F2", "A2")
def test_joiner_is_created() -> None:
    """Titles become keys, the zeros stay, the e-mail address is the username."""
    planned = only(row(5, ANNA))
    assert planned.verdict is Verdict.CREATE
    assert planned.new is not None
    stored = planned.new.account("x", THEN)
    assert (stored.username, stored.employee_number) == ("anna.muster@example.com", "00123")
    assert (stored.profile, stored.branch) == ("dispatcher", "hamburg")
    assert (planned.account_id, planned.base_version, planned.errors, planned.warnings) == (None, None, (), ())


@pytest.mark.req("F2")
def test_known_person_is_updated_with_differences() -> None:
    """Only what differs is in the plan, with before and after and the version it was decided on."""
    planned = only(row(5, {**ANNA, "branch": "Köln", "profile": ""}), known=world(account()))
    assert planned.verdict is Verdict.UPDATE
    assert planned.differences == {"branch": ("hamburg", "koeln")}
    assert planned.change is not None
    assert planned.change.applied_to(account()) == account(branch="koeln")
    assert (planned.account_id, planned.base_version) == ("id-1", 3)


@pytest.mark.req("F2")
def test_empty_cells_change_nothing_and_a_dash_takes_away() -> None:
    """A missing value is not a wish to lose it; a dash is."""
    had = account(team="hamburg-heizung", technician_id="T-1")
    unchanged = only(row(5, {**ANNA, "team": "", "technician_id": ""}), known=world(had))
    assert unchanged.verdict is Verdict.UNCHANGED
    taken = only(row(5, {**ANNA, "team": "–", "technician_id": "-"}), known=world(had))
    assert taken.differences == {"team": ("hamburg-heizung", None), "technician_id": ("T-1", None)}


WRONG = [
    ({"branch": "Hambourg"}, "F5: 'Hambourg' is unknown (did you mean 'Hamburg'?)"),
    ({"profile": "Disponet"}, "E5: 'Disponet' is unknown (did you mean 'Disponent'?)"),
    ({"email": "anna(at)example.com"}, "D5: 'anna(at)example.com' is not an e-mail address"),
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


@pytest.mark.req("F2", "A5")
@pytest.mark.parametrize(("texts", "message"), WRONG, ids=[next(iter(each[0])) for each in WRONG])
def test_error_names_the_cell_and_the_remedy(texts: dict[str, str], message: str) -> None:
    """One wrong cell is one error, at its address, with what would mend it."""
    planned = only(row(5, {**ANNA, **texts}), known=world(technicians=frozenset({"T-1"})))
    assert planned.verdict is Verdict.ERROR
    assert planned.new is None
    assert [message in str(error) for error in planned.errors].count(True) == 1, said(planned)
    assert len(planned.errors) == 1, said(planned)


@pytest.mark.req("F8")
def test_cell_that_could_not_be_read_is_an_error() -> None:
    """An error value in a cell that matters stops the row, not the file."""
    broken = row(5, ANNA)
    broken = ImportRow(5, {**broken.cells, "branch": Cell("F5", "#N/A", "shows the error #N/A")})
    planned = plan(broken, row(6, {**ANNA, "email": "b@example.com", "employee_number": "2"})).rows
    assert [each.verdict for each in planned] == [Verdict.ERROR, Verdict.CREATE]
    assert [str(error) for error in planned[0].errors] == ["F5: shows the error #N/A"]


@pytest.mark.req("F2", "A2")
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
    assert first.verdict is Verdict.CREATE
    assert "left out" in said(first)
    assert second.verdict is Verdict.ERROR
    assert message in said(second)


@pytest.mark.req("B2")
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
    assert second.verdict is Verdict.CREATE
    assert "I7: technician id 'T-2' is also in I6" in said(third)


@pytest.mark.req("A2", "F2")
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
    assert planned.verdict is Verdict.ERROR
    assert message in said(planned)


@pytest.mark.req("A2")
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
    assert second.verdict is Verdict.CREATE
    assert f"row 5 has the {message}" in said(second)


@pytest.mark.req("F2")
def test_recognised_by_e_mail_alone_is_said() -> None:
    """An account without employee number gets the row's number, and the person sees it."""
    planned = only(row(5, {**ANNA, "family_name": "Neu"}), known=world(account(employee_number=None)))
    assert planned.differences == {"family_name": ("Muster", "Neu"), "employee_number": (None, "00123")}
    assert "recognised by anna.muster@example.com alone" in said(planned)
    assert "the row says 'Anna Neu'" in said(planned)


def test_inactive_account_stays_inactive() -> None:
    """An import brings nobody back; it says that it did not."""
    planned = only(row(5, ANNA), known=world(account(life=Life.INACTIVE)))
    assert planned.verdict is Verdict.UNCHANGED
    assert "is inactive and stays so" in said(planned)


@pytest.mark.req("B3")
def test_technician_without_link_is_flagged() -> None:
    """A field worker nobody can give work to is seen in the review."""
    planned = only(row(5, {**ANNA, "profile": "Techniker"}))
    assert planned.verdict is Verdict.CREATE
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
    assert planned.verdict is Verdict.UNCHANGED


@pytest.mark.req("F3")
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


_PEOPLE = st.fixed_dictionaries(
    {},
    optional={
        "employee_number": st.sampled_from(["", "001", "002", "003"]),
        "given_name": st.sampled_from(["", "Anna", "Bert", "Zoë-Lou"]),
        "family_name": st.sampled_from(["Muster", "von Holt", "O'Neil"]),
        "full_name": st.sampled_from(["", "Muster, Anna", "Bert von Holt"]),
        "email": st.sampled_from(["a@example.com", "B@example.com", "c@example.org", "broken", ""]),
        "username": st.sampled_from(["", "anna", "bert", "a@example.com"]),
        "profile": st.sampled_from(["Dispatcher", "techniker", "Manager", "Unknown", ""]),
        "branch": st.sampled_from(["Köln", "Hamburg", "BERLIN", ""]),
        "team": st.sampled_from(["Heizung", "", "-"]),
        "data_access": st.sampled_from(["", "Team", "Branch", "-"]),
        "technician_id": st.sampled_from(["", "T-1", "T-2", "-"]),
        "valid_from": st.sampled_from(["", "2026-03-01", "01.04.2026", "-"]),
    },
)
_FILES = st.lists(_PEOPLE, min_size=1, max_size=6)
_WORLDS = st.lists(
    st.builds(
        account,
        st.integers(1, 3),
        username=st.sampled_from(["anna", "a@example.com"]),
        email=st.sampled_from(["a@example.com", "b@example.com"]),
        employee_number=st.sampled_from([None, "001"]),
        technician_id=st.sampled_from([None, "T-1"]),
    ),
    max_size=1,
).map(lambda accounts: world(*accounts))


def rows_of(people: list[dict[str, str]], order: tuple[str, ...] = COLUMNS) -> list[ImportRow]:
    return [row(number, texts, order) for number, texts in enumerate(people, start=5)]


@pytest.mark.req("F2")
@settings(max_examples=150, deadline=None)
@given(_FILES, _WORLDS, st.permutations(COLUMNS), st.randoms())
def test_order_of_columns_and_of_input_does_not_matter(
    people: list[dict[str, str]], known: World, order: list[str], chance: Any
) -> None:
    """The same people in other columns get the same verdicts and changes."""
    straight = plan_import(rows_of(people), known, POLICY)
    mixed = rows_of(people, tuple(order))
    chance.shuffle(mixed)
    other = plan_import(mixed, known, POLICY)
    assert [(each.verdict, each.new, each.change) for each in other.rows] == [
        (each.verdict, each.new, each.change) for each in straight.rows
    ]


@pytest.mark.req("F2", "F9")
@settings(max_examples=300, deadline=None)
@given(_FILES, _WORLDS)
def test_after_it_was_applied_every_row_is_unchanged(people: list[dict[str, str]], known: World) -> None:
    """The plan brings the world to what the file says: nothing is left to do the second time."""
    first = plan_import(rows_of(people), known, POLICY)
    accounts = dict(known.accounts)
    for each in first.rows:
        if each.new is not None:
            accounts[f"new-{each.number}"] = each.new.account(f"new-{each.number}", THEN)
        elif each.change is not None and each.account_id is not None:
            accounts[each.account_id] = each.change.applied_to(accounts[each.account_id])
    second = plan_import(rows_of(people), replace(known, accounts=accounts), POLICY)
    for before, after in zip(first.rows, second.rows, strict=True):
        if before.verdict is not Verdict.ERROR:
            assert after.verdict is Verdict.UNCHANGED, (before, after)


@pytest.mark.req("A2", "B2")
@settings(max_examples=300, deadline=None)
@given(_FILES, _WORLDS)
def test_applying_never_gives_two_people_the_same(people: list[dict[str, str]], known: World) -> None:
    """No two accounts of the resulting world share a login name, an employee number or a technician."""
    accounts = dict(known.accounts)
    for each in plan_import(rows_of(people), known, POLICY).rows:
        if each.new is not None:
            accounts[f"new-{each.number}"] = each.new.account(f"new-{each.number}", THEN)
        elif each.change is not None and each.account_id is not None:
            accounts[each.account_id] = each.change.applied_to(accounts[each.account_id])
    for keys in (
        [key for one in accounts.values() for key in {one.username, one.email}],
        [one.employee_number for one in accounts.values() if one.employee_number],
        [one.technician_id for one in accounts.values() if one.technician_id],
    ):
        assert len(keys) == len(set(keys))


@pytest.mark.req("F3")
@settings(max_examples=100, deadline=None)
@given(_FILES, _WORLDS)
def test_record_says_what_was_decided(people: list[dict[str, str]], known: World) -> None:
    """What comes back from the run's JSON is what the plan held."""
    for each in plan_import(rows_of(people), known, POLICY).rows:
        changes = json.loads(json.dumps(changes_record(each)))
        messages = json.loads(json.dumps(messages_record(each)))
        if each.new is not None:
            assert new_account(changes) == each.new
        if each.change is not None:
            assert account_change(changes) == each.change
        assert findings(messages, "errors") == each.errors
        assert findings(messages, "warnings") == each.warnings


def test_date_of_a_joiner_survives_its_record() -> None:
    """Dates are dates again when the row is applied."""
    planned = only(row(5, {**ANNA, "valid_from": "01.03.2026"}))
    assert new_account(json.loads(json.dumps(changes_record(planned)))).valid_from == date(2026, 3, 1)
