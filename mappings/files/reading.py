"""Reads a mapping file strictly: every value typed and in its range, every key known, every problem collected.

A getter that meets a problem notes it with its line and returns a harmless value, so that one look at a file
finds everything that is wrong in it. `mappings.load` raises what was noted; no such value is ever used.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from mappings.files.lines import Path, line_index, line_of
from mappings.files.names import Named, name_key, names_of
from mappings.files.problems import MappingErrors, MappingProblem, nearest

KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
Value = TypeVar("Value")

LONGEST_KEY = 60
"""Keys become names of groups and roles in Keycloak, which have room for more."""


@dataclass(frozen=True, slots=True)
class KeyForm:
    """How keys are spelled; `what` says it to whoever spelled one otherwise."""

    pattern: re.Pattern[str]
    what: str


HYPHENS = KeyForm(KEY, "a key has small letters, digits and single hyphens, as in read-only")


class Document:
    """One TOML file. `name` is what messages call it. Raises MappingErrors if the text is not TOML at all."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.problems: dict[Path, MappingProblem] = {}
        self._tables: list[Table] = []
        self._unusable: set[Path] = set()
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"at line (\d+)", str(error))
            at = int(line.group(1)) if line else len(text.splitlines()) or 1
            raise MappingErrors([MappingProblem(name, at, f"not TOML: {error}")]) from None
        self._text = text
        self.root = self.table((), values)

    @cached_property
    def _lines(self) -> Mapping[Path, int]:
        """Only problems are told with their lines."""
        return line_index(self._text)

    def table(self, path: Path, values: Mapping[str, object]) -> Table:
        """A view of one table; what nobody reads of it is refused by `refuse_unread`."""
        table = Table(self, path, values)
        self._tables.append(table)
        return table

    def report(self, path: Path, what: str, *, near: str | None = None, unusable: bool = False) -> None:
        """Note a problem. The first one at a place counts: what follows from it is not said again.

        `unusable`: there is no value of the right kind, so nothing inside it is worth a message.
        """
        if any(path[:length] in self._unusable for length in range(len(path) + 1)):
            return
        if unusable:
            self._unusable.add(path)
        where = ".".join(str(part + 1) if isinstance(part, int) else part for part in path)
        text = f"{where}: {what}" if where else what
        problem = MappingProblem(self.name, line_of(path, self._lines), text, near)
        self.problems.setdefault(path, problem)

    def has_problem(self, path: Path) -> bool:
        return path in self.problems

    def refuse_unread(self) -> None:
        """Note every key that no getter asked for: a misspelled key must not be ignored silently."""
        for table in self._tables:
            table.refuse_unread()


