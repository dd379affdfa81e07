"""What somebody of one branch sees of another: nothing, in the words for what does not exist; and nothing at all
of what is not told apart by branch (I4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from sync.commands.accounts.change import change
from sync.commands.acts import unlock
from sync.commands.deactivation.reassign import reassign_work_orders
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.errors import NotFound, Refused
from sync.domain.logins.unused import Patience
from sync.domain.work.circuit import CircuitName
from sync.domain.work.lane import Lane
from sync.ports.field_service import Technician
from sync.store.accounts.query import AccountQuery
from sync.store.audit.listing import AuditQuery
from sync.store.deactivation.reassignments import Reassignment
from sync.store.operations import figures
from sync.store.reports import AccessQuery
from sync.views import deactivation, drift, imports, mail, reports, runs
from sync.views.accounts import account, assignability, find, leaving, listing, look, settling, versions
from sync.views.audit import chain
from sync.views.audit.listing import list_audit
from sync.views.operations import circuits, problems, quarantine, status, stops, troubles
from tests.wiring.test_what_doors_see import FOR_EVERYBODY, readers
from tests.world import BRANCH, BY, POLICY, World

pytestmark = pytest.mark.supports("I4")

THERE = next(key for key in POLICY.branches if key != BRANCH.key)
HERE = Scope.of_branch(BRANCH.key)

WHOLE_COMPANY: dict[str, Callable[[World], object]] = {
    "drift.drift_view": lambda w: w.read(lambda tx: drift.drift_view(tx, HERE)),
    "drift.list_findings": lambda w: w.read(lambda tx: drift.list_findings(tx, HERE, ["open"], 10)),
    "drift.find_finding": lambda w: drift.find_finding(w.systems, HERE, "abc"),
    "drift.changed_by": lambda w: drift.changed_by(w.systems, HERE, None),  # type: ignore[arg-type]
    "drift.list_foreign_users": lambda w: w.read(lambda tx: drift.list_foreign_users(tx, HERE, 10)),
    "drift.comparison_view": lambda w: drift.comparison_view(w.systems, HERE, "abc"),
    "imports.error_file": lambda w: imports.error_file(w.systems, HERE, None, "csv"),  # type: ignore[arg-type]
    "mail.unreachable": lambda w: w.read(lambda tx: mail.unreachable(tx, HERE, 1)),
    "mail.require_known": lambda w: w.read(lambda tx: mail.require_known(tx, HERE, ["a@example.com"])),
    "mail.failed": lambda w: w.read(lambda tx: mail.failed(tx, HERE, w.clock.now(), 1)),
    "runs.run_view": lambda w: w.read(lambda tx: runs.run_view(tx, HERE, "abc")),
    "runs.run_progress": lambda w: w.read(lambda tx: runs.run_progress(tx, HERE, "abc")),
    "runs.recent_runs": lambda w: w.read(lambda tx: runs.recent_runs(tx, HERE, 5)),
    "runs.find_run": lambda w: runs.find_run(w.systems, HERE, "last", None),
    "audit.chain.verify_chain": lambda w: w.read(lambda tx: chain.verify_chain(tx, HERE, {}, w.clock.now())),
    "audit.chain.waiting": lambda w: w.read(lambda tx: chain.waiting(tx, HERE)),
    "audit.chain.export_chain": lambda w: w.read(lambda tx: [*chain.export_chain(tx, HERE)]),
    "drift.one_finding": lambda w: w.read(lambda tx: drift.one_finding(tx, HERE, "abc")),
    "runs.run_state": lambda w: w.read(lambda tx: runs.run_state(tx, HERE, "abc")),
    "runs.run_rows_page": lambda w: w.read(lambda tx: runs.run_rows_page(tx, HERE, "abc", 0, 5)),
    "operations.circuits.every_circuit": lambda w: w.read(lambda tx: circuits.every_circuit(tx, HERE)),
    "operations.circuits.circuit": lambda w: w.read(lambda tx: circuits.circuit(tx, HERE, CircuitName.FSM)),
    "operations.problems.problems": lambda w: w.read(lambda tx: problems.problems(tx, HERE, w.clock.now())),
    "operations.quarantine.list_quarantine": lambda w: w.read(lambda tx: quarantine.list_quarantine(tx, HERE)),
    "operations.quarantine.quarantined": lambda w: w.read(lambda tx: quarantine.quarantined(tx, HERE)),
    "operations.status.operations_view": lambda w: w.read(
        lambda tx: status.operations_view(tx, HERE, w.clock.now())
    ),
    "operations.status.lane_is_served": lambda w: w.read(
        lambda tx: status.lane_is_served(tx, HERE, Lane.BULK, w.clock.now())
    ),
    "operations.stops.what_stops": lambda w: w.read(
        lambda tx: stops.what_stops(tx, HERE, Lane.BULK, w.clock.now())
    ),
    "operations.troubles.troubles": lambda w: w.read(
        lambda tx: troubles.troubles(tx, HERE, figures.read(tx, w.clock.now()), w.clock.now())
    ),
}
"""Views of what is not told apart by branch."""

ONE_ACCOUNT: dict[str, Callable[[World, Account], object]] = {
    "accounts.account.account_view": lambda w, a: w.read(
        lambda tx: account.account_view(tx, HERE, a.id, w.clock.now())
    ),
    "accounts.account.timeline_of": lambda w, a: w.read(lambda tx: account.timeline_of(tx, HERE, a.id)),
    "accounts.find.find": lambda w, a: w.read(lambda tx: find.find(tx, HERE, a.username)),
    "accounts.find.find_by_part": lambda w, a: w.read(lambda tx: find.find_by_part(tx, HERE, "tess.th")),
    "accounts.find.within": lambda w, a: w.read(lambda tx: find.within(tx, HERE, a.id)),
    "accounts.find.with_technician": lambda w, a: w.read(
        lambda tx: find.with_technician(tx, HERE, str(a.technician_id))
    ),
    "accounts.find.with_login": lambda w, a: w.read(lambda tx: find.with_login(tx, HERE, a.username)),
    "accounts.leaving.open_deactivation": lambda w, a: w.read(
        lambda tx: leaving.open_deactivation(tx, HERE, a.id)
    ),
    "accounts.versions.version_now": lambda w, a: w.read(lambda tx: versions.version_now(tx, HERE, a.id)),
    "accounts.versions.stated_now": lambda w, a: w.read(lambda tx: versions.stated_now(tx, HERE, a.id)),
    "accounts.versions.stated_in": lambda w, a: w.read(lambda tx: versions.stated_in(tx, HERE, a.id, 1)),
    "accounts.look.newest_look": lambda w, a: w.read(lambda tx: look.newest_look(tx, HERE, a.id)),
    "accounts.settling.settling": lambda w, a: w.read(lambda tx: settling.settling(tx, HERE, a)),
    "accounts.settling.last_try": lambda w, a: w.read(lambda tx: settling.last_try(tx, HERE, a.id)),
    "deactivation.reassignment": lambda w, a: w.read(
        lambda tx: deactivation.reassignment(tx, HERE, moving(w, a).id)
    ),
    "accounts.settling.act_state": lambda w, a: w.read(lambda tx: settling.act_state(tx, HERE, act_on(w, a))),
}
"""Views of one account, and what belongs to it."""

LISTS = {
    "accounts.listing.list_accounts",
    "accounts.listing.every_account",
    "accounts.listing.count_accounts",
    "accounts.assignability.assignability",
    "audit.listing.list_audit",
    "deactivation.recent_reassignments",
    "deactivation.stranded",
    "reports.access",
    "reports.unused",
}


def act_on(world: World, concerned: Account) -> str:
    return world.do(lambda tx: unlock(tx, POLICY, concerned.id, BY, world.clock.now())).id


def moving(world: World, giver: Account) -> Reassignment:
    """Work orders of this technician, asked to go to one of this branch."""
    taker = world.join_technician("T-2", "theo.here")
    world.work()
    return reassign_work_orders(world.systems, str(giver.technician_id), str(taker.technician_id), BY)


@pytest.fixture
def there(world: World) -> Account:
    """A technician of another branch."""
    made = world.join_technician("T-1", "tess.there")
    wanted = AccountChange(branch=THERE, team=None)
    return world.do(lambda tx: change(tx, POLICY, made.id, wanted, BY, world.clock.now()))


@pytest.mark.parametrize("view", WHOLE_COMPANY.values(), ids=WHOLE_COMPANY.keys())
def test_what_is_the_whole_companys_is_refused(world: World, view: Callable[[World], object]) -> None:
    """Whatever there is to see."""
    with pytest.raises(Refused, match="are for who administers the whole company"):
        view(world)


@pytest.mark.parametrize("view", ONE_ACCOUNT.values(), ids=ONE_ACCOUNT.keys())
def test_an_account_of_another_branch_does_not_exist(
    world: World, there: Account, view: Callable[[World, Account], object]
) -> None:
    """Neither does what belongs to it."""
    with pytest.raises(NotFound):
        view(world, there)


def test_a_branch_sees_work_orders_go_from_one_of_it_to_another(world: World) -> None:
    """Who may ask for it sees what becomes of it, wherever the technicians are by then."""
    giver = world.join_technician("T-1", "tess.here")
    asked = moving(world, giver)
    wanted = AccountChange(branch=THERE, team=None)
    world.do(lambda tx: change(tx, POLICY, giver.id, wanted, BY, world.clock.now()))
    assert world.read(lambda tx: deactivation.reassignment(tx, HERE, asked.id)) == asked
    assert world.read(lambda tx: deactivation.recent_reassignments(tx, HERE, 9)) == (asked,)
    assert world.read(lambda tx: deactivation.recent_reassignments(tx, Scope.of_branch(THERE), 9)) == ()
    with pytest.raises(NotFound):
        world.read(lambda tx: deactivation.reassignment(tx, Scope.of_branch(THERE), asked.id))


def test_lists_name_nobody_of_another_branch(world: World, there: Account) -> None:
    """Technicians without an account are nobody's branch."""
    here = world.join_technician("T-2", "theo.here")
    world.fsm.add(Technician("T-3", "Nobody's", None, assignable=True))
    page = world.read(lambda tx: listing.list_accounts(tx, HERE, AccountQuery()))
    everyone = listing.every_account(world.systems, HERE, AccountQuery(limit=1))
    assert [each.account.id for each in everyone] == [here.id]
    assert world.read(lambda tx: listing.count_accounts(tx, HERE, AccountQuery())) == 1
    assert [row.account.id for row in page.items] == [here.id]
    seen = {each.technician.id for each in assignability.assignability(world.systems, HERE)}
    assert seen == {"T-2"}
    assert {each.technician.id for each in assignability.assignability(world.systems, Scope.all())} == {
        "T-1",
        "T-2",
        "T-3",
    }
    assert there.id != here.id
    told = world.read(lambda tx: list_audit(tx, HERE, AuditQuery()))
    assert {each.account_id for each in told} == {here.id}
    moment = world.clock.now()
    past = reports.access(world.systems, HERE, AccessQuery(moment, limit=1))
    assert [row.account_id for _, row in past] == [here.id]
    past = reports.access(world.systems, HERE, AccessQuery(moment, account_id=there.id))
    assert list(past) == []
    world.clock.advance(timedelta(days=2))
    patience = Patience(timedelta(days=1), timedelta(days=1))
    unused = reports.unused(world.systems, HERE, patience, world.clock.now())
    assert [each.account.id for each in unused] == [here.id]


def test_no_view_is_left_out() -> None:
    """What reads our database is asked here with the eyes of one branch."""
    asked = WHOLE_COMPANY.keys() | ONE_ACCOUNT.keys() | LISTS | FOR_EVERYBODY.keys()
    assert asked == {name for name, _ in readers()}
