"""The mapping files that were adopted, as texts; the last are in force. Use cases make a Policy of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text

from sync.domain.access.granted import Granted
from sync.domain.errors import Transient
from sync.store.database.tables import policy as policies
from sync.store.database.transactions import Tx

_ADOPTING = 7_203_115
"""The number of PostgreSQL's advisory lock under which a policy is adopted: any constant of our own."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """`files` are texts by name. `number` counts from 1; the highest is in force. `earlier_attributes`: each text
    of attributes.toml that was in force before, read for the newest only."""

    number: int
    fingerprint: str
    adopted_at: datetime
    adopted_by: str
    reason: str
    files: Mapping[str, str]
    earlier_attributes: frozenset[str] = frozenset()


_COLUMNS = (
    policies.c.number,
    policies.c.fingerprint,
    policies.c.adopted_at,
    policies.c.adopted_by,
    policies.c.reason,
    policies.c.files,
)


def newest(tx: Tx) -> Adopted | None:
    found = tx.connection.execute(select(*_COLUMNS).order_by(policies.c.number.desc()).limit(1)).one_or_none()
    return None if found is None else Adopted(*found, earlier_attributes=_earlier_attributes(tx, found.number))


def _earlier_attributes(tx: Tx, number: int) -> frozenset[str]:
    text_of = policies.c.files["attributes.toml"].as_string()
    found = tx.connection.scalars(select(text_of).where(policies.c.number < number).distinct())
    return frozenset(each for each in found if each is not None)


def numbered(tx: Tx, number: int) -> Adopted | None:
    found = tx.connection.execute(select(*_COLUMNS).where(policies.c.number == number)).one_or_none()
    return None if found is None else Adopted(*found)


def newest_number(tx: Tx) -> int:
    """Of the policy in force; 0: none was adopted yet. One look at an index."""
    return int(tx.connection.scalar(select(func.max(policies.c.number))) or 0)


def recent(tx: Tx, limit: int | None) -> tuple[Adopted, ...]:
    """The newest first; None: all of them."""
    found = tx.connection.execute(select(*_COLUMNS).order_by(policies.c.number.desc()).limit(limit))
    return tuple(Adopted(*row) for row in found)


def adopt_one_at_a_time(tx: Tx) -> None:
    """Nobody else adopts a policy, and nobody decides by the one in force, until this transaction ends."""
    if tx.dialect == "postgresql":
        tx.connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ADOPTING})


def insert(tx: Tx, granted: Granted, adopted: Adopted) -> None:  # noqa: ARG001 - it was asked
    values = {column.name: getattr(adopted, column.name) for column in _COLUMNS}
    tx.connection.execute(policies.insert().values({**values, "files": dict(adopted.files)}))


def still_in_force(tx: Tx, number: int | None) -> bool:
    """True if the policy of this number is the one in force, and stays so until the transaction ends.

    `number` None: a Desk whose policy is not from our database."""
    if number is None:
        return True
    if tx.dialect == "postgresql":
        tx.connection.execute(text("SELECT pg_advisory_xact_lock_shared(:number)"), {"number": _ADOPTING})
    return newest_number(tx) == number


def refuse_outdated(tx: Tx, number: int | None) -> None:
    """What was decided by mapping files that are no longer in force is not stored. Raises Transient."""
    if not still_in_force(tx, number):
        raise Transient("other mapping files have just come into force, and nothing was stored")
