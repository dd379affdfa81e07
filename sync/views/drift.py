"""What differs from Keycloak and how far a comparison is, as doors show it (G4). Comparisons are of the whole
company, and so is what they find: every view raises Refused for a scope of one branch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sync.desk import Desk
from sync.domain.access.scope import Scope
from sync.domain.drift.touches import Touch
from sync.domain.errors import NotFound, Problem, Refused
from sync.domain.work.lane import Lane, worker_command
from sync.store import schedule
from sync.store.database.tables import DriftState
from sync.store.database.transactions import Tx
from sync.store.drift import comparisons, findings, foreign_users, touches
from sync.store.drift.comparisons import Comparison
from sync.store.drift.findings import Finding
from sync.store.drift.foreign_users import ForeignUser
from sync.store.operations import heartbeats
from sync.store.runs import runs
from sync.store.runs.runs import Run
from sync.store.work import lanes

WHAT = "comparisons with Keycloak"


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """`waits`: why it has not begun, None where nothing is known to be in its way."""

    comparison: Comparison
    waits: str | None

    @property
    def ended(self) -> bool:
        return self.comparison.finished_at is not None


@dataclass(frozen=True, slots=True)
class DriftView:
    """The last comparison of each kind, how many findings are open, by attribute, and repairs that wait for an
    approval, the newest."""

    comparisons: tuple[Comparison, ...]
    open: Mapping[str, int]
    held: tuple[Run, ...]


def drift_view(tx: Tx, scope: Scope) -> DriftView:
    scope.require_everything(WHAT)
    latest = [comparisons.latest(tx, "comparison"), comparisons.latest(tx, "attribute-pass")]
    return DriftView(
        tuple(each for each in latest if each is not None),
        findings.open_by_attribute(tx),
        runs.recent(tx, 1, "repair", "held"),
    )


def list_findings(
    tx: Tx, scope: Scope, states: Collection[DriftState], limit: int | None, after: str | None = None
) -> tuple[Finding, ...]:
    """The oldest first, or those `after` the finding with this id."""
    scope.require_everything(WHAT)
    return findings.listed(tx, states=states, limit=limit, after=after)


def one_finding(tx: Tx, scope: Scope, finding_id: str) -> Finding:
    """Raises NotFound."""
    scope.require_everything(WHAT)
    found = findings.get(tx, finding_id)
    if found is None:
        raise NotFound([Problem("finding", f"{finding_id} does not exist", "see fsm-identity drift list")])
    return found


def find_finding(desk: Desk, scope: Scope, ending: str) -> Finding:
    """By its id or the last characters of it. Raises NotFound, Refused if several end like this."""
    scope.require_everything(WHAT)
    with desk.db.read() as tx:
        found = findings.ending_in(tx, ending.strip())
    if not found or not ending.strip():
        raise NotFound([Problem("finding", f"{ending} does not exist", "see fsm-identity drift list")])
    if len(found) > 1:
        raise Refused([Problem("finding", f"{len(found)} findings end in {ending}", "write more of it")])
    return found[0]


def changed_by(desk: Desk, scope: Scope, finding: Finding) -> tuple[Touch, ...]:
    """Who may have made it differ, as far as Keycloak's events tell, the first before the last. Empty: nobody
    knows."""
    scope.require_everything(WHAT)
    with desk.db.read() as tx:
        return touches.behind(tx, finding)


def list_foreign_users(tx: Tx, scope: Scope, limit: int | None) -> tuple[ForeignUser, ...]:
    """Users in Keycloak that are not ours, by username."""
    scope.require_everything(WHAT)
    return foreign_users.listed(tx, limit)


def comparison_view(desk: Desk, scope: Scope, comparison_id: str) -> ComparisonView:
    scope.require_everything(WHAT)
    now = desk.clock.now()
    with desk.db.read() as tx:
        found = comparisons.get(tx, comparison_id)
        served = any(Lane.RECONCILE.value in each.lanes and not each.is_gone(now) for each in heartbeats.seen(tx))
        paused = lanes.is_paused(tx, Lane.RECONCILE)
        errors = [each.error for each in schedule.all_jobs(tx) if each.name == found.kind and each.error]
    if found.state != "asked":
        return ComparisonView(found, None)
    if paused:
        return ComparisonView(found, "the lane reconcile is paused: fsm-identity ops resume reconcile")
    if not served:
        return ComparisonView(
            found,
            f"no worker serves the lane reconcile; start one: {worker_command(Lane.RECONCILE)}",
        )
    return ComparisonView(found, errors[0][1] if errors else None)
