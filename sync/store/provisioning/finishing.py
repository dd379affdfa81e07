"""Writing down what came of claims, and giving them back: one account or a batch, in few statements (H1).

`sync.jobs.work.recording` calls it inside the transaction that records; claims are in `account_claims`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, false, literal, null

from sync.domain.accounts.status import observation_of
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.errors import Difference
from sync.domain.provisioning.change import AnyChange
from sync.domain.provisioning.observed import Observed
from sync.domain.work.claimed import ClaimedAccount
from sync.store.accounts import accounts
from sync.store.database.columns import DifferenceList, UtcDateTime, WorkOrderList
from sync.store.database.tables import Outcome
from sync.store.database.tables import provisioning as work
from sync.store.database.transactions import Tx
from sync.store.provisioning import attempts, observations
from sync.store.provisioning.due import look_again
from sync.store.work import lease_rows
from sync.store.work.account_claims import Claim
from sync.store.work.lease_rows import ENDED


@dataclass(frozen=True, slots=True)
class Stuck:
    """Why an account does not go on. `kind` is the failure's, or what is waited for: a circuit's name, or
    "configuration". `code` is the failure's cause, the same for all that is mended together; `reason` is for
    people."""

    kind: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of a claim. `due_at` None: nothing more to do until somebody asks.

    `held_work_orders` None keeps those of the look before after a "retry", and clears them after any other
    outcome. `quarantine`: nobody looks again before a person asks; `differences` is what could not be made then.
    `waits`: a look again waits for something to be mended. `as_sent`: `observed` is what was sent, not seen.
    `attempts` None leaves them as they are.
    """

    outcome: Outcome
    applied_version: int | None
    due_at: datetime | None
    attempts: int | None
    quarantine: Stuck | None = None
    held_work_orders: tuple[OpenWorkOrder, ...] | None = None
    observed: Observed | None = None
    as_sent: bool = False
    changes: tuple[AnyChange, ...] = ()
    error: str | None = None
    waits: Stuck | None = None
    differences: tuple[Difference, ...] | None = None


def finish(tx: Tx, claim: Claim, result: Finished, now: datetime) -> ClaimedAccount | None:
    """`finish_all` for one. None: the lease was lost; nothing of it was written."""
    return finish_all(tx, [(claim, result)], now).get(claim.account.id)


def finish_all(tx: Tx, finished: Sequence[tuple[Claim, Finished]], now: datetime) -> Mapping[str, ClaimedAccount]:
    """Write down what came of each claim and give it back. Returns the accounts written, by id: those whose lease
    was not lost. After a "retry" it is still known that a worker ended over the account before: what it left half
    done may be there until the account is as wanted.

    If somebody asked for another look since the claim, the account stays due. Who has lost the lease may have
    written to Keycloak after somebody else's last look, so such an account is looked at once more. One statement
    for all that ended alike, so that a batch costs little more than one account.
    """
    accounts.lock_all(tx, [claim.account.id for claim, _ in finished])
    alike: dict[tuple[str, int, Finished], list[Claim]] = {}
    for claim, result in finished:
        same = replace(result, observed=None, changes=(), error=None)
        alike.setdefault((claim.lease.token, claim.asked, same), []).append(claim)
    written: dict[str, ClaimedAccount] = {}
    for (_, _, result), claims in alike.items():
        values = _values(claims[0], result, now)
        written |= lease_rows.write_all(tx, [claim.lease for claim in claims], values)
    kept = [(claim, result) for claim, result in finished if claim.account.id in written]
    observations.keep_all(
        tx,
        {
            written[claim.account.id]: observation_of(result.observed, now, as_sent=result.as_sent)
            for claim, result in kept
            if result.observed is not None
        },
    )
    attempts.record_all(tx, [_attempt(claim, result, now) for claim, result in kept])
    for claim, _ in finished:
        if claim.account.id not in written:
            look_again(tx, claim.account.id, claim.lane, now)
    return written


def _values(claim: Claim, result: Finished, now: datetime) -> dict[str, Any]:
    """What the row of the claim, and of every claim that ended like it, becomes."""
    stuck, waits = result.quarantine, result.waits
    same_system = work.c.waits_for == (waits.kind if waits else None)
    same = and_(same_system, work.c.waits_reason == (waits.reason if waits else None))
    values: dict[str, Any] = {
        **ENDED,
        "interrupted": work.c.interrupted if result.outcome == "retry" else false(),
        "applied_version": result.applied_version,
        "due_at": _unless_asked(claim, work.c.due_at, literal(result.due_at, UtcDateTime())),
        "waits_attempts": null() if result.waits is None else case((same_system, work.c.waits_attempts), else_=0),
        "quarantine_kind": _unless_asked(claim, null(), literal(stuck and stuck.kind, Text())),
        "quarantine_code": _unless_asked(claim, null(), literal(stuck and stuck.code, Text())),
        "quarantine_reason": _unless_asked(claim, null(), literal(stuck and stuck.reason, Text())),
        "quarantine_difference": _unless_asked(claim, null(), literal(result.differences, DifferenceList())),
        "waits_for": waits and waits.kind,
        "waits_code": waits and waits.code,
        "waits_reason": waits and waits.reason,
        "waits_since": null() if result.waits is None else case((same, work.c.waits_since), else_=now),
        "updated_at": now,
    }
    if result.attempts is not None:
        values["attempts"] = _unless_asked(claim, work.c.attempts, literal(result.attempts))
        if result.waits is not None:
            values["waits_attempts"] = case((same_system, work.c.waits_attempts + 1), else_=1)
    if result.held_work_orders is not None or result.outcome != "retry":
        held = literal(result.held_work_orders, WorkOrderList())
        values["held_work_orders"] = _unless_asked(claim, work.c.held_work_orders, held)
    return values


def _attempt(claim: Claim, result: Finished, now: datetime) -> attempts.Attempt:
    return attempts.Attempt(
        account_id=claim.account.id,
        version=claim.wanted_version,
        at=now,
        lane=claim.lane,
        outcome=result.outcome,
        changes=result.changes,
        error=result.error or _listed(result.held_work_orders),
    )


def _unless_asked(claim: Claim, kept: ColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((work.c.asked > claim.asked, kept), else_=new)


def _listed(work_orders: tuple[OpenWorkOrder, ...] | None) -> str | None:
    if not work_orders:
        return None
    return f"{len(work_orders)} open work orders: {', '.join(each.number for each in work_orders)}"
