"""Whether the audit trail is what was written, and the trail as a file (G1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sync.domain.access.scope import Scope
from sync.domain.audit import export
from sync.domain.audit.verifying import Verified, verify
from sync.store.audit import chain
from sync.store.audit.chain import Waiting
from sync.store.database.transactions import Tx

TOO_LONG: Final = timedelta(minutes=1)
"""So long an entry may wait for its number."""


@dataclass(frozen=True, slots=True)
class ChainView:
    """`waiting` are entries without a number; `late`: the oldest of them waits too long."""

    verified: Verified
    waiting: Waiting
    late: bool

    @property
    def well(self) -> bool:
        return self.verified.whole and not self.late


def verify_chain(tx: Tx, scope: Scope, anchors: Mapping[int, str], now: datetime) -> ChainView:
    """Read all of it at one moment. `anchors` are heads that were kept elsewhere, number to hash. Raises Refused
    for a scope of one branch: a chain is whole or not."""
    scope.require_everything("the audit chain")
    waits = chain.waiting(tx)
    late = waits.since is not None and now - waits.since > TOO_LONG
    return ChainView(verify(chain.links(tx), anchors, chain.strangers(tx)), waits, late)


def waiting(tx: Tx, scope: Scope) -> Waiting:
    """Raises like `verify_chain`."""
    scope.require_everything("the audit chain")
    return chain.waiting(tx)


def export_chain(tx: Tx, scope: Scope) -> Iterator[str]:
    """Line by line, as `domain.chain.export` has them. Raises like `verify_chain`."""
    scope.require_everything("the audit chain")
    return export.lines(chain.links(tx))
