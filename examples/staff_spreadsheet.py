"""The example's staff files, as an HR department would send them.

`staff.xlsx` holds 250 people below two lines of headings, in the mixture of German and English that such
files have; seven rows are wrong, each in another way (`MISTAKES`). `staff-second.csv` is a later list of
changes. Run it as `python -m examples.staff_spreadsheet [folder]`.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from examples import UNLINKED_TECHNICIAN
from examples.company import AS_OF, DOMAIN, Person, people

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell, MergedCell
    from openpyxl.worksheet.worksheet import Worksheet

STAFF = "staff.xlsx"
CHANGES = "staff-second.csv"

COLUMNS = (
    "Personalnummer",
    "Vorname",
    "Nachname",
    "E-Mail",
    "Niederlassung",
    "Team",
    "Profile",
    "Data access level",
    "Techniker-Nr.",
    "Start date",
    "Kostenstelle",
    "Bemerkung",
)
HEADER_ROW = 4
FIRST_ROW = HEADER_ROW + 1

Value = str | int | datetime | None


@dataclass(frozen=True, slots=True)
class Mistake:
    """The person of an employee number has this in that column instead of what is right."""

    employee_number: int
    column: str
    value: Value
    what: str


def _mistakes() -> tuple[Mistake, ...]:
    """Every mistake is in a row of its own; what is doubled is doubled from a row further up."""
    readers = [person for person in people() if person.profile == "read-only"]
    hamburg = next(person for person in readers if person.branch == "hamburg")
    doubled_email, doubled_number, no_email, bad_email, unknown_profile = readers[20:70:10]
    technician = next(person for person in people() if person.technician_id == "T-0060")
    dispatchers = [person for person in people() if person.profile == "dispatcher"]
    return (
        Mistake(hamburg.employee_number, "Niederlassung", "Hambrug", "unknown branch"),
        Mistake(unknown_profile.employee_number, "Profile", "Lagerlogistik", "unknown profile"),
        Mistake(doubled_email.employee_number, "E-Mail", dispatchers[0].email, "e-mail address of an earlier row"),
        Mistake(
            doubled_number.employee_number,
            "Personalnummer",
            dispatchers[2].employee_number,
            "employee number of an earlier row",
        ),
        Mistake(no_email.employee_number, "E-Mail", None, "no e-mail address"),
        Mistake(bad_email.employee_number, "E-Mail", f"vertretung(at){DOMAIN}", "not an e-mail address"),
        Mistake(
            technician.employee_number, "Data access level", "Global", "more data access than the profile has"
        ),
    )


MISTAKES = _mistakes()

_BRANCHES = {
    "hamburg": ("Hamburg", "HAMBURG", "Niederlassung Hamburg"),
    "berlin": ("Berlin", "Berlin ", "Niederlassung Berlin"),
    "leipzig": ("Leipzig", "leipzig", "Niederlassung Leipzig"),
    "koeln": ("Köln", "Koeln", "Cologne"),
    "muenchen": ("München", "MUENCHEN", "Munich"),
}
_TEAMS = {
    "heizung": ("Heizung", "Heating", "Heizungstechnik"),
    "klima": ("Klima", "Air Conditioning", "Kältetechnik"),
    "elektro": ("Elektro", "Electrical", "Elektrotechnik"),
    "aufzug": ("Aufzug", "Elevators", "Aufzugstechnik"),
    "sanitaer": ("Sanitär", "Plumbing", "Sanitaer"),
}
_PROFILES = {
    "administrator": ("Administrator", "Admin", "Administrator"),
    "manager": ("Manager", "Niederlassungsleitung", "Manager"),
    "accountant": ("Buchhaltung", "Accountant", "Buchhaltung"),
    "dispatcher": ("Disponent", "Dispatcher", "Disponentin"),
    "technician": ("Techniker", "Technician", "Monteur"),
    "read-only": ("Nur Lesen", "Read-Only", "nur lesen"),
}
_LEVELS = {"global": ("Global", "Alle", "global"), "team": ("Team", "team", "Gruppe")}
_COST_CENTRES = {"technician": "4100", "dispatcher": "4200", "accountant": "7100"}
_REMARKS = {11: "Elternzeit bis 31.12.", 42: "works council", 77: "befristet"}


def write_staff(path: Path) -> None:
    """Write the workbook. Its cells are the same every time; dates of the file itself are those of AS_OF."""
    workbook = Workbook()
    sheet: Worksheet = workbook.worksheets[0]
    sheet.title = "Personal"
    _write_headings(sheet)
    for position, person in enumerate(people()):
        for column, value in enumerate(staff_row(person, position), start=1):
            cell: Cell | MergedCell = sheet.cell(FIRST_ROW + position, column, value)
            if isinstance(value, datetime):
                cell.number_format = "DD.MM.YYYY"
            elif isinstance(value, int):
                cell.number_format = "00000"
    sheet.freeze_panes = f"A{FIRST_ROW}"
    sheet.auto_filter.ref = f"A{HEADER_ROW}:{get_column_letter(len(COLUMNS))}{HEADER_ROW + len(people())}"
    workbook.properties.creator = "Personalabteilung"
    workbook.properties.created = datetime.combine(AS_OF, time())
    workbook.save(path)


def staff_row(person: Person, position: int) -> list[Value]:
    """One person as the file spells them. Every third employee number is a number that only looks like five
    digits, the others are texts; people write the same branch in different ways."""
    style = position % 3
    number = person.employee_number
    remark = _REMARKS.get(position)
    row: dict[str, Value] = {
        "Personalnummer": number if style == 1 else f"{number:05d}",
        "Vorname": person.given_name,
        "Nachname": person.family_name,
        "E-Mail": person.email if position % 10 else person.email.capitalize(),
        "Niederlassung": _BRANCHES[person.branch][style],
        "Team": _TEAMS[person.team.partition("-")[2]][style] if person.team else None,
        "Profile": _PROFILES[person.profile][style],
        "Data access level": _LEVELS[person.data_access][style] if person.data_access else None,
        "Techniker-Nr.": None if person.technician_id == UNLINKED_TECHNICIAN else person.technician_id,
        "Start date": _start(person, position),
        "Kostenstelle": _COST_CENTRES.get(person.profile, "9000"),
        "Bemerkung": remark,
    }
    row |= {wrong.column: wrong.value for wrong in MISTAKES if wrong.employee_number == number}
    return [row[column] for column in COLUMNS]


def _start(person: Person, position: int) -> Value:
    """Mostly a date; here and there somebody has typed one as a text."""
    if position % 25 == 7:
        return f"{person.started_on:%d.%m.%Y}"
    return datetime.combine(person.started_on, time())


def _write_headings(sheet: Worksheet) -> None:
    """Two lines that belong to no column, an empty one, and the header in row 4."""
    last = get_column_letter(len(COLUMNS))
    heading = sheet.cell(1, 1, "Nordwind Gebäudetechnik GmbH · Personalliste / Staff list")
    heading.font = Font(bold=True, size=14)
    heading.alignment = Alignment(horizontal="center")
    sheet.merge_cells(f"A1:{last}1")
    sheet.cell(2, 1, f"Stand: {AS_OF:%d.%m.%Y} · vertraulich")
    for column, title in enumerate(COLUMNS, start=1):
        title_cell = sheet.cell(HEADER_ROW, column, title)
        title_cell.font = Font(bold=True)
        title_cell.fill = PatternFill("solid", fgColor="DDE6F0")
        sheet.column_dimensions[get_column_letter(column)].width = 38 if title == "E-Mail" else 20


def changes() -> Sequence[Sequence[str]]:
    """A later list: somebody moves, is promoted, marries, sees more, stays the same, and one is new."""
    by_number = {person.employee_number: person for person in people()}
    wrong = {mistake.employee_number for mistake in MISTAKES}
    good = [person for number, person in by_number.items() if number not in wrong]
    readers = [person for person in good if person.profile == "read-only"]
    mover, married, wider, same = readers[1], readers[2], readers[3], readers[4]
    promoted = next(person for person in good if person.profile == "dispatcher")

    def line(person: Person, **other: str) -> list[str]:
        said = {
            "name": person.full_name,
            "email": person.email,
            "branch": _BRANCHES[person.branch][0],
            "profile": _PROFILES[person.profile][0],
            "level": "",
        } | other
        return [f"{person.employee_number:05d}", *said.values()]

    return (
        ("Personal-Nr.", "Mitarbeiter", "E-Mail-Adresse", "Standort", "Rolle", "Datenzugriff"),
        line(mover, branch="Köln" if mover.branch != "koeln" else "Leipzig"),
        line(promoted, profile="Niederlassungsleitung"),
        line(married, name=f"{married.given_name} Weißenfels-Grün"),
        line(wider, level="Global"),
        line(same),
        ("00990", "Öykü Schönfeld", f"oeykue.schoenfeld@{DOMAIN}", "München", "Disponentin", ""),
    )


def write_changes(path: Path) -> None:
    """Semicolons and Windows-1252, as a German Excel saves a .csv."""
    with path.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows(changes())


def main(folder: Path) -> None:
    write_staff(folder / STAFF)
    write_changes(folder / CHANGES)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
