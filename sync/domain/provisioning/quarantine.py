"""Which accounts in quarantine are there for the same reason: names, ids and numbers in a message differ, what has
to be done does not. Pure; used to show them in groups and to try a whole group again.
"""

from __future__ import annotations

import re

ANY = "…"

_PARTICULARS = (
    re.compile(r"'[^']*'|\"[^\"]*\""),
    re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE),
    re.compile(r"[^\s<>()',;]+@[^\s<>()',;]+"),
    re.compile(r"(?<![\w/-])\d+(?![\w/-])"),
)
"""What stands in quotes, ids, e-mail addresses, numbers that stand alone. Paths and keys stay: a group that
somebody gave a role is a reason of its own."""


def normalised(reason: str) -> str:
    """The reason without what is particular to one account. Idempotent."""
    for particular in _PARTICULARS:
        reason = particular.sub(ANY, reason)
    return " ".join(reason.split())
