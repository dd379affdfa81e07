"""Lists of accounts: what the caller may see, filters, and paging that neither doubles nor skips (I4)."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.status import Status
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts
from sync.store.accounts.listing import list_accounts
from sync.store.accounts.query import AccountQuery
from sync.store.database.transactions import Database
from sync.store.provisioning import due, finishing
from sync.store.provisioning.finishing import Finished, Stuck
from sync.store.work import account_claims
from sync.store.work.lease_rows import Terms
from tests.callers import granted
from tests.store.conftest import MakeAccount


def usernames(db: Database, scope: Scope | None = None, **query: object) -> list[str]:
    with db.read() as tx:
        page = list_accounts(tx, scope or Scope.all(), AccountQuery(**query))  # type: ignore[arg-type]
    return [each.account.username for each in page.items]


def store(db: Database, *people: Account) -> None:
    with db.write() as tx:
        for each in people:
            accounts.insert(tx, granted(each))


@pytest.mark.supports("I4")
def test_paging_within_a_branch_sees_everybody_there_once(db: Database, make_account: MakeAccount) -> None:
    """Any page size gives the same list, in the order of code points on both databases, of one branch only."""
    names = ["a-1", "a_1", "a1", "a.1", "ab", "äb", "z", "éa", "b", "b0", "b-"]
    people = [make_account(username=name, branch="north") for name in names]
    random.Random(7).shuffle(people)
    store(db, *people, *(make_account(branch="south") for _ in range(4)), make_account(branch=None))
    for size in (1, 3, 11, 12):
        seen: list[str] = []
        after: str | None = None
        for _ in range(len(names) // size + 1):
            with db.read() as tx:
                page = list_accounts(tx, Scope.of_branch("north"), AccountQuery(after=after, limit=size))
            seen += [each.account.username for each in page.items]
            after = page.next
            if after is None:
                break
        assert seen == sorted(names)


@pytest.mark.supports("I4")
def test_a_filter_never_widens_the_scope(db: Database, make_account: MakeAccount) -> None:
    """Who may see one branch and asks for another sees nothing; a scope without a branch cannot be made."""
    store(db, make_account(username="n", branch="north"), make_account(username="s", branch="south"))
    assert usernames(db, Scope.of_branch("north"), branch="south") == []
    assert usernames(db, Scope.of_branch("north")) == ["n"]
    assert usernames(db) == ["n", "s"]
    with pytest.raises(ValueError, match="everything or one branch"):
        Scope.of_branch("")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("MÜLL", ["jm"]),
        ("0042", ["jm"]),
        ("t-7", ["tech"]),
        ("example.org", ["tech"]),
        ("%", []),
        ("_", ["under_score"]),
        ("jörg  müller", ["jm"]),
        ("", ["jm", "tech", "under_score"]),
    ],
)
@pytest.mark.supports("H3")
def test_text_is_found_anywhere_whatever_its_case(
    db: Database, make_account: MakeAccount, text: str, found: list[str]
) -> None:
    """Letters fold as people expect, on both databases; signs of LIKE are ordinary signs."""
    store(
        db,
        make_account(username="jm", given_name="Jörg", family_name="Müller", employee_number="0042"),
        make_account(username="tech", technician_id="T-7", email="t@example.org"),
        make_account(username="under_score"),
    )
    assert usernames(db, text=text) == found


@pytest.mark.supports("B3", "H3")
def test_each_filter_and_their_conjunction(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """Profile, branch, team, life, quarantine, hold, and technicians without a link."""
    people = {
        "linked": make_account(username="linked", profile="technician", technician_id="T-1", team="blue"),
        "unlinked": make_account(username="unlinked", profile="technician", branch="south"),
        "gone": make_account(username="gone", life=Life.INACTIVE),
        "stuck": make_account(username="stuck"),
    }
    store(db, *people.values())
    order = OpenWorkOrder("WO-1", "open", "Contoso", None, ("lead",))
    ends = {
        "linked": Finished("held", None, now + timedelta(minutes=1), 0, held_work_orders=(order,)),
        "stuck": Finished("quarantined", None, None, 1, quarantine=Stuck("unsafe", "user-not-ours", "not ours")),
    }
    for name, end in ends.items():
        with db.write() as tx:
            due.mark_due(tx, people[name].id, Lane.BULK, now)
            [claim] = account_claims.claim(tx, Lane.BULK, Terms(now, lease=timedelta(minutes=1)), 1)
            finishing.finish(tx, claim, end, now)
    assert usernames(db, profile="technician") == ["linked", "unlinked"]
    assert usernames(db, team="blue") == ["linked"]
    assert usernames(db, branch="south") == ["unlinked"]
    assert usernames(db, life=Life.INACTIVE) == ["gone"]
    assert usernames(db, quarantined=True) == ["stuck"]
    assert usernames(db, quarantined=False) == ["gone", "linked", "unlinked"]
    assert usernames(db, held=True) == ["linked"]
    assert usernames(db, held=False) == ["gone", "stuck", "unlinked"]
    assert usernames(db, unlinked_profiles=frozenset({"technician"})) == ["unlinked"]
    assert usernames(db, unlinked_profiles=frozenset({"technician"}), branch="north") == []


@pytest.mark.supports("A8")
def test_a_line_carries_status_and_work(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """A list shows at one look how an account stands."""
    account = make_account()
    store(db, account)
    with db.write() as tx:
        due.mark_due(tx, account.id, Lane.BULK, now)
    with db.read() as tx:
        [line] = list_accounts(tx, Scope.all(), AccountQuery()).items
    assert line.account == account
    status = line.status(now)
    assert (status.status, status.note) == (Status.PENDING, "not in Keycloak yet")
    assert line.work is not None
    assert not line.work.applied


def test_a_page_of_nothing_is_a_mistake(db: Database) -> None:
    """A limit of zero would page for ever."""
    with pytest.raises(ValueError, match="at least one"), db.read() as tx:
        list_accounts(tx, Scope.all(), AccountQuery(limit=0))
