"""Identifiers that sort by the time they were made: UUID version 7 (RFC 9562)."""

from __future__ import annotations

import itertools
import secrets
from datetime import datetime

_made = itertools.count()


def new_id(now: datetime) -> str:
    """A UUIDv7 as text for the aware time `now`.

    The twelve bits after the milliseconds carry the fraction of the millisecond and the next twenty count up
    (RFC 9562, section 6.2, methods 3 and 1), so that ids made by one process for the same `now` sort as they
    were made. Raises ValueError for a naive time.
    """
    if now.tzinfo is None:
        raise ValueError("a time without a time zone cannot be ordered")
    seconds = int(now.timestamp())
    milliseconds, microseconds = divmod(now.microsecond, 1000)
    fraction = microseconds * 4096 // 1000
    number = (
        ((seconds * 1000 + milliseconds) << 80)
        | (7 << 76)
        | (fraction << 64)
        | (0b10 << 62)
        | (next(_made) % 2**20 << 42)
        | int.from_bytes(secrets.token_bytes(6)) >> 6
    )
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
