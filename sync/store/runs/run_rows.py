"""The rows of runs: what was reviewed of each, and what became of it (F2-F5).

They are written once at the review; later only their results are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from sync.domain.work.claimed import ClaimedAccount, ClaimedJob, ClaimedRun
from sync.store.database.batches import batches
from sync.store.database.tables import PENDING_ROW, RowResult, RowVerdict
from sync.store.database.tables import run_row as run_rows
from sync.store.database.transactions import Tx


@dataclass(frozen=True, slots=True)
class RunRow:
    """`original` is the row as it stood in the file, `parsed` its cells by field; `changes` and `messages`
    are records of `sync.domain.imports.verdict`. `login_key` and `employee_number` say who it is about."""

    number: int
    original: Mapping[str, str]
    parsed: Mapping[str, Any] | None
    verdict: RowVerdict
    changes: Mapping[str, Any]
    messages: Mapping[str, Any]
    account_id: str | None = None
    base_version: int | None = None
    login_key: str | None = None
    employee_number: str | None = None
    result: RowResult | None = None
    result_message: str | None = None
    applied_version: int | None = None


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of one pending row. `applied_version` is the account's wanted version from then on."""

    number: int
    result: RowResult
    message: str | None = None
    account_id: str | None = None
    applied_version: int | None = None


_ROW_FIELDS = tuple(each.name for each in fields(RunRow))
_ROW = tuple(run_rows.c[name] for name in _ROW_FIELDS)
_DECIDED = tuple(name for name in _ROW_FIELDS if name not in {"original", "parsed"})


def add_rows(tx: Tx, run_id: str, rows: Sequence[RunRow]) -> None:
    """More rows of a run that is still being written, which nobody may confirm before `written`; or, with its
    confirmation, of whoever came after it was written."""
    if rows:
        written = [{"run_id": run_id} | {name: getattr(row, name) for name in _ROW_FIELDS} for row in rows]
        tx.connection.execute(run_rows.insert(), written)


def accounts_of(tx: Tx, run_id: str, account_ids: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
    """Of these accounts those that a row of the run is about, with what it changes."""
    found: dict[str, Mapping[str, Any]] = {}
    for some in batches(account_ids):
        rows_found = tx.connection.execute(
            select(run_rows.c.account_id, run_rows.c.changes).where(
                run_rows.c.run_id == run_id, run_rows.c.account_id.in_(some)
            )
        )
        found.update((row.account_id, row.changes) for row in rows_found)
    return found


def pending_of(tx: Tx, run_id: str, account_ids: Collection[str]) -> frozenset[str]:
    """Of these accounts those that a row is about that will be applied."""
    found: set[str] = set()
    for some in batches(account_ids):
        about_them = (run_rows.c.run_id == run_id, PENDING_ROW, run_rows.c.account_id.in_(some))
        found.update(tx.connection.scalars(select(run_rows.c.account_id).where(*about_them)))
    return frozenset(found)


def whom(tx: Tx, run_id: str) -> Iterator[tuple[int, tuple[str, str]]]:
    """Whom the rows that will be applied are about: a row's number with each name and value by which the person is
    known. To be compared in memory: a join on these would read every row of one run for every row of another."""
    names = ("account_id", "login_key", "employee_number")
    found = select(run_rows.c.number, *(run_rows.c[name] for name in names))
    for number, *values in tx.connection.execute(found.where(run_rows.c.run_id == run_id, PENDING_ROW)):
        known_by = zip(names, values, strict=True)
        yield from ((number, (name, value)) for name, value in known_by if value is not None)


def rows(tx: Tx, run_id: str) -> tuple[RunRow, ...]:
    """Every row, by number."""
    found = select(*_ROW).where(run_rows.c.run_id == run_id).order_by(run_rows.c.number)
    return tuple(RunRow(*row) for row in tx.connection.execute(found))


def some_rows(tx: Tx, run_id: str, after: int, limit: int) -> tuple[RunRow, ...]:
    """Rows by number, from the one after this number on."""
    found = select(*_ROW).where(run_rows.c.run_id == run_id, run_rows.c.number > after)
    return tuple(RunRow(*row) for row in tx.connection.execute(found.order_by(run_rows.c.number).limit(limit)))


def parsed_rows(tx: Tx, run_id: str) -> tuple[tuple[int, Mapping[str, Any]], ...]:
    """Number and `parsed` of every row, by number: all that a plan is made of."""
    found = select(run_rows.c.number, run_rows.c.parsed).where(run_rows.c.run_id == run_id)
    rows_found = tx.connection.execute(found.order_by(run_rows.c.number))
    return tuple((row.number, row.parsed or {}) for row in rows_found)


def pending(tx: Tx, run_id: str, limit: int | None) -> tuple[RunRow, ...]:
    """The next rows to apply, by number; None: all of them."""
    found = select(*_ROW).where(run_rows.c.run_id == run_id, PENDING_ROW).order_by(run_rows.c.number)
    return tuple(RunRow(*row) for row in tx.connection.execute(found.limit(limit)))


def pending_decided(tx: Tx, run_id: str, limit: int | None) -> tuple[RunRow, ...]:
    """`pending`, without what stood in the file: to read JSON is most of what it costs to read a row."""
    found = select(*(run_rows.c[name] for name in _DECIDED)).where(run_rows.c.run_id == run_id, PENDING_ROW)
    return tuple(
        RunRow(original={}, parsed=None, **dict(zip(_DECIDED, row, strict=True)))
        for row in tx.connection.execute(found.order_by(run_rows.c.number).limit(limit))
    )


def not_applied(tx: Tx, run_id: str) -> tuple[tuple[RowVerdict, Mapping[str, Any]], ...]:
    """Verdict and `messages` of every row that was to be applied and is not."""
    found = select(run_rows.c.verdict, run_rows.c.messages).where(
        run_rows.c.run_id == run_id,
        run_rows.c.verdict.in_(("create", "update")),
        or_(run_rows.c.result.is_(None), run_rows.c.result != "applied"),
    )
    return tuple((row.verdict, row.messages) for row in tx.connection.execute(found))


def write_outcomes(
    tx: Tx, _claimed: ClaimedRun | ClaimedAccount | ClaimedJob, run_id: str, outcomes: Iterable[RowOutcome]
) -> None:
    written = [
        {
            "of_number": each.number,
            "result": each.result,
            "result_message": each.message,
            "account_id": each.account_id,
            "applied_version": each.applied_version,
        }
        for each in outcomes
    ]
    if written:
        tx.connection.execute(
            update(run_rows)
            .where(run_rows.c.run_id == run_id, run_rows.c.number == bindparam("of_number"))
            .values({name: bindparam(name) for name in written[0] if name != "of_number"}),
            written,
        )
