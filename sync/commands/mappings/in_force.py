"""The policy in force: that of the newest mapping files in our database, the same for all processes everywhere.

Processes load it at their start and notice a newer one by its number. The files on a machine are a proposal: they
are adopted at the very first start, later only by `fsm-identity mappings adopt` (`adopt_mappings`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from mappings import MappingErrors, load
from mappings.loading import load_texts, read_texts
from mappings.policy import Policy
from sync.domain.accounts.change import Actor, Door
from sync.domain.errors import Misconfigured
from sync.store import audit, mappings
from sync.store.database.transactions import Database, Tx
from sync.store.mappings import Adopted

log = structlog.get_logger()

FIRST = Actor("fsm-identity", Door.MAPPINGS, "first start: there were none in force")


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy and its number among those that were adopted."""

    policy: Policy
    number: int
    files: Mapping[str, str]


def policy_in_force(db: Database, folder: Path | None, now: datetime) -> InForce:
    """Read it; if there is none yet, adopt the files of this process (None: those of the package).

    Raises MappingErrors if the files to adopt are wrong, Misconfigured if this version cannot read those in force.
    """
    with db.read() as tx:
        found = mappings.newest(tx)
    if found is None:
        found = _adopt_first(db, read_texts(folder), load(folder), now)
    return InForce(policy_of(found), found.number, found.files)


def policy_of(adopted: Adopted) -> Policy:
    """Raises Misconfigured if this version cannot read the files."""
    try:
        return load_texts(adopted.files, f"in force ({adopted.number})")
    except MappingErrors as errors:
        raise Misconfigured(
            f"the mapping files in force do not fit this version of fsm-identity: {errors}"
        ) from None


def _adopt_first(db: Database, files: Mapping[str, str], policy: Policy, now: datetime) -> Adopted:
    """Of several processes that start at once one is the first; the others take its files."""
    with db.write() as tx:
        mappings.adopt_one_at_a_time(tx)
        found = mappings.newest(tx)
        return found or adopt(tx, files, policy.fingerprint, FIRST, now)


def adopt(tx: Tx, files: Mapping[str, str], fingerprint: str, by: Actor, now: datetime) -> Adopted:
    """From the commit on these files are in force. The caller holds `policies.adopt_one_at_a_time`."""
    before = mappings.newest(tx)
    number = before.number + 1 if before else 1
    adopted = Adopted(number, fingerprint, now, by.name, by.reason, files)
    mappings.insert(tx, adopted)
    audit.audit(
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


def warn_of_other_files(in_force: InForce, folder: Path | None) -> None:
    """One line if the files of this machine mean something else than what is in force."""
    try:
        if read_texts(folder) == in_force.files or load(folder).fingerprint == in_force.policy.fingerprint:
            return
    except MappingErrors as errors:
        log.warning(
            "the mapping files of this machine are not good; those in force are used. "
            "See fsm-identity mappings check",
            reason=str(errors),
        )
        return
    where = "those of this version" if folder is None else str(folder)
    log.warning(
        "the mapping files of this machine are not those in force, which are used. See fsm-identity mappings plan",
        files=where,
        in_force=in_force.number,
    )


class CurrentPolicy:
    """The policy in force for a process that lives long: read again when a newer one was adopted."""

    def __init__(self, db: Database, folder: Path | None) -> None:
        self._db = db
        self._folder = folder
        self._known: InForce | None = None

    def __call__(self, now: datetime) -> Policy:
        """Raises like `policy_in_force`, and Transient if our database is away."""
        known = self._known
        if known is not None:
            with self._db.read() as tx:
                number = mappings.newest_number(tx)
            if number == known.number:
                return known.policy
        self._known = known = policy_in_force(self._db, self._folder, now)
        return known.policy
