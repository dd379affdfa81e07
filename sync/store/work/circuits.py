"""The circuits as rows, shared by all workers: read freely, changed under a lock on the row (H2).

While a system works nothing is written here. What a report means is decided in `sync.domain.work.circuit`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import uuid4

from sqlalchemy import CTE, ColumnElement, RowMapping, case, null, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sync.domain.access.granted import Granted
from sync.domain.work.circuit import Admission, Circuit, CircuitName, CircuitState
from sync.store.database.tables import circuit as circuits
from sync.store.database.tables import provisioning as work
from sync.store.database.transactions import Tx
from sync.store.work.lease_rows import free

FIELDS = tuple(each.name for each in fields(Circuit))


def get(tx: Tx, name: CircuitName) -> Circuit:
    """As it stands; one that was never written is closed."""
    return _read(tx, name, locking=False)


def every(tx: Tx) -> tuple[Circuit, ...]:
    """One for each name, in their order."""
    return tuple(get(tx, name) for name in CircuitName)


@dataclass(frozen=True, slots=True)
class Probe:
    """The one probe of a circuit; `token` recognises its report, `before` is the circuit without it."""

    before: Circuit
    token: str


def begin_probe(tx: Tx, name: CircuitName, now: datetime) -> Probe | None:
    """Become the probe of a circuit whose time has come; None if it has not or somebody else is. Of two at once
    one waits for the other's commit, and is told None."""
    before = _read(tx, name, locking=True)
    if before.admits(now) is not Admission.PROBE:
        return None
    token = str(uuid4())
    _write(tx, before.probing(token, now), now)
    return Probe(before, token)


def give_back(tx: Tx, probe: Probe, now: datetime) -> None:
    """Nothing was there to probe with; in the transaction that began the probe."""
    _write(tx, probe.before, now)


def change(tx: Tx, name: CircuitName, to: Callable[[Circuit], Circuit], now: datetime) -> Circuit:
    """Apply a report and what follows from it for the accounts that wait: where the circuit opens, the attempts
    that failed on the way are taken back; where it closes, all that waited are due. Returns the circuit after it.

    Call it in a transaction that has locked no account: this locks the circuit and then accounts.
    """
    before = _locked(tx, name, now)
    after = to(before)
    if after == before:
        return before
    _write(tx, after, now)
    if before.closed and not after.closed:
        _take_back_attempts(tx, name)
    if not before.closed and after.closed:
        _all_due(tx, name, now)
    return after


def put(tx: Tx, granted: Granted, name: CircuitName, to: Callable[[Circuit], Circuit], now: datetime) -> Circuit:  # noqa: ARG001
    """`change` by a person's hand, whatever the reports say."""
    return change(tx, name, to, now)


def probe_soon(tx: Tx, granted: Granted, name: CircuitName, now: datetime) -> bool:  # noqa: ARG001 - it was asked
    """A person says that the system is mended: probe at the next look. False: the circuit is closed, or a probe is
    on its way."""
    changed = tx.connection.execute(
        update(circuits)
        .where(circuits.c.name == name.value, circuits.c.state == CircuitState.OPEN.value)
        .values(probe_at=now, changed_at=now)
    )
    return changed.rowcount == 1


def _read(tx: Tx, name: CircuitName, *, locking: bool) -> Circuit:
    query = select(circuits).where(circuits.c.name == name.value)
    row = tx.connection.execute(tx.locking(query) if locking else query).mappings().one_or_none()
    return Circuit(name) if row is None else _from_row(row)


def _locked(tx: Tx, name: CircuitName, now: datetime) -> Circuit:
    """The row, made if it is missing, so that of two first failures the second waits and counts on."""
    insert = postgresql.insert if tx.dialect == "postgresql" else sqlite.insert
    tx.connection.execute(insert(circuits).values(_to_row(Circuit(name), now)).on_conflict_do_nothing())
    return _read(tx, name, locking=True)


def _write(tx: Tx, circuit: Circuit, now: datetime) -> None:
    tx.connection.execute(
        update(circuits).where(circuits.c.name == circuit.name.value).values(_to_row(circuit, now))
    )


def _take_back_attempts(tx: Tx, name: CircuitName) -> None:
    """Those that failed at this system alone since the account's last answer from it."""
    fewer = case((work.c.attempts > work.c.waits_attempts, work.c.attempts - work.c.waits_attempts), else_=0)
    chosen = _waiting(name, work.c.waits_attempts > 0)
    tx.connection.execute(
        update(work)
        .where(work.c.account_id.in_(select(chosen.c.account_id)))
        .values(attempts=fewer, waits_attempts=0)
    )


def _all_due(tx: Tx, name: CircuitName, now: datetime) -> None:
    chosen = _waiting(name, free(work, now))
    sooner = case((work.c.due_at < now, work.c.due_at), else_=now)
    tx.connection.execute(
        update(work)
        .where(work.c.account_id.in_(select(chosen.c.account_id)))
        .values(
            due_at=sooner,
            waits_for=null(),
            waits_code=null(),
            waits_reason=null(),
            waits_since=null(),
            waits_attempts=null(),
        )
    )


def _waiting(name: CircuitName, *more: ColumnElement[bool]) -> CTE:
    """The accounts that wait for the system. Those that somebody else is writing are passed over: two transactions
    with many accounts could wait for each other."""
    query = select(work.c.account_id).where(work.c.waits_for == name.value, *more)
    return query.with_for_update(skip_locked=True).cte("waiting")


def _to_row(circuit: Circuit, now: datetime) -> dict[str, object]:
    row: dict[str, object] = {name: getattr(circuit, name) for name in FIELDS}
    return row | {"name": circuit.name.value, "state": circuit.state.value, "changed_at": now}


def _from_row(row: RowMapping) -> Circuit:
    values = {name: row[name] for name in FIELDS}
    return Circuit(**values | {"name": CircuitName(row["name"]), "state": CircuitState(row["state"])})
