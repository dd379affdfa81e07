"""Makes the files the spreadsheet tests read: honest ones with openpyxl, hostile ones part by part."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook

CONTENT_TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELS = (
    f'<Relationships><Relationship Id="r1" Type="{_RELATION}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>"
)
WORKBOOK_RELS = (
    f'<Relationships><Relationship Id="r1" Type="{_RELATION}/worksheet" Target="worksheets/sheet1.xml"/>'
    "</Relationships>"
)
WORKBOOK = '<workbook xmlns:r="r"><sheets><sheet name="Staff" sheetId="1" r:id="r1"/></sheets></workbook>'


def workbook(
    rows: Iterable[Sequence[Any]], *, merged: Sequence[str] = (), formats: Mapping[str, str] | None = None
) -> bytes:
    """An .xlsx of these values; `formats` sets number formats by address."""
    book = Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(list(row))
    for address, number_format in (formats or {}).items():
        sheet[address].number_format = number_format
    for area in merged:
        sheet.merge_cells(area)
    return saved(book)


def saved(book: Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def package(sheet: str | bytes, **parts: str | bytes) -> bytes:
    """An .xlsx with this XML as its only sheet; `parts` adds or replaces parts (`__` stands for `/`)."""
    contents: dict[str, str | bytes] = {
        "[Content_Types].xml": CONTENT_TYPES,
        "_rels/.rels": RELS,
        "xl/workbook.xml": WORKBOOK,
        "xl/_rels/workbook.xml.rels": WORKBOOK_RELS,
        "xl/worksheets/sheet1.xml": sheet,
    }
    contents |= {name.replace("__", "/"): value for name, value in parts.items()}
    return zipped(contents)


def zipped(contents: Mapping[str, str | bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in contents.items():
            archive.writestr(name, value)
    return target.getvalue()


def sheet_xml(cells: str) -> str:
    return f"<worksheet><sheetData>{cells}</sheetData></worksheet>"
