"""An empty staff file with the right titles and drop-downs, made from the policy (F1).

What the import accepts and what the template offers come from the same mapping files.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from mappings.import_columns import FULL_NAME, ImportColumn
from mappings.policy import Policy
from sync.spreadsheet.limits import FileRefused
from sync.spreadsheet.sheet import column_letters

ROWS = 2_000
"""Rows that have drop-downs; the import takes many more."""

LEFT_OUT = frozenset({FULL_NAME})
"""The template keeps given and family name apart (A1)."""

_NOTES = {
    "username": "Empty: the e-mail address.",
    "data_access": "Empty: the profile's own level.",
    "valid_from": "The first day, like 2026-03-01. Empty: at once.",
    "valid_until": "The last day, like 2026-12-31. Empty: no end.",
    "technician_id": "The id of the technician record in the FSM system.",
}


def languages(policy: Policy) -> tuple[str, ...]:
    """The languages in which every column of the template has a title."""
    columns = [column for column in policy.staff_columns if column.field not in LEFT_OUT]
    return tuple(sorted(set.intersection(*(set(column.titles) for column in columns))))


def template(policy: Policy, language: str) -> bytes:
    """An .xlsx with a sheet to fill in and a hidden one with the choices. Raises FileRefused for a language
    that has no titles."""
    if language not in languages(policy):
        raise FileRefused(f"there are no column titles in {language!r}", f"choose {', '.join(languages(policy))}")
    columns = [column for column in policy.staff_columns if column.field not in LEFT_OUT]
    book = Workbook()
    page = book.worksheets[0]
    page.title = "Staff"
    lists = book.create_sheet("Lists")
    lists.sheet_state = "hidden"
    choices = _choices(policy)
    for number, column in enumerate(columns, start=1):
        _title(page, number, column, language)
        values = choices.get(column.field, ())
        if values or column.field in _NOTES:
            page.add_data_validation(_rule(lists, number, column, values, column.titles[language][0]))
    page.freeze_panes = "A2"
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _choices(policy: Policy) -> Mapping[str, Sequence[str]]:
    """Team keys, not titles: several branches have a team of the same name."""
    return {
        "profile": [profile.title for profile in policy.profiles.values()],
        "branch": [branch.title for branch in policy.branches.values()],
        "team": sorted(policy.teams),
        "data_access": [level.title for level in policy.data_access.values()],
        **{key: [names[0] for names in each.choices.values()] for key, each in policy.attributes.items()},
    }


def _title(page: Worksheet, number: int, column: ImportColumn, language: str) -> None:
    needed = column.required or column.field in {"given_name", "family_name"}
    cell = page.cell(1, number, column.titles[language][0] + (" *" if needed else ""))
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", fgColor="DDE6F0")
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    letters = column_letters(number)
    page.column_dimensions[letters].width = 24
    page.column_dimensions[letters].number_format = "@"


def _rule(
    lists: Worksheet, number: int, column: ImportColumn, values: Sequence[str], title: str
) -> DataValidation:
    """One rule a column, for Excel repairs files in which two overlap: a drop-down, a hint, or both."""
    letters = column_letters(number)
    rule = DataValidation(allow_blank=True)
    if values:
        for row, value in enumerate(values, start=1):
            lists.cell(row, number, value).data_type = "s"
        rule = DataValidation(
            type="list", formula1=f"Lists!${letters}$1:${letters}${len(values)}", allow_blank=True
        )
        rule.showErrorMessage = True
        rule.errorTitle, rule.error = "Unknown value", "Choose one of the list, or ask to have it added."
    if column.field in _NOTES:
        rule.showInputMessage, rule.promptTitle, rule.prompt = True, title, _NOTES[column.field]
    rule.add(f"{letters}2:{letters}{ROWS}")
    return rule
