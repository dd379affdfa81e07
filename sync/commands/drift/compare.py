"""Asking for a comparison of all of Keycloak with what is wanted, now: the scheduled one is made due, with who
asked (H4). A worker of the lane reconcile carries it out; `sync.views.drift` shows how far it is."""

from __future__ import annotations

from datetime import timedelta

from sync.commands.access import authority
from sync.commands.perform import perform
from sync.desk import Desk
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.domain.work.lane import Lane
from sync.store import schedule
from sync.store.database.tables import ComparisonKind
from sync.store.database.transactions import Tx
from sync.store.drift import comparisons
from sync.store.drift.comparisons import Comparison


def ask_comparison(desk: Desk, kind: ComparisonKind, by: Cause) -> Comparison:
    """The comparison that is asked for; one that somebody else has asked for and that has not begun is the same.
    While another of the kind runs it comes after that. Raises NotAllowed."""

    def asked(tx: Tx) -> Comparison:
        now = desk.clock.now()
        granted = authority.allow(tx, desk.policy, by, Permission.COMPARE, now)
        schedule.register(tx, [kind], now)
        schedule.hasten(tx, kind, now, timedelta(0))
        return comparisons.ask(tx, granted, kind, now)

    return perform(desk, asked, wakes=Lane.RECONCILE)
