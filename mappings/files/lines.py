"""Where in a TOML text each value stands. `tomllib` reads values and forgets lines; this finds them again.

The text must have been accepted by `tomllib` already: nothing is checked here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence

Path = tuple[str | int, ...]
"""Keys and array positions from the root, as in `("rules", 2, "profile")`."""

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|\n|[\[\]{}=,.]|[^\s\[\]{}=,.#\"']+|[^\S\n]+",
    re.DOTALL,
)

_Token = tuple[str, int]


def line_index(text: str) -> dict[Path, int]:
    """The line (from 1) of every table header, key and array element outside of inline tables."""
    found: dict[Path, int] = {}
    arrays: dict[tuple[str, ...], int] = {}
    table: Path = ()
    for statement in _statements(text):
        first, line = statement[0]
        if first == "[":
            of_tables = statement[1][0] == "["
            name = _key(statement[2:-2] if of_tables else statement[1:-1])
            if of_tables:
                count = arrays.get(name, -1) + 1
                arrays = {each: last for each, last in arrays.items() if each[: len(name)] != name}
                arrays[name] = count
            table = _resolve(name, arrays)
            found[table] = line
        else:
            equals = [piece for piece, _ in statement].index("=")
            path = (*table, *_key(statement[:equals]))
            found[path] = line
            for position, element_line in enumerate(_elements(statement[equals + 1 :])):
                found[(*path, position)] = element_line
    return found


def line_of(path: Path, index: Mapping[Path, int]) -> int:
    """The line of the path, or of the nearest thing around it that has one; 1 for the whole document."""
    while path and path not in index:
        path = path[:-1]
    return index.get(path, 1)


def _statements(text: str) -> Iterator[Sequence[_Token]]:
    """Split at line ends outside of brackets. Comments and blanks are left out."""
    line, depth = 1, 0
    statement: list[_Token] = []
    for match in _TOKEN.finditer(text):
        piece = match.group()
        if piece == "\n":
            if depth == 0 and statement:
                yield statement
                statement = []
        elif not piece.isspace() and not piece.startswith("#"):
            depth += (piece in "[{") - (piece in "]}")
            statement.append((piece, line))
        line += piece.count("\n")
    if statement:
        yield statement


def _key(tokens: Sequence[_Token]) -> tuple[str, ...]:
    return tuple(_unquote(piece) for piece, _ in tokens if piece != ".")


def _unquote(piece: str) -> str:
    if piece[0] not in "\"'":
        return piece
    unquoted: str = tomllib.loads(f"key = {piece}")["key"]
    return unquoted


def _resolve(name: tuple[str, ...], arrays: Mapping[tuple[str, ...], int]) -> Path:
    """A table below an array of tables belongs to the array's last element."""
    path: list[str | int] = []
    for length, part in enumerate(name, start=1):
        path.append(part)
        if name[:length] in arrays:
            path.append(arrays[name[:length]])
    return tuple(path)


def _elements(value: Sequence[_Token]) -> Iterator[int]:
    """The lines on which the elements of an array begin; nothing for another value."""
    if value[0][0] != "[":
        return
    depth, begins = 0, False
    for piece, line in value:
        if begins and piece != "]" and depth == 1:
            yield line
            begins = False
        depth += (piece in "[{") - (piece in "]}")
        if depth == 1 and piece in "[,":
            begins = True
