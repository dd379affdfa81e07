"""One canonical text for each value of an attribute, whatever people write."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain.accounts.attribute_values import NotUnderstood, canonical, stated
from sync.domain.errors import Refused
from tests.company import company

POLICY = company(Path(tempfile.mkdtemp()))


@pytest.mark.supports("A10")
@pytest.mark.parametrize(
    ("key", "written", "text"),
    [
        ("cost_centre", "  0471  x ", "0471 x"),
        ("desk_height", "072.50", "72.5"),
        ("desk_height", "72,5", "72.5"),
        ("desk_height", "100", "100"),
        ("desk_height", "+80.00", "80"),
        ("hired_on", "1.3.2026", "2026-03-01"),
        ("hired_on", "2026-03-01 00:00:00", "2026-03-01"),
        ("first_aider", "Ja", "yes"),
        ("first_aider", "FALSE", "no"),
        ("first_aider", "sí", "yes"),
        ("vehicle", "transporter", "van"),
        ("vehicle", "no_car", "no_car"),
    ],
)
def test_each_value_has_one_text(key: str, written: str, text: str) -> None:
    """Dates ISO, numbers without trailing zeros, yes and no, choices by their key."""
    assert canonical(POLICY.attributes[key], written) == text


@pytest.mark.supports("A10")
@pytest.mark.parametrize(
    ("key", "written", "reason", "remedy"),
    [
        ("cost_centre", "1234567890123", "has 13 characters", "at most 12"),
        ("cost_centre", "a\x07b", "cannot be seen: U+0007", "type it again"),
        ("desk_height", "59.99", "too small", "at least 60"),
        ("desk_height", "131", "too large", "at most 130"),
        ("desk_height", "72.555", "too many decimals", "at most 2"),
        ("desk_height", "1,234", "a thousand or a fraction", "1234 or 1.234"),
        ("desk_height", "1e2", "is not a number", "12.5"),
        ("desk_height", "\u0667\u0662", "is not a number", "12.5"),
        ("hired_on", "03/01/2026", "is not a date", "2026-03-01"),
        ("first_aider", "perhaps", "neither yes nor no", "yes or no"),
        ("vehicle", "Vann", "is unknown", "did you mean 'Van'?"),
        ("vehicle", "???", "is unknown", "known are No car, Van"),
    ],
)
def test_what_is_no_value_says_why(key: str, written: str, reason: str, remedy: str) -> None:
    """And what to write instead."""
    with pytest.raises(NotUnderstood) as caught:
        canonical(POLICY.attributes[key], written)
    assert reason in caught.value.reason
    assert remedy in caught.value.remedy


@pytest.mark.supports("A10")
@given(
    key=st.sampled_from(sorted(POLICY.attributes)),
    written=st.text(max_size=14) | st.from_regex(r"[0-9]+[.,][0-9]+"),
)
def test_a_canonical_text_is_its_own(key: str, written: str) -> None:
    """However often a value comes round, through files and Keycloak, it stays the same text."""
    try:
        text = canonical(POLICY.attributes[key], written)
    except NotUnderstood:
        return
    assert canonical(POLICY.attributes[key], text) == text
    assert 0 < len(text) <= 255


@pytest.mark.supports("A10")
def test_attributes_by_name_at_a_door() -> None:
    """Each as its one text; an empty text takes away, also a date of ours; a wrong name is refused."""
    given_ = {"cost_centre": "4711", "valid_until": "", "vehicle": ""}
    assert stated(POLICY, given_) == {"cost_centre": "4711", "valid_until": None, "vehicle": None}
    with pytest.raises(Refused, match=r"cost_center: is no attribute of an account .did you mean 'cost_centre'"):
        stated(POLICY, {"cost_center": "4711"})
