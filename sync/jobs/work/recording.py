"""What came of one look at one account, and what is written down about it: one commit, or nothing if the
lease was lost."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mappings.policy import Policy
from sync.commands.deactivation.refused import put_back
from sync.domain.deactivation.gate import GateVerdict, OpenWorkOrder
from sync.domain.errors import Failure, Misconfigured
from sync.domain.provisioning.change import AnyChange
from sync.domain.provisioning.desired import does_field_work
from sync.domain.provisioning.observed import NotLookedAt, Observed
from sync.domain.work.circuit import CircuitName
from sync.domain.work.ladder import HOLD_LOOK, Step, Work, after
from sync.store.accounts import accounts
from sync.store.database.transactions import Tx
from sync.store.deactivation import deactivations
from sync.store.mail import outbox
from sync.store.operations import latency
from sync.store.provisioning import finishing
from sync.store.provisioning.finishing import Finished, Stuck
from sync.store.work import circuits
from sync.store.work.account_claims import Claim


@dataclass(frozen=True, slots=True)
class Applied:
    """Keycloak is as wanted. `created`: the user did not exist before this account (or an earlier try landed
    unnoticed). `as_sent`: `observed` is what was sent, and nobody has looked. `stranded`: open work orders by
    technician id that nobody can do any more."""

    idp_user_id: str
    changes: tuple[AnyChange, ...]
    created: bool = False
    observed: Observed | None = None
    as_sent: bool = False
    withdrew_technician: bool = False
    stranded: Mapping[str, tuple[OpenWorkOrder, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Withheld:
    """The gate said no: access stays as it was, and the deactivation or the change is held or refused."""

    idp_user_id: str
    changes: tuple[AnyChange, ...]
    verdict: GateVerdict
    work_orders: tuple[OpenWorkOrder, ...]
    observed: Observed


@dataclass(frozen=True, slots=True)
class Failed:
    """`changes` were made before it, or although it failed, and left the user as `observed`. None: it is not known
    what Keycloak holds."""

    failure: Failure
    changes: tuple[AnyChange, ...] = ()
    observed: Observed | None = None


Outcome = Applied | Withheld | Failed


def record(
    tx: Tx,
    policy: Policy,
    claim: Claim,
    outcome: Outcome,
    now: datetime,
    keycloak: CircuitName = CircuitName.KEYCLOAK,
) -> None:
    """Write the outcome and everything that follows from it. Nothing is written if the lease was lost. `keycloak`
    is the circuit of the gateway that was used."""
    match outcome:
        case Applied():
            record_applied(tx, policy, [(claim, outcome)], now)
        case Withheld():
            _record_withheld(tx, policy, claim, outcome, now)
        case Failed():
            finishing.finish(tx, claim, _failed(tx, claim, outcome, now, keycloak), now)


def record_applied(tx: Tx, policy: Policy, done: Sequence[tuple[Claim, Applied]], now: datetime) -> None:
    """Write down all of them together, with few statements however many they are. Whose lease was lost is left
    out. Raises Conflict, with nothing to be kept, if Keycloak's id of one belongs to another account."""
    finished = [(claim, _applied(policy, claim, outcome, now)) for claim, outcome in done]
    written = finishing.finish_all(tx, finished, now)
    kept = [(written[claim.account.id], claim, each) for claim, each in done if claim.account.id in written]
    linked = {
        claimed: outcome.idp_user_id for claimed, claim, outcome in kept if claim.account.idp_user_id is None
    }
    accounts.remember_idp_user_ids(tx, linked)
    created = [claimed for claimed, _, outcome in kept if outcome.created]
    outbox.make_due(tx, created, now)
    for claimed, claim, outcome in kept:
        for technician_id, work_orders in sorted(outcome.stranded.items()):
            deactivations.strand(tx, claimed, technician_id, work_orders, now)
        if claim.deactivation is not None:
            deactivations.complete(tx, claimed, claim.deactivation.id, now)
    working = {
        claimed: str(claim.account.technician_id)
        for claimed, claim, _ in kept
        if does_field_work(claim.account, policy)
    }
    deactivations.resolve_stranded(tx, working, now)
    took = {
        claimed: (claim.lane, now - claim.wanted_at)
        for claimed, claim, _ in kept
        if claim.wanted_at is not None and claim.applied_version != claim.wanted_version
    }
    latency.add(tx, took)


