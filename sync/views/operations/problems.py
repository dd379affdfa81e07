"""What is wrong just now, since when, and what mends it: for `ops status` and whoever else shows it to an operator
(H3).

Reads our database only, so it answers while everything else is away. What a worker says of itself stands with the
workers (`sync.store.operations.heartbeats`), paused lanes with the lanes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from sync.domain.access.scope import Scope
from sync.domain.errors import Failure, FailureCode
from sync.domain.work.circuit import Circuit, CircuitName, CircuitState
from sync.store.database.transactions import Tx
from sync.store.deactivation import reassignments
from sync.store.operations import troubles
from sync.store.operations.troubles import Trouble
from sync.store.provisioning import stuck
from sync.store.provisioning.stuck import StuckGroup
from sync.store.work import circuits

SYSTEMS = {
    CircuitName.KEYCLOAK: "Keycloak",
    CircuitName.KEYCLOAK_IMPORT: "Keycloak, for the bulk lane,",
    CircuitName.FSM: "the FSM system",
}

BY_ITSELF = "work goes on by itself after it; docs/operations.md, 'A circuit is open'"

REMEDIES = {
    "conflict": "somebody else has the name or the id: rename or adopt the other user",
    "unsafe": "fsm-identity does not touch this user: look at it in Keycloak's console",
    "needs-person": "mend what the reason names",
}


def problems(tx: Tx, scope: Scope, now: datetime, but: Collection[str] = ()) -> tuple[Trouble, ...]:
    """The gravest first: what stops a whole system, what a process met (without the notes named in `but`), what
    single accounts wait for. Raises Refused for a scope of one branch."""
    scope.require_everything("operations")
    waiting = [group for group in stuck.waiting_groups(tx) if group.kind == "configuration"]
    return (
        *_circuits(tx, now),
        *(_not_disabled(group) for group in waiting if _is(group, FailureCode.NOT_DISABLED)),
        *troubles.noted(tx, now, but),
        *(_waiting(group) for group in waiting if not _is(group, FailureCode.NOT_DISABLED)),
        *_reassignments(tx, now),
        *(_quarantined(group) for group in stuck.quarantine_groups(tx)),
    )


REASSIGNMENT_TOO_OLD = timedelta(minutes=5)


def _reassignments(tx: Tx, now: datetime) -> Iterator[Trouble]:
    for each in reassignments.waiting(tx):
        if now - each.asked_at > REASSIGNMENT_TOO_OLD:
            why = f": {each.failure}" if each.failure else ""
            yield Trouble(
                f"the work orders of {each.technician_id} are not yet moved to {each.to_technician_id}{why}",
                each.asked_at,
                "see what stops the lane interactive or the FSM system; it goes on by itself; "
                "docs/operations.md, 'Work orders are not moved'",
            )


def _circuits(tx: Tx, now: datetime) -> Iterator[Trouble]:
    for circuit in circuits.every(tx):
        if not circuit.closed:
            what = f"{SYSTEMS[circuit.name]} cannot be used ({_probe(circuit, now)}): {circuit.reason}"
            yield Trouble(what, circuit.opened_at, _remedy(circuit))


def _probe(circuit: Circuit, now: datetime) -> str:
    if circuit.state is CircuitState.HALF_OPEN:
        return "circuit half-open, a probe is on its way"
    if circuit.probe_at is None or circuit.probe_at <= now:
        return "circuit open, the next account probes"
    return f"circuit open, probe in {(circuit.probe_at - now).total_seconds():.0f} s"


def _remedy(circuit: Circuit) -> str:
    if circuit.kind == "misconfigured":
        return f"mend what the message names; {BY_ITSELF}"
    return f"see that it runs and can be reached from the workers; {BY_ITSELF}"


def _is(group: StuckGroup, code: FailureCode) -> bool:
    return Failure.code_of(group.code) == code


def _not_disabled(group: StuckGroup) -> Trouble:
    people = "1 leaver is" if group.count == 1 else f"{group.count} leavers are"
    return Trouble(
        f"{people} not disabled in Keycloak: {group.reason}",
        group.since,
        "mend what the message names; it is tried again by itself within minutes; "
        "docs/operations.md, 'Leavers who are not disabled'",
    )


def _waiting(group: StuckGroup) -> Trouble:
    return Trouble(
        f"{_accounts(group)} until it is mended: {group.reason}",
        group.since,
        "mend what the message names; the accounts are tried again by themselves within minutes",
    )


def _quarantined(group: StuckGroup) -> Trouble:
    remedy = REMEDIES.get(group.kind, REMEDIES["needs-person"])
    return Trouble(
        f"{_accounts(group)} in quarantine ({group.kind}): {group.reason}",
        group.since,
        f"{remedy}, then fsm-identity ops retry; docs/operations.md, 'Accounts in quarantine'",
    )


def _accounts(group: StuckGroup) -> str:
    return "1 account waits" if group.count == 1 else f"{group.count} accounts wait"
