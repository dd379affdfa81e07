"""The comparison and the pass over all attributes as periodic jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sync.jobs.drift.compare import compare
from sync.jobs.drift.compare_attributes import Position, compare_attributes
from sync.jobs.systems import Systems
from sync.jobs.work.job import Job, KeepLease
from sync.store.database.transactions import Tx

BY: Final = "schedule"


def _comparison(systems: Systems, keep: KeepLease) -> None:
    compare(systems, BY, keep)


def _attribute_pass(systems: Systems, keep: KeepLease) -> None:
    kept = keep.state
    start = Position(
        int(kept.get("first", 0)), {user: (name, mark) for user, (name, mark) in kept.get("strays", {}).items()}
    )

    def save(tx: Tx, position: Position) -> None:
        keep.save(
            tx, {"first": position.first, "strays": {user: list(at) for user, at in position.strays.items()}}
        )

    compare_attributes(systems, BY, keep, start, save)


COMPARISON = Job(_comparison, period=timedelta(hours=6))
"""A fact changed in Keycloak's console stays unnoticed for so long at most, unless an event hints at it."""

ATTRIBUTE_PASS = Job(_attribute_pass, period=timedelta(hours=24))
"""Only administrators of the realm can change these attributes; the pass costs Keycloak ten times as much."""
