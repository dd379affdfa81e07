"""The audit trail as a list: who did what, when and why (G1, A7)."""

from __future__ import annotations

from sync.domain.access.scope import Scope
from sync.store.audit import listing
from sync.store.audit.listing import AuditEntry, AuditQuery
from sync.store.database.transactions import Tx


def list_audit(tx: Tx, scope: Scope, query: AuditQuery) -> tuple[AuditEntry, ...]:
    """The newest first. For one branch only what was done to accounts that are in it now: the company's own doings
    are told to who administers all of it."""
    return listing.entries(tx, scope.branch, query)
