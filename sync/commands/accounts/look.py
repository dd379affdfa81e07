"""Asking for a look: a worker sees how the user is in Keycloak now, and changes nothing (A8)."""

from __future__ import annotations

from datetime import datetime

from sync.commands.waking import wake
from sync.desk import BareDesk
from sync.domain.work.lane import Lane
from sync.store.provisioning import looks


def ask_look(desk: BareDesk, account_id: str) -> datetime:
    """Ask for a look at the account, unless a worker is at it or about to be. Returns the time of asking: what is
    seen from then on is the answer. It is waited for at most a minute; later nobody would want it."""
    asked_at = desk.clock.now()
    with desk.db.write() as tx:
        looks.ask(tx, account_id, asked_at)
    wake(desk, Lane.INTERACTIVE)
    return asked_at
