"""Canonical JSON: one text for one value (RFC 8785)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain.audit.canonical import EXACT, canonical, utc_text

pytestmark = pytest.mark.supports("G1")

whole_text = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-EXACT, EXACT) | whole_text,
    lambda inner: st.lists(inner) | st.dictionaries(whole_text, inner),
)


def test_names_are_sorted_as_the_rfc_shows() -> None:
    """The example of its section 3.2.3: by UTF-16 code units, in which an emoji comes before U+FB33."""
    named = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    assert list(json.loads(canonical(named)).values()) == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


def test_texts_are_escaped_as_the_rfc_shows() -> None:
    """The text and the literals of the example in its section 3.2.2."""
    text = "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/"
    assert canonical({"string": text, "literals": [None, True, False]}) == (
        '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


@given(values)
def test_what_is_written_is_read_again(value: object) -> None:
    """Nothing is lost, and what is read is written the same."""
    text = canonical(value)
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text
    assert "\n" not in text


@given(st.dictionaries(whole_text, values))
def test_the_order_of_names_is_no_matter(value: dict[str, object]) -> None:
    """Two databases may give them back in different orders."""
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, '"0.1"'), (2**53, '"9007199254740992"'), ("\ud83d", '"\\\\ud83d"'), ({"\ud83d": 1}, '{"\\\\ud83d":1}')],
)
def test_what_readers_of_json_disagree_on_is_written_as_text(value: object, text: str) -> None:
    """An entry that holds it is chained all the same."""
    assert canonical(value) == text
    canonical(value).encode()


def test_a_time_has_one_text() -> None:
    """In UTC, with six digits, however it was given."""
    berlin = datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=1)))
    assert utc_text(berlin) == utc_text(datetime(2026, 3, 2, 8, 30, tzinfo=UTC)) == "2026-03-02T08:30:00.000000Z"
