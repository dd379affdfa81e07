"""The audit chain in our database: which entries wait for their number, and the links there are.

Triggers put each new entry among those that wait, in its own commit; the chainer alone (`sync.jobs.chain`) gives
numbers, in the order in which it sees what was committed. Nothing here ever changes a link.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select

from sync.domain.audit.link import BEGINNING, Entry, Head, link
from sync.domain.audit.verifying import Stored
from sync.domain.work.claimed import ClaimedJob
from sync.store.database.tables import audit, audit_chain, audit_waiting
from sync.store.database.transactions import Tx

PAGE = 500
"""Links that are read or made at once."""

_ENTRY = tuple(audit.c[each.name] for each in fields(Entry))


@dataclass(frozen=True, slots=True)
class Waiting:
    """Entries without a number. `since` is when the oldest was written; None: none waits."""

    count: int
    since: datetime | None


def waiting(tx: Tx) -> Waiting:
    count, since = tx.connection.execute(select(func.count(), func.min(audit_waiting.c.at))).one()
    return Waiting(count, since)


def head(tx: Tx) -> Head:
    """The newest link, or `BEGINNING`."""
    found = tx.connection.execute(
        select(audit_chain.c.number, audit_chain.c.hash).order_by(audit_chain.c.number.desc()).limit(1)
    ).one_or_none()
    return BEGINNING if found is None else Head(*found)


def chain_some(tx: Tx, claimed: ClaimedJob, now: datetime) -> int:  # noqa: ARG001 - the claim is the right to number
    """Give the next numbers to entries that wait, at most `PAGE`. Returns to how many."""
    rows = tx.connection.execute(
        select(*_ENTRY)
        .join(audit_waiting, audit_waiting.c.entry_id == audit.c.id)
        .order_by(audit_waiting.c.entry_id)
        .limit(PAGE)
    ).all()
    last, made = head(tx), list[dict[str, object]]()
    for row in rows:
        new = link(Entry(*row), last, now)
        last = new.head
        made.append({"number": new.number, "entry_id": new.entry_id, "body": new.body, "hash": new.hash})
    if made:
        tx.connection.execute(audit_chain.insert(), made)
        chained = [each["entry_id"] for each in made]
        tx.connection.execute(delete(audit_waiting).where(audit_waiting.c.entry_id.in_(chained)))
    return len(made)


def links(tx: Tx) -> Iterator[Stored]:
    """All links by number, each with the entry that it was made of; read page by page."""
    query = (
        select(audit_chain.c.number, audit_chain.c.body, audit_chain.c.hash, *_ENTRY)
        .outerjoin(audit, audit.c.id == audit_chain.c.entry_id)
        .order_by(audit_chain.c.number)
        .limit(PAGE)
    )
    for row in _pages(tx, query, audit_chain.c.number, 0):
        entry = None if row.id is None else Entry(**{each.name: row._mapping[each] for each in _ENTRY})
        yield Stored(row.body, row.number, row.hash, entry, compared=True)


def strangers(tx: Tx) -> Iterator[str]:
    """Ids of entries that have no link and do not wait for one: they came past the triggers."""
    known = select(audit_chain.c.entry_id).where(audit_chain.c.entry_id == audit.c.id)
    waits = select(audit_waiting.c.entry_id).where(audit_waiting.c.entry_id == audit.c.id)
    query = select(audit.c.id).where(~known.exists(), ~waits.exists()).order_by(audit.c.id).limit(PAGE)
    for row in _pages(tx, query, audit.c.id, ""):
        yield row.id


def _pages(tx: Tx, query: Any, key: Any, first: Any) -> Iterator[Row[Any]]:  # noqa: ANN401 - of any table
    """Rows by the key, which is the first column."""
    after = first
    while True:
        page = tx.connection.execute(query.where(key > after)).all()
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1][0]
