"""Keeping the head of the audit chain outside of our database, where whoever changes it cannot reach."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from sync.domain.audit.link import Head


class Anchor(Protocol):
    """One place outside."""

    def keep(self, head: Head, at: datetime) -> None:
        """Add the head to what is kept. The same one twice does no harm. Raises Transient if the place does not
        answer, Misconfigured if it refuses."""
        ...
