"""The one way fingerprints are made: what means the same has the same one, in any process."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.fingerprint import fingerprint

ROOT = Path(__file__).parents[2]

OTHER_HASHES = {
    "mappings/fingerprint.py",
    "sync/adapters/keycloak/creation/password_hash.py",
    "sync/devstack/services/keycloak_archive.py",
    "sync/devstack/services/postgres.py",
    "sync/domain/audit/link.py",
    "sync/domain/drift/sums.py",
    "sync/domain/realm/item.py",
    "sync/spreadsheet/reading.py",
}
"""Of passwords, of the bytes of files and of audit entries, of folders, and the sums of a comparison, which last
for one of them."""

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.dates(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=8,
)


@dataclass(frozen=True)
class Wish:
    """A value with fields."""

    what: str
    when: date | None = None


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


@given(st.permutations(["a", "b", 1, "1", Wish("one"), ("t", None)]))
def test_a_set_has_no_order(members: list[object]) -> None:
    """Members count, as what they are."""
    assert fingerprint(frozenset(members)) == fingerprint({"a", "b", 1, "1", Wish("one"), ("t", None)})
    assert fingerprint(frozenset(members)) != fingerprint(frozenset(members[1:]))
    assert fingerprint({1}) != fingerprint({"1"})


def test_a_value_is_its_fields() -> None:
    """However deep it lies, and in whatever kind of mapping."""
    day = date(2026, 1, 2)
    assert fingerprint([Wish("a", day)]) == fingerprint(({"what": "a", "when": "2026-01-02"},))
    assert fingerprint(Wish("a")) != fingerprint(Wish("a", day))
    assert fingerprint(OrderedDict(b=1, a=2)) == fingerprint({"a": 2, "b": 1})


def test_what_has_no_fixed_text_has_no_fingerprint() -> None:
    """The text of an object is not that of another process."""
    with pytest.raises(TypeError, match="object has no fingerprint"):
        fingerprint({"what": object()})


def test_there_is_no_second_way() -> None:
    """Whatever else makes a hash makes it of something else than a plan."""
    found = {
        str(path.relative_to(ROOT))
        for folder in ("mappings", "sync", "workers")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"^(?:import|from) hashlib", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert found == OTHER_HASHES