def _applied(policy: Policy, claim: Claim, outcome: Applied, now: datetime) -> Finished:
    return Finished(
        outcome="applied",
        applied_version=claim.wanted_version,
        due_at=_next_look(policy, claim, outcome, now),
        attempts=0,
        quarantine=None,
        held_work_orders=None,
        observed=outcome.observed,
        as_sent=outcome.as_sent,
        changes=outcome.changes,
        error=None,
    )


def _next_look(policy: Policy, claim: Claim, outcome: Applied, now: datetime) -> datetime | None:
    """After an access token's life, where work may slip in until then (D3, rule: ask-the-gate); also where a
    worker that died had ended the access, and only the rest was left to do. At the end of a lockout (A8)."""
    if outcome.observed is not None and not isinstance(outcome.observed.lock, NotLookedAt):
        lifts_at = outcome.observed.lock.until
        if lifts_at is not None and lifts_at > now:
            return lifts_at
    if outcome.withdrew_technician or claim.deactivation is not None:
        return now + timedelta(seconds=policy.realm.sessions.access_token_seconds + 1)
    return None


def _record_withheld(tx: Tx, policy: Policy, claim: Claim, outcome: Withheld, now: datetime) -> None:
    refused = outcome.verdict is GateVerdict.REFUSED
    finished = Finished(
        outcome="refused" if refused else "held",
        applied_version=claim.applied_version,
        due_at=now if refused else now + HOLD_LOOK,
        attempts=0,
        quarantine=None,
        held_work_orders=None if refused else outcome.work_orders,
        observed=outcome.observed,
        changes=outcome.changes,
        error=None,
    )
    claimed = finishing.finish(tx, claim, finished, now)
    if claimed is None or claim.deactivation is None:
        return
    if not refused:
        deactivations.hold(tx, claimed, claim.deactivation.id, outcome.work_orders, now)
    elif deactivations.refuse(tx, claimed, claim.deactivation.id, outcome.work_orders, now):
        put_back(tx, policy, claim.deactivation, len(outcome.work_orders), now)


def _failed(tx: Tx, claim: Claim, outcome: Failed, now: datetime, keycloak: CircuitName) -> Finished:
    """As the ladder says, with what it waits for (H2)."""
    failure = outcome.failure
    name = _circuit_name(failure, keycloak)
    circuit = None if name is None else circuits.get(tx, name)
    probe_in = None if circuit is None else circuit.probe_in(now)
    chance = random.random()  # noqa: S311 - jitter
    then = after(failure, claim.attempts, Work.ACCOUNT, chance, probe_in=probe_in)
    quarantined = then.step is Step.PERSON
    waits: str | None = None
    if name is not None or isinstance(failure, Misconfigured):
        waits = name.value if name is not None else "configuration"
    return Finished(
        outcome="quarantined" if quarantined else "retry",
        applied_version=claim.applied_version,
        due_at=None if then.wait is None else now + then.wait,
        attempts=claim.attempts + 1 if then.burns else None,
        quarantine=Stuck(failure.kind, failure.cause, str(failure)) if quarantined else None,
        differences=failure.differences if quarantined else None,
        held_work_orders=None,
        observed=outcome.observed,
        changes=outcome.changes,
        error=f"{failure.kind}: {failure}",
        waits=None if waits is None else Stuck(waits, failure.cause, str(failure)),
    )


def _circuit_name(failure: Failure, keycloak: CircuitName) -> CircuitName | None:
    match failure.system:
        case "keycloak":
            return keycloak
        case "fsm":
            return CircuitName.FSM
        case _:
            return None
