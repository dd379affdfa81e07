"""How a plan that was looked at is named."""

from __future__ import annotations

from mappings.fingerprint import fingerprint
from sync.domain.runs.fingerprint import is_named


def test_it_is_named_by_its_beginning() -> None:
    """By enough of it, in capitals or not."""
    whole = fingerprint("plan")
    assert is_named(whole, whole[:8].upper(), 8)
    assert not is_named(whole, whole[:7], 8)
    assert not is_named(whole, "0" * 64)
