"""How a plan that was looked at is named."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain.runs.fingerprint import fingerprint, is_named

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.dates(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), plain))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]) -> None:
    """The same plan has the same name wherever and however it is made."""
    assert fingerprint(value) == fingerprint(dict(reversed(value.items())))


@given(plain, plain)
def test_another_plan_has_another_name(one: object, other: object) -> None:
    """What is the same as JSON is the same plan."""
    assert (fingerprint(one) == fingerprint(other)) == (repr(told(one)) == repr(told(other)))


def told(value: object) -> object:
    """As JSON holds it."""
    match value:
        case date():
            return value.isoformat()
        case dict():
            return {key: told(value[key]) for key in sorted(value)}
        case list():
            return [told(each) for each in value]
        case _:
            return value


def test_what_has_no_fixed_text_has_no_fingerprint() -> None:
    """The order of a set is not that of another process."""
    with pytest.raises(TypeError):
        fingerprint({1, 2})


def test_it_is_named_by_its_beginning() -> None:
    """By enough of it, in capitals or not."""
    whole = fingerprint("plan")
    assert is_named(whole, whole[:8].upper(), 8)
    assert not is_named(whole, whole[:7], 8)
    assert not is_named(whole, "0" * 64)
