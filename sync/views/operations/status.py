"""What an operator sees on one page: what is wrong with its remedy, and the numbers behind it (H3, H6).

Reads our database only, so it answers while everything else is away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sync.domain.access.scope import Scope
from sync.domain.work.lane import Lane
from sync.store.database.transactions import Tx
from sync.store.operations import figures, heartbeats
from sync.store.operations.figures import Figures
from sync.store.operations.troubles import Trouble
from sync.views.operations.troubles import troubles


@dataclass(frozen=True, slots=True)
class OperationsView:
    """The gravest trouble first; all numbers are of one transaction."""

    figures: Figures
    troubles: tuple[Trouble, ...]


def operations_view(tx: Tx, scope: Scope, now: datetime) -> OperationsView:
    """Raises Refused for a scope of one branch: queues and circuits are everybody's."""
    scope.require_everything("operations")
    read = figures.read(tx, now)
    return OperationsView(read, troubles(tx, scope, read))


def lane_is_served(tx: Tx, scope: Scope, lane: Lane, now: datetime) -> bool:
    """Whether a worker that lives serves the lane. Raises like `operations_view`."""
    scope.require_everything("operations")
    return heartbeats.serves(tx, lane, now)