class Table:
    """A table of a document. Each getter reads one key; a missing key is a problem unless it says otherwise."""

    def __init__(self, document: Document, path: Path, values: Mapping[str, object]) -> None:
        self._document = document
        self.path = path
        self._values = values
        self._read: set[str] = set()

    def has(self, key: str) -> bool:
        self._read.add(key)
        return key in self._values

    def report(self, key: str | None, what: str, *, near: str | None = None) -> None:
        """Note a problem of a key, or of the whole table."""
        self._document.report(self.path if key is None else (*self.path, key), what, near=near)

    def has_problem(self, key: str) -> bool:
        """True if a problem of this key was noted: its value means nothing."""
        return self._document.has_problem((*self.path, key))

    def text(self, key: str, what: str = "text") -> str:
        """A text that is not blank; blanks around it are dropped. `what` says what kind of text to write."""
        return self._text((*self.path, key), self._get(key, str, f"a {what}"))

    def texts(self, key: str, *, optional: bool = False) -> tuple[str, ...]:
        """A list of texts, each once. Left out it is empty, if it is optional."""
        if optional and not self.has(key):
            return ()
        values = self._get(key, list, "a list of texts")
        texts = tuple(self._text((*self.path, key, at), value) for at, value in enumerate(values or ()))
        for at, value in enumerate(texts):
            if value and value in texts[:at]:
                self._document.report((*self.path, key, at), f'"{value}" is listed twice')
        return texts

    def text_or_texts(self, key: str) -> tuple[str, ...]:
        """One text, or a list of at least one."""
        if isinstance(self._values.get(key), str):
            return (self.text(key),)
        texts = self.texts(key)
        if not texts:
            self.report(key, "must not be empty")
        return texts

    def choice(self, key: str, options: Collection[str] | None, what: str) -> str:
        """One of the options; None: the options could not be read, any text will do for now."""
        value = self.text(key, what)
        self._check((*self.path, key), value, options, what)
        return value

    def choices(self, key: str, options: Collection[str] | None, what: str) -> tuple[str, ...]:
        """A list of options, each once."""
        values = self.texts(key)
        for at, value in enumerate(values):
            self._check((*self.path, key, at), value, options, what)
        return values

    def integer(self, key: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        value = self._get(key, int, f"a whole number from {low} to {high}")
        if value is None:
            return low
        if not low <= value <= high:
            self.report(key, f"{value} is not from {low} to {high}")
        return value

    def integer_or(self, key: str, word: str, low: int, high: int) -> int | None:
        """A whole number, or the word that stands for none (TOML has no null)."""
        if self._values.get(key) == word:
            self._read.add(key)
            return None
        value = self._values.get(key)
        if isinstance(value, str):
            self._read.add(key)
            self.report(key, f'"{value}" is neither "{word}" nor a whole number', near=nearest(value, (word,)))
            return None
        return self.integer(key, low, high)

    def boolean(self, key: str) -> bool:
        value = self._get(key, bool, "true or false")
        return bool(value)

    def entries(
        self, key: str, options: Collection[str] | None = None, what: str = "key", keys: KeyForm | None = None
    ) -> dict[str, Table]:
        """The tables below a key, by their names, in the file's order.

        The names must be among the options; without options they are keys of this form, or else small letters,
        digits and single hyphens.
        """
        keys = keys or HYPHENS
        values = self._get(key, dict, "a table")
        entries: dict[str, Table] = {}
        for name, value in (values or {}).items():
            path = (*self.path, key, name)
            if options is not None:
                self._check(path, name, options, what)
            elif not keys.pattern.fullmatch(name) or len(name) > LONGEST_KEY:
                self._document.report(path, keys.what)
            if isinstance(value, dict):
                entries[name] = self._document.table(path, value)
            else:
                self._document.report(path, f"must be a table, not {_kind(value)}", unusable=True)
        return entries

    def table(self, key: str) -> Table:
        """The one table below a key; an empty one if it is missing."""
        path = (*self.path, key)
        return self._document.table(path, self._get(key, dict, "a table") or {})

    def rows(self, key: str) -> list[Table]:
        """The tables of an array of tables, in the file's order."""
        rows = []
        for at, value in enumerate(self._get(key, list, "a list of tables") or ()):
            path = (*self.path, key, at)
            if isinstance(value, dict):
                rows.append(self._document.table(path, value))
            else:
                self._document.report(path, f"must be a table, not {_kind(value)}", unusable=True)
        return rows

    def names(self) -> tuple[str, ...]:
        """The names of everything in the table."""
        return tuple(self._values)

    def refuse_unread(self) -> None:
        for key in self._values:
            if key not in self._read:
                self.report(key, "is not known here", near=nearest(key, self._read))

    def _get(self, key: str, kind: type[Value], what: str) -> Value | None:
        self._read.add(key)
        if key not in self._values:
            self._document.report((*self.path, key), f"is missing; write {what}", unusable=True)
            return None
        value = self._values[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self._document.report((*self.path, key), f"must be {what}, not {_kind(value)}", unusable=True)
            return None
        return value

    def _text(self, path: Path, value: object) -> str:
        if value is None:
            return ""
        if not isinstance(value, str):
            self._document.report(path, f"must be a text, not {_kind(value)}")
            return ""
        if not value.strip() or not value.isprintable():
            self._document.report(path, "must not be blank and must stand on one line")
        return value.strip()

    def _check(self, path: Path, value: str, options: Collection[str] | None, what: str) -> None:
        if not value or options is None or value in options:
            return
        near = nearest(value, options)
        known = "" if near else f"; known are {', '.join(options)}" if options else "; there is none"
        self._document.report(path, f'"{value}" is not a {what}{known}', near=near)


def refuse_shared_names(tables: Mapping[str, Table], entries: Mapping[str, Named], what: str) -> None:
    """Note every title and alias that two entries share: what a file calls by it would be a guess."""
    owners: dict[str, str] = {}
    for key, entry in entries.items():
        for name in filter(None, names_of(entry)):
            owner = owners.setdefault(name_key(name), key)
            if not name_key(name):
                tables[key].report(None, f'the name "{name}" has no letter and no digit')
            elif owner != key:
                tables[key].report(None, f'"{name}" is also a name of the {what} {owner}')


def refuse_repeated(tables: Mapping[str, Table], key: str, value: Callable[[str], object]) -> None:
    """Note every entry whose value of a key an earlier entry has."""
    owners: dict[object, str] = {}
    for name, table in tables.items():
        if not table.has_problem(key):
            owner = owners.setdefault(value(name), name)
            if owner != name:
                table.report(key, f"{value(name)} is used by {owner} already")


def _kind(value: object) -> str:
    kinds: dict[type, str] = {
        bool: "true or false",
        str: "a text",
        int: "a whole number",
        float: "a number with decimals",
        list: "a list",
        dict: "a table",
    }
    return kinds.get(type(value), "a date or time")
