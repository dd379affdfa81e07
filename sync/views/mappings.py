"""The policy in force: that of the newest mapping files in our database, the same for all processes everywhere.

Processes load it at their start and notice a newer one by its number. The files on a machine are a proposal;
reading adopts nothing (`sync.commands.mappings` does).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from mappings import MappingErrors, load
from mappings.company_attributes import keys_in
from mappings.loading import load_texts, read_texts
from mappings.policy import Policy
from sync.domain.errors import Misconfigured, NotFound, Problem
from sync.store import mappings
from sync.store.database.transactions import Database
from sync.store.mappings import Adopted

NONE_IN_FORCE = (
    "no mapping files are in force yet: fsm-identity mappings adopt --first brings those of this machine"
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy and its number among those that were adopted."""

    policy: Policy
    number: int
    files: Mapping[str, str]


def policy_in_force(db: Database) -> InForce:
    """Raises Misconfigured if no files were adopted yet, or if this version cannot read those in force; Transient
    if our database is away."""
    with db.read() as tx:
        found = mappings.newest(tx)
    if found is None:
        raise Misconfigured(NONE_IN_FORCE)
    return in_force(found)


def adoptions(db: Database, limit: int | None) -> tuple[Adopted, ...]:
    """What was adopted, the newest, which is in force, first."""
    with db.read() as tx:
        return mappings.recent(tx, limit)


def adoption(db: Database, number: int) -> Adopted:
    """Raises NotFound."""
    with db.read() as tx:
        found = mappings.numbered(tx, number)
    if found is None:
        raise NotFound([Problem("policy", f"there is no policy {number}", "see fsm-identity mappings history")])
    return found


def in_force(adopted: Adopted) -> InForce:
    """Raises Misconfigured if this version cannot read the files."""
    return InForce(policy_of(adopted), adopted.number, adopted.files)


def policy_of(adopted: Adopted) -> Policy:
    """Raises Misconfigured if this version cannot read the files."""
    try:
        policy = load_texts(adopted.files, f"in force ({adopted.number})")
    except MappingErrors as errors:
        raise Misconfigured(
            f"the mapping files in force do not fit this version of fsm-identity: {errors}"
        ) from None
    before = {key for text in adopted.earlier_attributes for key in keys_in(text)}
    return replace(policy, retired_attributes=frozenset(before - policy.attributes.keys()))


def warn_of_other_files(known: InForce, folder: Path | None) -> None:
    """One line if the files of this machine mean something else than what is in force."""
    try:
        if read_texts(folder) == known.files or load(folder).fingerprint == known.policy.fingerprint:
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
        in_force=known.number,
    )


class CurrentPolicy:
    """The policy in force for a process that lives long: read again when a newer one was adopted."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: InForce | None = None

    def __call__(self) -> Policy:
        """Raises like `policy_in_force`."""
        return self.in_force().policy

    def in_force(self) -> InForce:
        """With its number. Raises like `policy_in_force`."""
        known = self._known
        if known is not None:
            with self._db.read() as tx:
                number = mappings.newest_number(tx)
            if number == known.number:
                return known
        self._known = known = policy_in_force(self._db)
        return known
