"""The one way a fingerprint is made: of mapping files, plans, login flows. What means the same has the same one.

It is taken of values, never of a text made for people, so that other words change none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date


def fingerprint(*parts: object) -> str:
    """SHA-256 over plain values, dates, sequences, mappings, sets and dataclasses, as 64 hex digits: the same in
    any process. The order of keys and of a set's members does not count; the order of a sequence does (the first
    HR rule that matches wins). A dataclass is its fields, without its name. Raises TypeError for what has no fixed
    text. A plan too long for memory is made part by part, each with the fingerprint of those before."""
    return hashlib.sha256(_text(parts).encode()).hexdigest()


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: object) -> object:
    match value:
        case date():
            return value.isoformat()
        case Mapping():
            return dict(value)
        case AbstractSet():
            return sorted(_text(member) for member in value)
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    raise TypeError(f"{type(value).__name__} has no fingerprint")
