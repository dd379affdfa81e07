"""What a workbook says about its sheets before a cell is read: names, parts, shared strings, number formats."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sync.spreadsheet.limits import FileRefused, Limits
from sync.spreadsheet.text import GENERAL, unescape
from sync.spreadsheet.xml_stream import DAMAGED, feed


@dataclass(frozen=True, slots=True)
class SheetPart:
    name: str
    part: str
    visible: bool


@dataclass(frozen=True, slots=True)
class Workbook:
    """`styles` is the id of the number format by style index, `own_formats` are the file's own ones by id."""

    sheets: tuple[SheetPart, ...]
    strings: tuple[str, ...]
    styles: Sequence[int]
    own_formats: Mapping[int, str]
    since_1904: bool

    def format_of(self, style: int) -> str:
        """The number format of a style; those that every program knows by openpyxl's table."""
        number = self.styles[style] if style < len(self.styles) else 0
        if found := self.own_formats.get(number):
            return found
        if not number:
            return GENERAL
        from openpyxl.styles.numbers import BUILTIN_FORMATS

        return str(BUILTIN_FORMATS.get(number, GENERAL))


def open_workbook(archive: zipfile.ZipFile, limits: Limits) -> Workbook:
    """Raises FileRefused if the package is no workbook or wants too much."""
    root = _relations(archive, "")
    main = next((target for kind, target in root.values() if kind == "officeDocument"), None)
    if main is None:
        raise FileRefused("the file holds no workbook", DAMAGED)
    index = _Index()
    _parse(archive, main, index)
    related = _relations(archive, main)
    sheets = tuple(
        SheetPart(name, related[relation][1], visible)
        for name, relation, visible in index.sheets
        if related.get(relation, ("", ""))[0] == "worksheet"
    )
    present = set(archive.namelist())
    by_kind = {kind: target for kind, target in related.values() if target in present}
    strings, styles = _Strings(limits.shared_strings), _Styles()
    if "sharedStrings" in by_kind:
        _parse(archive, by_kind["sharedStrings"], strings)
    if "styles" in by_kind:
        _parse(archive, by_kind["styles"], styles)
    return Workbook(sheets, tuple(strings.found), styles.ids, styles.own, index.since_1904)


def _parse(archive: zipfile.ZipFile, part: str, handler: _Relations | _Index | _Strings | _Styles) -> None:
    for _ in feed(archive, part, handler):
        pass


def _relations(archive: zipfile.ZipFile, part: str) -> Mapping[str, tuple[str, str]]:
    folder, name = posixpath.split(part)
    handler = _Relations(folder)
    _parse(archive, posixpath.join(folder, "_rels", f"{name}.rels"), handler)
    return handler.found


class _Relations:
    """Relation id → (last part of its type, part it leads to)."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.found: dict[str, tuple[str, str]] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", self._folder, attributes.get("Target", "")))
            kind = attributes.get("Type", "").rpartition("/")[2]
            self.found[attributes.get("Id", "")] = (kind, target.lstrip("/"))

    def end(self, name: str) -> None: ...
    def characters(self, text: str) -> None: ...


class _Index:
    """The list of sheets: (name, relation id, visible)."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str, bool]] = []
        self.since_1904 = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "workbookPr":
            self.since_1904 = attributes.get("date1904", "0") in {"1", "true"}
        elif name == "sheet":
            relation = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            visible = attributes.get("state", "visible") == "visible"
            self.sheets.append((attributes.get("name", ""), relation, visible))

    def end(self, name: str) -> None: ...
    def characters(self, text: str) -> None: ...


class _Strings:
    """The shared strings, without the phonetic readings that East Asian files carry beside them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._text: list[str] | None = None
        self._inside_text = self._inside_reading = False
        self.found: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:  # noqa: ARG002 - a Handler's signature
        if name == "si":
            self._text = []
        elif name == "rPh":
            self._inside_reading = True
        elif name == "t":
            self._inside_text = not self._inside_reading

    def characters(self, text: str) -> None:
        if self._inside_text and self._text is not None:
            self._text.append(text)

    def end(self, name: str) -> None:
        if name == "t":
            self._inside_text = False
        elif name == "rPh":
            self._inside_reading = False
        elif name == "si" and self._text is not None:
            self.found.append(unescape("".join(self._text)))
            if len(self.found) > self._most:
                raise FileRefused(f"the file holds more than {self._most:,} texts", "split it")


@dataclass(slots=True)
class _Styles:
    """Own number formats by id, and the id of each style's."""

    own: dict[int, str] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)
    inside: bool = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "numFmt":
            self.own[_whole(attributes.get("numFmtId"))] = attributes.get("formatCode", GENERAL)
        elif name == "cellXfs":
            self.inside = True
        elif name == "xf" and self.inside:
            self.ids.append(_whole(attributes.get("numFmtId")))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self.inside = False

    def characters(self, text: str) -> None: ...


def _whole(text: str | None) -> int:
    """An attribute that should be a small number; 0 (General, the first style) where it is not."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
