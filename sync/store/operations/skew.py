"""Hosts whose clocks differ from our database's, for operators (H5)."""

from __future__ import annotations

from datetime import datetime

from sync.store.database.clock import REMEDY, TOLERATED, database_time, skewed
from sync.store.database.transactions import Tx
from sync.store.operations import troubles


def note_skew(tx: Tx, host: str, own: datetime) -> datetime:
    """Keep for operators whether the host's clock differs from the database's; `own` is its time now. Returns the
    time that counts."""
    told = database_time(tx)
    if told is None:
        return own
    name = f"clock of {host}"
    if abs(told - own) > TOLERATED:
        troubles.note(tx, name, f"the clock of {host} is {skewed(told - own)}", REMEDY, told)
    elif troubles.is_noted(tx, name):
        troubles.clear(tx, name)
    return told
