"""Bringing mapping files into force: the first ones, where there are none yet, and any later ones (`adopt`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from mappings import load
from mappings.loading import read_texts
from mappings.policy import Policy
from sync.commands.access import authority
from sync.domain.access.cause import Cause
from sync.domain.access.permissions import Permission
from sync.store import mappings
from sync.store.audit import trail
from sync.store.database.transactions import Database, Tx
from sync.store.mappings import Adopted
from sync.views.mappings import InForce, in_force


def adopt_first(db: Database, folder: Path | None, by: Cause, now: datetime) -> InForce:
    """Adopt the files of a folder, or (None) of this version, unless there are some in force: then those are
    answered. Of several that start at once one is the first.

    Raises MappingErrors, and adopts nothing, if the files are wrong; Misconfigured if this version cannot read
    those in force.
    """
    with db.read() as tx:
        found = mappings.newest(tx)
    if found is not None:
        return in_force(found)
    files, policy = read_texts(folder), load(folder)
    with db.write() as tx:
        mappings.adopt_one_at_a_time(tx)
        found = mappings.newest(tx) or put_in_force(tx, None, files, policy.fingerprint, by, now)
    return in_force(found)


def put_in_force(
    tx: Tx, policy: Policy | None, files: Mapping[str, str], fingerprint: str, by: Cause, now: datetime
) -> Adopted:
    """From the commit on these files are in force. The caller holds `mappings.adopt_one_at_a_time`; `policy` is
    what is in force until then, None: nothing. Raises NotAllowed."""
    granted = authority.allow(tx, policy, by, Permission.ADOPT_MAPPINGS, now)
    before = mappings.newest(tx)
    number = before.number + 1 if before else 1
    adopted = Adopted(number, fingerprint, now, by.name, by.reason, files)
    mappings.insert(tx, granted, adopted)
    trail.audit(
        tx,
        account_id=None,
        action="adopt the mapping files",
        changed={
            "policy": (before.number if before else None, number),
            "fingerprint": (before.fingerprint if before else None, fingerprint),
        },
        by=by,
        now=now,
    )
    return adopted
