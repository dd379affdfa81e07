"""The staff files of the example: 250 people, seven wrong in seven ways, 243 good."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

import examples
from examples import BUSY_TECHNICIAN, FREE_TECHNICIAN, UNLINKED_TECHNICIAN
from examples.company import STAFF as HEADS
from examples.company import TEAMS, people
from examples.staff_spreadsheet import CHANGES, COLUMNS, FIRST_ROW, HEADER_ROW, MISTAKES, STAFF, main
from mappings import Policy, load
from sync.domain.accounts.attribute_values import parse_date
from sync.domain.imports.match import World
from sync.domain.imports.plan import ImportPlan, plan_import
from sync.spreadsheet.header import StaffList, find_columns
from sync.spreadsheet.reading import load_file, read_sheet

FOLDER = Path(examples.__file__).parent
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TECHNICIANS = frozenset(f"T-{number:04d}" for number in range(1, 121))


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load()


@pytest.fixture(scope="module")
def staff(policy: Policy) -> StaffList:
    """The committed workbook, read as an import reads it, without the dates that it does not take."""
    return find_columns(read_sheet(load_file(FOLDER / STAFF)), policy.import_columns, {"Start date": ""})


@pytest.fixture(scope="module")
def plan(staff: StaffList, policy: Policy) -> ImportPlan:
    return plan_import(staff.rows, World({}, {}, TECHNICIANS), policy)


def cells(path: Path) -> list[list[tuple[object, str]]]:
    """Every cell of a workbook's only sheet: value and number format."""
    sheet = openpyxl.load_workbook(path).worksheets[0]
    return [[(cell.value, cell.number_format) for cell in row] for row in sheet.iter_rows()]


def test_the_committed_files_are_what_the_example_writes(tmp_path: Path) -> None:
    """Whoever changes the example company writes the files again."""
    main(tmp_path)
    assert cells(tmp_path / STAFF) == cells(FOLDER / STAFF)
    assert (tmp_path / CHANGES).read_bytes() == (FOLDER / CHANGES).read_bytes()


@pytest.mark.supports("F1", "F8")
def test_it_looks_like_a_file_of_an_hr_department() -> None:
    """Headings above the header, a merged title, numbers that look like texts, dates, umlauts."""
    sheet = openpyxl.load_workbook(FOLDER / STAFF).worksheets[0]
    assert [str(each) for each in sheet.merged_cells.ranges] == ["A1:L1"]
    assert all(cell.value is None for cell in sheet[HEADER_ROW - 1])
    assert tuple(cell.value for cell in sheet[HEADER_ROW]) == COLUMNS
    numbers = [sheet.cell(row, 1) for row in range(FIRST_ROW, FIRST_ROW + len(people()))]
    kinds = Counter((type(cell.value), cell.number_format) for cell in numbers)
    assert kinds[int, "00000"] > 50
    assert kinds[str, "General"] > 100
    assert kinds.total() == 250
    assert all(re.fullmatch(r"0\d{4}", cell.value) for cell in numbers if isinstance(cell.value, str))
    assert sum(isinstance(sheet.cell(row, 10).value, datetime) for row in range(FIRST_ROW, FIRST_ROW + 250)) > 200


@pytest.mark.supports("F1", "F2")
def test_exactly_seven_rows_are_wrong_each_in_its_own_way(staff: StaffList, plan: ImportPlan) -> None:
    """And the other 243 would be created."""
    assert len(staff.rows) == 250
    assert plan.counts["create"] == 243
    wrong = {row.number: [error.reason for error in row.errors] for row in plan.rows if row.errors}
    assert [len(reasons) for reasons in wrong.values()] == [1] * 7
    assert sorted(reason for reasons in wrong.values() for reason in reasons) == sorted(
        [
            "'Hambrug' is unknown",
            "'Lagerlogistik' is unknown",
            "e-mail 'viktor.lehmann@nordwind.example.com' is also in D35",
            "employee number '00208' is also in A37",
            "the e-mail is missing",
            "'vertretung(at)nordwind.example.com' is not an e-mail address",
            "Global is more than profile Technician may have",
        ]
    )
    assert {
        FIRST_ROW + place for place, person in enumerate(people()) if person.employee_number in _wrong()
    } == set(wrong)


def _wrong() -> set[int]:
    return {mistake.employee_number for mistake in MISTAKES}


def test_the_wrong_rows_leave_the_people_of_the_demo_alone(plan: ImportPlan) -> None:
    """The administrator and the technicians that the demo names are among the good ones."""
    good = {row.login: row.new for row in plan.rows if row.new is not None}
    assert examples.ADMINISTRATOR in good
    by_technician = {new.technician_id: new for new in good.values()}
    assert by_technician[BUSY_TECHNICIAN].team == by_technician[FREE_TECHNICIAN].team == "hamburg-heizung"
    assert UNLINKED_TECHNICIAN not in by_technician


@pytest.mark.supports("F8")
def test_leading_zeros_and_dates_survive(plan: ImportPlan, staff: StaffList) -> None:
    """Everyone is read with five digits and the right day, whether the cell holds a number or a text."""
    expected = {person.email: (f"{person.employee_number:05d}", person.started_on) for person in people()}
    days = COLUMNS.index("Start date") + 1
    started = {row.number: parse_date(row.cells[days].text) for row in staff.sheet.rows if days in row.cells}
    read = {row.new.email.lower(): (row.new, started[row.number]) for row in plan.rows if row.new is not None}
    assert {email: (new.employee_number, day) for email, (new, day) in read.items()} == {
        email: expected[email] for email in read
    }


@pytest.mark.supports("B3")
def test_a_technician_without_a_record_is_flagged(plan: ImportPlan) -> None:
    """One account of the file has the profile for field work and no link."""
    flagged = [row for row in plan.rows if any(each.field == "technician_id" for each in row.warnings)]
    assert [row.who for row in flagged] == [
        person.full_name for person in people() if person.technician_id == UNLINKED_TECHNICIAN
    ]


def test_the_company_is_the_one_of_the_mappings(policy: Policy) -> None:
    """Same branches, same teams; every profile occurs, in believable numbers."""
    assert {key: tuple(team.key for team in branch.teams) for key, branch in policy.branches.items()} == TEAMS
    assert Counter(person.profile for person in people()) == HEADS
    assert HEADS.keys() == policy.profiles.keys()
    assert len(people()) == 250


@pytest.mark.supports("F1", "F2")
def test_the_second_file_changes_five_and_adds_one(plan: ImportPlan, policy: Policy) -> None:
    """Semicolons and Windows-1252; one of the five is as it was."""
    content = load_file(FOLDER / CHANGES)
    assert "Weißenfels-Grün".encode("cp1252") in content
    accounts = {
        f"account-{row.number}": row.new.account(f"account-{row.number}", LONG_AGO)
        for row in plan.rows
        if row.new is not None
    }
    changes = find_columns(read_sheet(content), policy.import_columns)
    second = plan_import(changes.rows, World(accounts, {}, TECHNICIANS), policy)
    assert {key: second.counts[key] for key in ("create", "update", "unchanged", "error")} == {
        "create": 1,
        "update": 4,
        "unchanged": 1,
        "error": 0,
    }
    changed = sorted(field for row in second.rows for field in row.changed)
    assert changed == ["branch", "data_access", "family_name", "profile"]
