"""Where each value of a TOML text stands."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.files.lines import line_index, line_of

TEXT = '''\
# a comment = [not a key]
title = "x # no comment"

[one."two.three"]
a.b = 1
text = """
[not a table]
key = 1
"""
list = [
    "first",  # ] not the end
    "second",
]
inline = { x = [1, 2], y = "]" }

[[rules]]
name = 'first'
[rules.when]
place = "here"

[[rules]]
name = 'second'
[[rules.parts]]
id = 1

[[rules]]
[[rules.parts]]
id = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("one", "two.three"), 4),
        (("one", "two.three", "a", "b"), 5),
        (("one", "two.three", "text"), 6),
        (("one", "two.three", "list"), 10),
        (("one", "two.three", "list", 0), 11),
        (("one", "two.three", "list", 1), 12),
        (("one", "two.three", "inline"), 14),
        (("one", "two.three", "inline", "x", 1), 14),
        (("rules", 0), 16),
        (("rules", 0, "when", "place"), 19),
        (("rules", 1, "name"), 22),
        (("rules", 1, "parts", 0, "id"), 24),
        (("rules", 2, "parts", 0, "id"), 28),
        (("nothing",), 1),
        (("rules", 1, "missing"), 21),
    ],
)
def test_every_kind_of_value_is_found_on_its_line(path: tuple[str | int, ...], line: int) -> None:
    """Headers, dotted and quoted keys, strings and arrays over several lines, arrays of tables."""
    tomllib.loads(TEXT)
    assert line_of(path, line_index(TEXT)) == line


_keys = st.text("abc-_", min_size=1, max_size=4)
_values = st.sampled_from(
    ['"#=["', "'it'", "1.5", "[1, 2]", '"""\nx = 1\n"""', "{ a = 1 }", "[\n  'a',\n]", "2026-01-01"]
)


@given(st.dictionaries(_keys, _values, max_size=8), st.lists(st.sampled_from(["", "# note", "   "]), max_size=3))
def test_keys_are_found_whatever_stands_between_them(values: dict[str, str], between: list[str]) -> None:
    """The line of a key is the line its text was written on."""
    lines: list[str] = []
    expected = {}
    for key, value in values.items():
        lines += between
        expected[key] = len(lines) + 1
        lines += f"{key} = {value}".split("\n")
    text = "\n".join(lines)
    index = line_index(text)
    assert set(tomllib.loads(text)) == set(expected)
    assert {key: index[(key,)] for key in expected} == expected
