"""One row of a staff file after its columns are known: what stands in which cell, before it means anything.

The spreadsheet reader makes these values, the import plan judges them, the run keeps them; none of them
changes a text on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sync.domain.accounts.spelling import one_form, without_invisible


@dataclass(frozen=True, slots=True)
class Cell:
    """`address` is what the spreadsheet program shows (`E17`). `problem` names what makes the text unusable:
    an error value, a formula without a result, a control character (F8)."""

    address: str
    text: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ImportRow:
    """`number` is the row's number in the file. `cells` holds the cells of known columns, by field; a column
    the file does not have is missing there, an empty cell is one with an empty text. `texts` is what stands there
    in its one form and without what nobody sees, which in a file is dirt; empty cells are left out. `identity` is
    for `sync.domain.imports.values`, which is asked for it several times and works it out once."""

    number: int
    cells: Mapping[str, Cell]
    texts: Mapping[str, str] = field(init=False, compare=False, repr=False)
    identity: dict[str, str] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        read = ((name, one_form(without_invisible(cell.text))) for name, cell in self.cells.items())
        object.__setattr__(self, "texts", {name: text for name, text in read if text})

    def text(self, field: str) -> str:
        """Of `texts`; empty where nothing stands."""
        return self.texts.get(field, "")

    def address(self, field: str) -> str:
        """Where to mend it: the cell, or the row if the file has no such column."""
        cell = self.cells.get(field)
        return cell.address if cell else f"row {self.number}"


def cells_record(row: ImportRow) -> dict[str, list[str]]:
    """The cells as plain JSON, for the run that keeps them."""
    return {
        field: [cell.address, cell.text] if cell.problem is None else [cell.address, cell.text, cell.problem]
        for field, cell in row.cells.items()
    }


def from_record(number: int, record: Mapping[str, Sequence[str]]) -> ImportRow:
    return ImportRow(number, {field: Cell(*parts) for field, parts in record.items()})
