"""Whether Keycloak has what is wanted of an account yet: what a door asks again and again while it waits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.acts import Act
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.deactivation.request import DeactivationState
from sync.domain.errors import NotFound, Problem
from sync.store import acts
from sync.store.audit.timeline import TimelineEntry, read_timeline
from sync.store.database.transactions import Tx
from sync.store.deactivation import deactivations
from sync.store.provisioning import work_state
from sync.views.accounts.find import within

TRIES = ("keycloak", "deactivation")
"""Kinds of timeline entries that tell how a change of an account fares."""


class Settled(StrEnum):
    """How far a change of an account is. All but WAITING are outcomes."""

    WAITING = "waiting"
    APPLIED = "applied"
    HELD = "held"
    REFUSED = "refused"
    QUARANTINED = "quarantined"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class Settling:
    """`work_orders` hold it; `quarantine` is (kind, reason); `mend` is what somebody has to mend first."""

    state: Settled
    work_orders: tuple[OpenWorkOrder, ...] = ()
    quarantine: tuple[str, str] | None = None
    mend: str | None = None


def settling(tx: Tx, scope: Scope, wanted: Account) -> Settling:
    """`wanted` is the account as it was asked for: what the work-order gate refused of it is not wanted any more
    (D4). Raises NotFound, for an account outside the scope too."""
    account = within(tx, scope, wanted.id)
    work = work_state.of_account(tx, wanted.id)
    if work is not None and work.quarantine is not None:
        return Settling(Settled.QUARANTINED, quarantine=work.quarantine)
    if work is not None and work.held_work_orders:
        return Settling(Settled.HELD, work_orders=work.held_work_orders)
    if work is not None and work.waits is not None and work.waits[0] == "configuration":
        return Settling(Settled.STUCK, mend=work.waits[1])
    if work is None or not work.applied:
        return Settling(Settled.WAITING)
    kept = all(getattr(account, each) == getattr(wanted, each) for each in ("life", "profile", "technician_id"))
    refused = not kept and deactivations.newest_state(tx, wanted.id) is DeactivationState.REFUSED
    return Settling(Settled.REFUSED if refused else Settled.APPLIED)


def last_try(tx: Tx, scope: Scope, account_id: str) -> TimelineEntry | None:
    """The newest entry of the timeline that a worker made of what was asked for last; None before one came. What
    was done earlier is no try of it, and a mail says nothing about Keycloak. Raises like `settling`."""
    told = read_timeline(tx, within(tx, scope, account_id).id)
    since = max((place for place, entry in enumerate(told) if entry.kind == "asked"), default=-1)
    tries = [entry for entry in told[since + 1 :] if entry.kind in TRIES]
    return tries[-1] if tries else None


def act_state(tx: Tx, scope: Scope, act_id: str) -> Act:
    """A one-shot act as it is now. Raises NotFound, for one of an account outside the scope too."""
    found = acts.get(tx, act_id)
    if found is None:
        raise NotFound([Problem("act", f"{act_id} does not exist", "see fsm-identity account show")])
    within(tx, scope, found.account_id)
    return found
