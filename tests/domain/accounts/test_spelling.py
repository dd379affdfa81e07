"""The one form of a name, and what nobody sees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain.accounts.account import login_key
from sync.domain.accounts.spelling import invisible, one_form, spelled_out, without_invisible

pytestmark = pytest.mark.supports("A2")

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_one_form_is_its_own_and_what_looks_alike_has_the_same(text: str) -> None:
    """However often a name goes through a door."""
    for form in (one_form, login_key):
        assert form(form(text)) == form(text)
    seen = one_form(without_invisible(text))
    assert not invisible(seen)
    assert all(character == " " or character.isprintable() for character in seen)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Zoe\u0308", "Zoë"),
        (" Anna\u00a0\u2028 Maria\t", "Anna Maria"),
        ("Mu\u00adster\u200b", "Muster"),
        ("\u202eretsuM", "retsuM"),
        ("葛\U000e0100", "葛"),
        ("\u3164", ""),
        ("O\u2019Neil-Łuk D\u2019", "O\u2019Neil-Łuk D\u2019"),
    ],
)
def test_what_is_seen_of_a_name_is_kept(text: str, kept: str) -> None:
    """Letters, accents, hyphens and apostrophes stay."""
    assert one_form(without_invisible(text)) == kept


def test_a_terminal_obeys_nothing_that_stands_in_a_name() -> None:
    """Neither a mark that turns the direction, nor a line that goes back to its start, nor an escape."""
    assert spelled_out("a\u202eb\rc\x1b[1md\ne") == "a<U+202E>b<U+000D>c<U+001B>[1md\ne"
