"""Commands ask before they store: what a caller may not, nobody stores for them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.commands import acts
from sync.commands.access import authority
from sync.commands.accounts.change import change, create
from sync.commands.deactivation.deactivate import deactivate, reactivate
from sync.commands.operations import circuits, lanes, quarantine
from sync.domain.access.callers import Person
from sync.domain.access.cause import Cause, Door
from sync.domain.access.granted import Granted, GrantedAccount
from sync.domain.access.permissions import Permission
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange, NewAccount
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import NotAllowed, Refused
from sync.domain.work.circuit import CircuitName
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.audit.timeline import read_timeline
from sync.store.provisioning import work_state
from tests.callers import BY, wanted_by
from tests.world import BRANCH, POLICY, World

pytestmark = pytest.mark.supports("I4", "A7")

THERE = next(key for key in POLICY.branches if key != BRANCH.key)
ROOT = Path(__file__).parents[3]


def as_person(account: Account) -> Cause:
    return Cause(Person(account.id, account.username), Door.REST, "because I may")


@pytest.fixture
def admin(world: World) -> Account:
    """Who administers one branch."""
    return world.join("ada.arndt", profile="administrator", data_access="branch")


def test_a_branch_administrator_keeps_the_accounts_of_the_branch(world: World, admin: Account) -> None:
    """And the history says who it was, through which door."""
    by, now = as_person(admin), world.clock.now()
    bo = world.join("bo.berg")
    world.do(lambda tx: change(tx, POLICY, bo.id, AccountChange(given_name="Bob"), by, now))
    last = world.read(lambda tx: read_timeline(tx, bo.id))[-1]
    assert (last.actor, last.door, last.reason) == (admin.username, "rest", "because I may")


@pytest.mark.parametrize(
    "ask",
    [
        lambda tx, who, by, now: change(tx, POLICY, who.id, AccountChange(given_name="Bob"), by, now),
        lambda tx, who, by, now: deactivate(tx, POLICY, who.id, GatePolicy.FORCE, by, now),
        lambda tx, who, by, now: reactivate(tx, POLICY, who.id, by, now),
        lambda tx, who, by, now: acts.unlock(tx, POLICY, who.id, by, now),
        lambda tx, who, by, now: acts.end_sessions(tx, POLICY, who.id, by, now),
        lambda tx, who, by, now: acts.require_password_change(tx, POLICY, who.id, by, now),
        lambda tx, who, by, now: acts.send_password_mail(tx, POLICY, who.id, by, now),
        lambda tx, who, by, now: acts.reset_second_factor(tx, POLICY, who.id, "seen", by, now),
        lambda tx, who, by, now: lanes.pause(tx, POLICY, Lane.BULK, by, now),
        lambda tx, who, by, now: circuits.close(tx, POLICY, CircuitName.FSM, by, now),
        lambda tx, who, by, now: quarantine.retry(tx, POLICY, by, now),
    ],
)
def test_what_lies_elsewhere_is_refused_and_nothing_is_stored(
    world: World, admin: Account, ask: Callable[..., object]
) -> None:
    """With the field, the reason and what would help."""
    kim = world.join("kim.kern", branch=THERE)
    before = world.read(lambda tx: (read_timeline(tx, kim.id), work_state.of_account(tx, kim.id)))
    with pytest.raises(NotAllowed) as refused:
        world.do(lambda tx: ask(tx, kim, as_person(admin), world.clock.now()))
    [problem] = refused.value.problems
    assert problem.field in {"branch", "caller"}
    assert problem.remedy
    assert world.read(lambda tx: (read_timeline(tx, kim.id), work_state.of_account(tx, kim.id))) == before


def test_the_row_counts_and_not_what_a_token_said(world: World, admin: Account) -> None:
    """Somebody who was demoted a moment ago may nothing any more, without a new login."""
    bo = world.join("bo.berg")
    world.join("ben.boss", profile="administrator")
    world.do(lambda tx: change(tx, POLICY, admin.id, AccountChange(profile="read-only"), BY, world.clock.now()))
    with pytest.raises(NotAllowed, match="user-management"):
        world.do(
            lambda tx: change(
                tx, POLICY, bo.id, AccountChange(given_name="Bob"), as_person(admin), world.clock.now()
            )
        )


def test_nobody_joins_above_or_elsewhere(world: World, admin: Account) -> None:
    """Neither by the own hand nor by the file that comes later."""
    for wanted in ({"branch": THERE}, {"profile": "accountant"}):
        new = NewAccount(
            **{"email": "x@example.com", "given_name": "X", "family_name": "Y", "profile": "dispatcher"}
            | {"branch": BRANCH.key}
            | wanted  # type: ignore[arg-type]
        )
        with pytest.raises(NotAllowed):
            world.do(lambda tx, new=new: create(tx, POLICY, new, as_person(admin), world.clock.now()))
    assert world.read(lambda tx: accounts.by_login(tx, "x@example.com")) is None


def test_everybody_ends_their_own_sessions(world: World) -> None:
    """It takes no feature; anything else on oneself is refused."""
    tess = world.join("tess.tal")
    by, now = as_person(tess), world.clock.now()
    world.do(lambda tx: acts.end_sessions(tx, POLICY, tess.id, by, now))
    with pytest.raises(NotAllowed, match="your own"):
        world.do(lambda tx: acts.reset_second_factor(tx, POLICY, tess.id, "it is me", by, now))


def test_nobody_does_anything_without_a_reason(world: World) -> None:
    """Whoever may everything included."""
    with pytest.raises(Refused, match="reason"):
        world.do(
            lambda tx: authority.allow(tx, POLICY, wanted_by("dana", " "), Permission.REPAIR, world.clock.now())
        )


def test_what_is_granted_is_made_by_authority_alone(world: World) -> None:
    """Python refuses to make one anywhere else, and no other module derives a class of it."""
    with pytest.raises(TypeError, match="abstract"):
        Granted(BY, Permission.CHANGE)  # type: ignore[abstract]
    with pytest.raises(TypeError, match="abstract"):
        GrantedAccount(BY, Permission.CHANGE, None, world.join())  # type: ignore[abstract]
    heirs = {
        path.relative_to(ROOT).as_posix()
        for folder in ("sync", "workers", "tests", "bench", "examples")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).endswith(("Granted", "GrantedAccount")) for base in node.bases)
    }
    assert heirs == {"sync/domain/access/granted.py", "sync/commands/access/authority.py"}


def test_doors_open_no_transaction_of_their_own() -> None:
    """`perform` is their only way to store anything."""
    writing = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "sync" / "entrypoints").rglob("*.py")
        if ".write() as" in path.read_text(encoding="utf-8")
    ]
    assert writing == []
