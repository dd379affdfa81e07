"""`account change` and `technician unlink` of a technician with open work orders, as people type them (D4)."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from sync.commands.accounts.change import change
from sync.domain.access import vocabulary
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.entrypoints.cli import app
from sync.entrypoints.cli.accounts import account, technician
from sync.store.accounts import accounts
from sync.store.deactivation import deactivations
from tests.entrypoints.cli.conftest import Run, done
from tests.fakes.field_service import WorkOrder
from tests.world import BY, POLICY, World

pytestmark = pytest.mark.req("B4", "D1", "D4", "I3")

WHO = "tess.tal@example.com"
WAYS_OUT = [
    ("technician", "unlink", WHO),
    ("technician", "link", "T-3", WHO),
    ("account", "change", WHO, "--profile", "dispatcher"),
]
each_way_out = pytest.mark.parametrize("way_out", WAYS_OUT, ids=["unlink", "relink", "to the office"])


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command; a worker works at every wake."""
    for noun in (account, technician):
        monkeypatch.setattr(noun, "open_desk", lambda: world.systems)
    monkeypatch.setattr(world.wake, "wake", world.work)
    return lambda *arguments: CliRunner().invoke(app, [*arguments, "--reason", "moves to the office"])


@pytest.fixture
def tess(world: World, run: Run) -> Account:
    """A technician with an open work order; T-3 is nobody's and T-2 can take over."""
    tess = world.join_technician("T-1")
    world.join_technician("T-2", "theo.tor")
    spare = world.join_technician("T-3", "una.ulm")
    world.do(lambda tx: change(tx, POLICY, spare.id, AccountChange(technician_id=None), BY, world.clock.now()))
    world.fsm.allow_assignments("T-3", "stop-1")
    world.fsm.add(WorkOrder("WO-1", lead="T-1"))
    return tess


def works_as(world: World, tess: Account) -> tuple[bool, str | None]:
    """Whether Keycloak lets her work in the field, and as whom."""
    user = world.user(tess)
    (technician_id,) = user.attributes.get("technician_id", (None,))
    return vocabulary.FIELD_TECHNICIANS in user.groups, technician_id


def is_t1(world: World, tess: Account) -> bool:
    return works_as(world, tess) == (True, "T-1")


@each_way_out
def test_unless_something_else_is_said_it_is_refused_with_the_work_orders(
    run: Run, world: World, tess: Account, way_out: tuple[str, ...]
) -> None:
    before = world.read(lambda tx: accounts.get(tx, tess.id))
    said = run(*way_out)
    assert said.exit_code == 1
    assert "WO-1" in said.output
    assert "ask to hold the change until they are done" in said.output
    assert world.read(lambda tx: accounts.get(tx, tess.id)) == before
    assert is_t1(world, tess)


@each_way_out
def test_held_it_goes_on_by_itself_when_the_work_is_done(
    run: Run, world: World, tess: Account, way_out: tuple[str, ...]
) -> None:
    """The access stays meanwhile, nothing new is assigned, and everybody sees that it is held and until when."""
    said = done(run(*way_out, "--policy", "hold"))
    assert "WO-1" in said
    assert "is held by 1 open work order" in said
    assert is_t1(world, tess)
    assert not world.fsm.assign("WO-1", "T-1")
    [held] = world.read(lambda tx: deactivations.list_held(tx, Scope.all()))
    assert held.account.id == tess.id
    assert held.deactivation.deadline is not None
    world.fsm.reassign("T-1", "T-2")
    world.pass_time(120)
    world.work()
    assert not is_t1(world, tess)
    assert world.read(lambda tx: deactivations.list_held(tx, Scope.all())) == ()


@each_way_out
def test_forced_it_goes_on_at_once_and_the_work_is_left_for_somebody(
    run: Run, world: World, tess: Account, way_out: tuple[str, ...]
) -> None:
    assert "Keycloak has tess.tal@example.com as wanted" in done(run(*way_out, "--policy", "force", "--yes"))
    assert not is_t1(world, tess)
    [left] = world.read(lambda tx: deactivations.stranded(tx, Scope.all()))
    assert (left.technician_id, left.work_order.number) == ("T-1", "WO-1")


@each_way_out
def test_what_is_held_can_be_forced(run: Run, world: World, tess: Account, way_out: tuple[str, ...]) -> None:
    done(run(*way_out, "--policy", "hold"))
    said = run(*way_out, "--policy", "force", "--yes")
    assert "as wanted" in done(said)
    assert not is_t1(world, tess)


