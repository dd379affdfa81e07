"""Which row holds the column titles, and which column is which field (F1).

Titles come from `import_columns.toml` in several languages; what cannot be told is refused with what was
found and what is nearest, never guessed. A person's own mapping (`Personalnr=employee_number`) goes first.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mappings.files.names import name_key
from mappings.import_columns import ImportColumn
from sync.domain.imports.row import Cell, ImportRow
from sync.spreadsheet.limits import FileRefused
from sync.spreadsheet.sheet import Sheet, SheetRow, column_letters, column_number

SEARCHED_ROWS = 50
FEWEST_TITLES = 2
NAMES = frozenset({"given_name", "family_name"})
"""Both are needed, or the full name in one column."""

NONE = ""
"""A person's mapping of a title to this field leaves the column out."""

_REMARK = re.compile(r"\([^)]*\)|\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class StaffList:
    """A sheet whose columns are known. `columns` maps a field to the cell of its title; `ignored` are the
    titles that mean nothing here; `sheet` still holds every original row, for the error file."""

    sheet: Sheet
    header_row: int
    columns: Mapping[str, Cell]
    ignored: tuple[Cell, ...]
    rows: tuple[ImportRow, ...]


def find_columns(
    sheet: Sheet, known: Sequence[ImportColumn], by_hand: Mapping[str, str] | None = None
) -> StaffList:
    """Find the header below any title rows and read the rows under it by field.

    `by_hand` maps titles, or column letters (`F`), to fields; an empty field leaves the column out. Raises
    FileRefused when no header is found, a required column is missing, two columns claim one field, or one is of a
    field that no door takes yet.
    """
    chosen = _checked_by_hand(by_hand or {}, known)
    aliases = _aliases(known)
    header = max(
        sheet.rows[:SEARCHED_ROWS], key=lambda row: (len(set(_fields(row, aliases, chosen).values())), -row.number)
    )
    fields = _fields(header, aliases, chosen)
    if len(set(fields.values())) < FEWEST_TITLES:
        raise _no_header(sheet, known)
    _refuse_unused(chosen, header)
    _refuse_twice(fields, header)
    _refuse_missing(fields, header, known, aliases)
    columns = {field: header.cells[column] for column, field in fields.items()}
    ignored = tuple(cell for column, cell in sorted(header.cells.items()) if column not in fields)
    rows = tuple(
        row
        for row in (_row(each, fields) for each in sheet.rows if each.number > header.number)
        if any(cell.text or cell.problem for cell in row.cells.values())
    )
    if not rows:
        raise FileRefused(f"there is no row below the titles in row {header.number}", "choose the staff file")
    return StaffList(sheet, header.number, columns, ignored, rows)


def titles_to_import_again(
    titles: Mapping[str, str], fields: Mapping[str, str], known: Sequence[ImportColumn]
) -> tuple[str, ...]:
    """Titles by which `find_columns` finds these columns without a mapping by hand: those that a person had to
    name, or left out, are given one that says so. `titles`: column letters to title, in the order of the columns.
    `fields`: field to column letters."""
    row = SheetRow(1, {column_number(letters): Cell(letters, title) for letters, title in titles.items()})
    found, firsts = _fields(row, _aliases(known), {}), {each.field: _first_title(each) for each in known}
    meant = {column_number(letters): field for field, letters in fields.items()}
    return tuple(
        title if meant.get(column) == found.get(column) else _retitled(title, firsts.get(meant.get(column, NONE)))
        for column, title in ((column_number(letters), title) for letters, title in titles.items())
    )


def _retitled(title: str, known_as: str | None) -> str:
    """What stands in brackets is no part of a title to the import; what it does not know, it leaves out."""
    bare = re.sub(r"[()\[\]]", "", title).strip()
    return f"not used: {bare}" if known_as is None else f"{known_as} ({bare})"


def _aliases(known: Sequence[ImportColumn]) -> dict[str, str]:
    aliases = {
        name_key(title): each.field for each in known for titles in each.titles.values() for title in titles
    }
    return aliases | {name_key(each.field): each.field for each in known}


def _first_title(column: ImportColumn) -> str:
    return next((titles[0] for titles in column.titles.values() if titles), column.field)


def _fields(row: SheetRow, aliases: Mapping[str, str], chosen: Mapping[str, str]) -> dict[int, str]:
    """Column → field for every title of the row that is known. `Name` beside `Vorname` is the family name."""
    found: dict[int, str] = {}
    for column, cell in sorted(row.cells.items()):
        by_hand = chosen.get(name_key(cell.text), chosen.get(column_letters(column)))
        field = by_hand if by_hand is not None else _known(cell.text, aliases)
        if field:
            found[column] = field
    if "given_name" in found.values() and "family_name" not in found.values():
        found = {column: "family_name" if field == "full_name" else field for column, field in found.items()}
    return found


def _known(title: str, aliases: Mapping[str, str]) -> str | None:
    """By the whole title, else without what stands in brackets: `Eintritt (TT.MM.JJJJ)`."""
    return aliases.get(name_key(title)) or aliases.get(name_key(_REMARK.sub("", title)))


def _row(row: SheetRow, fields: Mapping[int, str]) -> ImportRow:
    return ImportRow(
        row.number,
        {
            field: row.cells.get(column) or Cell(f"{column_letters(column)}{row.number}", "")
            for column, field in fields.items()
        },
    )


def _checked_by_hand(by_hand: Mapping[str, str], known: Sequence[ImportColumn]) -> dict[str, str]:
    fields = [each.field for each in known]
    for title, field in by_hand.items():
        if field != NONE and field not in fields:
            raise FileRefused(f"{title!r} cannot be the field {field!r}", _nearest(field, fields))
    return {title if _is_letters(title) else name_key(title): field for title, field in by_hand.items()}


def _is_letters(title: str) -> bool:
    return len(title) <= 2 and title.isascii() and title.isalpha() and title.isupper()


def _refuse_unused(chosen: Mapping[str, str], header: SheetRow) -> None:
    present = {name_key(cell.text) for cell in header.cells.values()}
    present |= {column_letters(column) for column in header.cells}
    for title in chosen:
        if title not in present:
            raise FileRefused(
                f"row {header.number} has no column {title!r} as named by hand", f"it has {_titles(header)}"
            )


def _refuse_twice(fields: Mapping[int, str], header: SheetRow) -> None:
    seen: dict[str, int] = {}
    for column, field in fields.items():
        if field in seen:
            first, second = header.cells[seen[field]], header.cells[column]
            raise FileRefused(
                f"{first.address} ({first.text!r}) and {second.address} ({second.text!r}) both mean {field}",
                f"leave one out, for example with --map {column_letters(column)}=",
            )
        seen[field] = column


def _refuse_missing(
    fields: Mapping[int, str], header: SheetRow, known: Sequence[ImportColumn], aliases: Mapping[str, str]
) -> None:
    present = set(fields.values())
    missing = [each for each in known if each.required and each.field not in present]
    if "full_name" not in present:
        missing += [each for each in known if each.field in NAMES and each.field not in present]
    if not missing:
        return
    names = "; ".join(f"{each.field} (titled {_examples(each)})" for each in missing)
    free = {name_key(cell.text): cell for column, cell in header.cells.items() if column not in fields}
    for each in missing:
        titles = [alias for alias, field in aliases.items() if field == each.field]
        for title, cell in free.items():
            if difflib.get_close_matches(title, titles, n=1, cutoff=0.7):
                raise FileRefused(
                    f"row {header.number} has no column for {names}",
                    f"if {cell.address} ({cell.text!r}) is meant: --map {cell.text!r}={each.field}",
                )
    remedy = f"it has {_titles(header)}; say which one it is: --map 'Title={missing[0].field}'"
    raise FileRefused(f"row {header.number} has no column for {names}", remedy)


def _no_header(sheet: Sheet, known: Sequence[ImportColumn]) -> FileRefused:
    required = ", ".join(f"{each.field} (titled {_examples(each)})" for each in known if each.required)
    first = sheet.rows[0]
    return FileRefused(
        f"none of the first {SEARCHED_ROWS} rows holds column titles; needed are {required}",
        f"row {first.number} begins {_titles(first)}; where titles are other ones: --map 'Title=field' for each",
    )


def _examples(column: ImportColumn) -> str:
    """The first titles of two languages: enough to know what is meant."""
    return " or ".join([repr(titles[0]) for titles in column.titles.values() if titles][:2])


def _titles(row: SheetRow) -> str:
    texts = [repr(" ".join(cell.text.split())[:40]) for _, cell in sorted(row.cells.items())]
    return ", ".join(texts[:15]) + (", …" if len(texts) > 15 else "")


def _nearest(wrong: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(wrong, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"fields are {', '.join(known)}"
