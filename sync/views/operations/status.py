"""What an operator sees on one page: what is wrong with its remedy, and the numbers behind it (H3, H6).

Reads our database only, so it answers while everything else is away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sync.domain.access.scope import Scope
from sync.domain.work.lane import Lane
from sync.store.database.transactions import Tx
from sync.store.operations import figures, heartbeats
from sync.store.operations import troubles as notes
from sync.store.operations.figures import Figures
from sync.store.operations.heartbeats import Worker
from sync.store.operations.troubles import Trouble
from sync.views.operations.troubles import login_troubles, silent, troubles

EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Nobody has noted since when Redis is away: whoever is silent may be waiting for it."""


@dataclass(frozen=True, slots=True)
class OperationsView:
    """`login_troubles` say that nobody can log in, or that nobody knows; of the other `troubles` the gravest comes
    first. All numbers are of one transaction. `silent` are workers that nobody has heard of
    for too long, and that do not just wait for Redis."""

    figures: Figures
    login_troubles: tuple[Trouble, ...]
    troubles: tuple[Trouble, ...]
    silent: tuple[Worker, ...]


def operations_view(tx: Tx, scope: Scope, now: datetime, *, redis_works: bool | None = None) -> OperationsView:
    """`redis_works` is what whoever asks has just seen of Redis; None: it has not looked, and what was noted of
    Redis is told. Raises Refused for a scope of one branch: queues and circuits are everybody's."""
    scope.require_everything("operations")
    read = figures.read(tx, now)
    heard_until = now if redis_works is not False else notes.since(tx, notes.REDIS) or EVER
    return OperationsView(
        figures=read,
        login_troubles=login_troubles(read),
        troubles=troubles(tx, scope, read, heard_until, () if redis_works is None else (notes.REDIS,)),
        silent=silent(read, heard_until),
    )


def lane_is_served(tx: Tx, scope: Scope, lane: Lane, now: datetime) -> bool:
    """Whether a worker that lives serves the lane. Raises like `operations_view`."""
    scope.require_everything("operations")
    return heartbeats.serves(tx, lane, now)
