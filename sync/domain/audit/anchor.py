"""Heads of the chain that are kept elsewhere: a line of JSON each, `number`, `hash` and `at`.

Whoever writes the chain anew from some place on cannot change what somebody else has kept of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from sync.domain.audit.canonical import canonical, utc_text
from sync.domain.audit.link import Head

_HASH = re.compile(r"[0-9a-f]{64}")


class AnchorUnreadable(Exception):
    """A line is no head; the message names the line."""


def anchor_line(head: Head, at: datetime) -> str:
    """Without its line end."""
    return canonical({"number": head.number, "hash": head.hash, "at": utc_text(at)})


def anchors_in(lines: Iterable[str]) -> Mapping[int, str]:
    """Number to hash. Raises AnchorUnreadable for what is no head, and where two lines contradict each other."""
    found: dict[int, str] = {}
    for place, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            head = json.loads(line)
        except ValueError:
            head = None
        match head:
            case {"number": int(number), "hash": str(hash_)} if number > 0 and _HASH.fullmatch(hash_):
                if found.setdefault(number, hash_) != hash_:
                    raise AnchorUnreadable(f"line {place} says another hash of number {number} than one before it")
            case _:
                raise AnchorUnreadable(f"line {place} is no head of the audit chain (number, hash, at)")
    return found
