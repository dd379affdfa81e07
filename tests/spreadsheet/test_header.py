"""The row of titles is found below other rows, columns are known by their titles in two languages (F1)."""

from __future__ import annotations

import pytest

from mappings.import_columns import ImportColumn
from sync.domain.imports.row import Cell
from sync.spreadsheet.header import StaffList, find_columns
from sync.spreadsheet.limits import FileRefused
from sync.spreadsheet.sheet import Sheet, SheetRow, Source, column_letters

KNOWN = (
    ImportColumn("email", True, {"en": ("E-mail", "Mail address"), "de": ("E-Mail-Adresse",)}),
    ImportColumn("given_name", False, {"en": ("First name",), "de": ("Vorname",)}),
    ImportColumn("family_name", False, {"en": ("Last name", "Surname"), "de": ("Nachname",)}),
    ImportColumn("full_name", False, {"en": ("Full name", "Name")}),
    ImportColumn("employee_number", False, {"en": ("Employee number",), "de": ("Personalnr.", "Personalnummer")}),
    ImportColumn("hired_on", False, {"en": ("Start",), "de": ("Eintritt",)}),
)


def sheet(*rows: list[str]) -> Sheet:
    return Sheet(
        Source("csv", "", "0"),
        tuple(
            SheetRow(
                number,
                {
                    column: Cell(f"{column_letters(column)}{number}", text)
                    for column, text in enumerate(row, start=1)
                    if text
                },
            )
            for number, row in enumerate(rows, start=1)
            if any(row)
        ),
    )


def addresses(staff: StaffList) -> dict[str, str]:
    return {field: cell.address for field, cell in staff.columns.items()}


@pytest.mark.supports("F1")
def test_header_is_found_below_title_rows() -> None:
    """Title rows and an empty row above the header are passed over; titles of both languages count."""
    staff = find_columns(
        sheet(
            ["Start of the list: Personalnr."],
            [],
            ["PERSONAL-NR", "Full\nname", "e mail adresse*", "Eintritt (TT.MM.JJJJ)", "Notiz"],
            ["007", "James Bond", "b@example.com", "", "x"],
        ),
        KNOWN,
    )
    assert staff.header_row == 3
    assert addresses(staff) == {"employee_number": "A3", "full_name": "B3", "email": "C3", "hired_on": "D3"}
    assert [cell.text for cell in staff.ignored] == ["Notiz"]
    assert staff.rows[0].text("employee_number") == "007"
    assert staff.rows[0].cells["hired_on"] == Cell("D4", "")


@pytest.mark.supports("F1")
@pytest.mark.parametrize("key", ["Nr (alt)", "A"])
def test_columns_named_by_hand_win(key: str) -> None:
    """A title or a column letter can be given a field."""
    staff = find_columns(
        sheet(["Nr (alt)", "Name", "E-mail"], ["1", "B", "b@example.com"]), KNOWN, {key: "employee_number"}
    )
    assert addresses(staff)["employee_number"] == "A1"


@pytest.mark.supports("F1")
def test_a_column_can_be_left_out_by_hand() -> None:
    """Of two columns that mean the same, one is named as the one to leave out."""
    rows = sheet(["E-mail", "Mail address", "Name"], ["a@example.com", "b@example.com", "B"])
    with pytest.raises(FileRefused, match=r"A1 .*B1 .*both mean email.*--map B="):
        find_columns(rows, KNOWN)
    assert addresses(find_columns(rows, KNOWN, {"B": ""}))["email"] == "A1"


@pytest.mark.supports("F1", "F2")
@pytest.mark.parametrize(
    ("rows", "by_hand", "said"),
    [
        ([["Name", "Personalnr", "E-Mial"], ["a"]], {}, "no column for email.*C1.*--map 'E-Mial'=email"),
        ([["Name", "Personalnr", "Phone"], ["a"]], {}, "no column for email .*'E-mail'.*it has 'Name'"),
        ([["Surname", "E-mail", "Start"], ["a"]], {}, "no column for given_name .*'First name' or 'Vorname'"),
        ([["a", "b"], ["c", "d"]], {}, "column titles.*row 1 begins 'a', 'b'"),
        ([["Name", "E-mail"]], {}, "no row below"),
        ([["Name", "E-mail"], ["a", "b"]], {"Name": "familyname"}, "did you mean 'family_name'"),
        ([["Name", "E-mail"], ["a", "b"]], {"Nr": "employee_number"}, "no column 'nr'"),
    ],
)
def test_what_is_missing_is_named(rows: list[list[str]], by_hand: dict[str, str], said: str) -> None:
    """The refusal names what was looked for, what is there, and what is nearest."""
    with pytest.raises(FileRefused, match=said):
        find_columns(sheet(*rows), KNOWN, by_hand)


@pytest.mark.supports("F1")
def test_name_beside_first_name_is_the_family_name() -> None:
    """German lists title the family name `Name` when there is a `Vorname`."""
    staff = find_columns(sheet(["Name", "Vorname", "E-mail"], ["Muster", "Anna", "a@example.com"]), KNOWN)
    assert (staff.rows[0].text("family_name"), staff.rows[0].text("given_name")) == ("Muster", "Anna")