def test_what_mapping_files_or_an_import_began_can_be_forced(run: Run, world: World, tess: Account) -> None:
    """Nobody asked for a policy: the change is held, and a person who asks for the same by force goes on."""
    office = AccountChange(profile="dispatcher")
    world.do(lambda tx: change(tx, POLICY, tess.id, office, BY, world.clock.now()))
    world.work()
    assert is_t1(world, tess)
    done(run("account", "change", WHO, "--profile", "dispatcher", "--policy", "force", "--yes"))
    assert works_as(world, tess) == (False, "T-1")


def test_forcing_is_asked_about(run: Run, world: World, tess: Account) -> None:
    """Whoever does not say yes changes nothing."""
    assert run(*WAYS_OUT[0], "--policy", "force").exit_code == 1
    assert is_t1(world, tess)


@pytest.mark.req("D3")
@each_way_out
def test_work_that_comes_in_between_refuses_all_of_the_change(
    run: Run, world: World, tess: Account, way_out: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The door saw nothing open, the worker does: everything is as before, and the door says so."""
    world.fsm.reassign("T-1", "T-2")

    def work_with_more(lane: object) -> None:
        world.fsm.add(WorkOrder("WO-2", lead="T-1"))
        world.work()

    monkeypatch.setattr(world.wake, "wake", work_with_more)
    before = world.read(lambda tx: accounts.get(tx, tess.id))
    said = run(*way_out)
    assert said.exit_code == 1
    assert "refused, work orders came in between" in said.output
    assert is_t1(world, tess)
    assert world.read(lambda tx: accounts.get(tx, tess.id)) == before
    assert world.fsm.technician("T-1").assignable  # type: ignore[union-attr]


def test_what_was_changed_together_is_refused_together(
    run: Run, world: World, tess: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new name and a new number come back too."""
    world.fsm.reassign("T-1", "T-2")

    def work_with_more(lane: object) -> None:
        world.fsm.add(WorkOrder("WO-2", lead="T-1"))
        world.work()

    monkeypatch.setattr(world.wake, "wake", work_with_more)
    run(*WAYS_OUT[2], "--family-name", "Talbot", "--employee-number", "E-99")
    account = world.read(lambda tx: accounts.get(tx, tess.id))
    assert account is not None
    assert (account.family_name, account.employee_number, account.profile) == ("Tal", "E-T-1", "technician")


def test_what_cannot_be_undone_is_held(
    run: Run, world: World, tess: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else has the record by now: nobody loses access, and nothing is taken back from them."""
    world.fsm.reassign("T-1", "T-2")
    una = world.read(lambda tx: accounts.by_login(tx, "una.ulm@example.com"))
    assert una is not None

    def work_with_more(lane: object) -> None:
        world.fsm.add(WorkOrder("WO-2", lead="T-1"))
        linked = AccountChange(technician_id="T-1")
        with world.systems.db.write() as tx:
            change(tx, POLICY, una.id, linked, BY, world.clock.now())
        world.work()

    monkeypatch.setattr(world.wake, "wake", work_with_more)
    assert "is held by 1 open work order" in run(*WAYS_OUT[0]).output
    assert is_t1(world, tess)


def test_a_held_change_is_called_off_by_changing_it_back(run: Run, world: World, tess: Account) -> None:
    """New work can be given again."""
    done(run(*WAYS_OUT[2], "--policy", "hold"))
    done(run("account", "change", WHO, "--profile", "technician"))
    assert is_t1(world, tess)
    assert world.fsm.technician("T-1").assignable  # type: ignore[union-attr]
    assert world.read(lambda tx: deactivations.list_held(tx, Scope.all())) == ()
    assert world.read(lambda tx: deactivations.open_for(tx, tess.id)) is None


def test_who_leaves_while_a_change_is_held_is_refused_with_the_same_work_orders(
    run: Run, world: World, tess: Account
) -> None:
    """The link is gone from the account and not yet from Keycloak: the work is still hers."""
    done(run(*WAYS_OUT[0], "--policy", "hold"))
    said = run("account", "deactivate", WHO)
    assert said.exit_code == 1
    assert "WO-1" in said.output
    done(run("account", "deactivate", WHO, "--policy", "force", "--yes"))
    assert not world.user(tess).enabled
    [left] = world.read(lambda tx: deactivations.stranded(tx, Scope.all()))
    assert left.work_order.number == "WO-1"


def test_who_leaves_while_a_forced_change_waits_goes_by_force(
    run: Run, world: World, tess: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work orders were given up already: the weaker wish does not bring them back in the way."""
    monkeypatch.setattr(world.wake, "wake", lambda lane: None)
    done(run(*WAYS_OUT[0], "--policy", "force", "--yes", "--no-wait"))
    done(run("account", "deactivate", WHO, "--policy", "hold", "--no-wait"))
    world.work()
    assert not world.user(tess).enabled
