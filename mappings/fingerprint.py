"""One value that says whether two policies mean the same, whatever their files look like."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass


def fingerprint(*parts: object) -> str:
    """SHA-256 over the meaning of dataclasses, mappings, sets, sequences and plain values, as 64 hex digits.

    Comments, order of keys and order of a set's members do not count; the order of a sequence does (the first
    HR rule that matches wins).
    """
    text = json.dumps([_plain(part) for part in parts], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, frozenset):
        return sorted(str(member) for member in value)
    if isinstance(value, tuple):
        return [_plain(member) for member in value]
    return value
