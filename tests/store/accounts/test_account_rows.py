"""Accounts in the database: unique names, one person one account, whatever happens at once (A2, B2)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import pytest

from sync.domain.accounts.account import Account, Life
from sync.domain.errors import Conflict, NotFound, Refused
from sync.store.accounts import accounts
from sync.store.database.transactions import Database
from tests.callers import granted
from tests.claiming import still_claimed
from tests.store.conftest import MakeAccount


def fields(refused: Refused) -> list[str]:
    return [problem.field for problem in refused.problems]


@pytest.mark.supports("A1")
def test_an_account_comes_back_as_it_was_stored(db: Database, make_account: MakeAccount, now: datetime) -> None:
    """Every field survives, accents, leading zeros, dates and microseconds included."""
    account = make_account(
        username="zoë.o'brien-müller",
        given_name="Zoë 🛠",
        employee_number="000420",
        technician_id="T-7",
        team="blue",
        data_access="team",
        life=Life.INACTIVE,
        idp_user_id="8f2c",
        hr_source="payroll",
        hr_id="p/1",
        valid_from=date(2026, 3, 29),
        valid_until=date(2027, 12, 31),
    )
    with db.write() as tx:
        accounts.insert(tx, granted(account))
    with db.read() as tx:
        assert accounts.get(tx, account.id) == account


@pytest.mark.supports("A2")
@pytest.mark.parametrize(
    ("taken", "wanted", "field"),
    [
        ({"username": "anna"}, {"username": "ANNA "}, "username"),
        ({"username": "straße"}, {"username": "STRAßE"}, "username"),
        ({"username": "jos\u00e9"}, {"username": "JOSE\u0301"}, "username"),
        ({"email": "anna@example.com"}, {"email": "Anna@Example.COM"}, "email"),
        ({"email": "anna@example.com"}, {"username": "anna@example.com"}, "username"),
        ({"username": "anna@example.com"}, {"email": "anna@example.com"}, "email"),
        ({"employee_number": "0042"}, {"employee_number": "0042"}, "employee_number"),
        ({"technician_id": "T-7"}, {"technician_id": "T-7"}, "technician_id"),
    ],
)
def test_what_is_taken_is_refused_with_whose_it_is(
    db: Database, make_account: MakeAccount, taken: dict[str, str], wanted: dict[str, str], field: str
) -> None:
    """Usernames and e-mail addresses share one namespace without regard to case; the owner is named."""
    owner = make_account(**taken, given_name="Anna", family_name="Weber")
    with db.write() as tx:
        accounts.insert(tx, granted(owner))
    with pytest.raises(Refused, match="Anna Weber") as caught, db.write() as tx:
        accounts.insert(tx, granted(make_account(**wanted)))
    assert fields(caught.value) == [field]
    assert caught.value.problems[0].remedy


@pytest.mark.supports("A2")
def test_every_clash_is_named_at_once(db: Database, make_account: MakeAccount) -> None:
    """Who mends the first problem is not told of the second one afterwards."""
    one, two = make_account(username="anna"), make_account(employee_number="0042", technician_id="T-7")
    clashing = make_account(username="anna", employee_number="0042", technician_id="T-7")
    with db.write() as tx:
        accounts.insert(tx, granted(one))
        accounts.insert(tx, granted(two))
    with pytest.raises(Refused) as caught, db.write() as tx:
        accounts.insert(tx, granted(clashing))
    assert fields(caught.value) == ["username", "employee_number", "technician_id"]


@pytest.mark.supports("A2", "F5")
def test_a_refused_account_leaves_the_transaction_usable(db: Database, make_account: MakeAccount) -> None:
    """One bad row of a chunk does not undo the good ones, before or after it."""
    first, last = make_account(username="anna"), make_account()
    with db.write() as tx:
        accounts.insert(tx, granted(first))
        with pytest.raises(Refused):
            accounts.insert(tx, granted(make_account(username="anna")))
        accounts.insert(tx, granted(last))
    with db.read() as tx:
        assert set(accounts.read_many(tx, [first.id, last.id])) == {first.id, last.id}


@pytest.mark.supports("A2")
def test_a_name_given_up_is_free_for_others(db: Database, make_account: MakeAccount) -> None:
    """Login names follow the account: the old ones are freed, the new ones are taken, also by an update."""
    anna, ben = make_account(username="anna", email="anna@example.com"), make_account()
    with db.write() as tx:
        accounts.insert(tx, granted(anna))
        accounts.insert(tx, granted(ben))
        accounts.update(tx, granted(replace(anna, username="anna.weber", email="anna.weber@example.com")))
        accounts.update(tx, granted(replace(ben, username="anna")))
    with db.read() as tx:
        found = {name: accounts.by_login(tx, name) for name in ("anna", "Anna.Weber@example.com")}
        owners = accounts.who_has_login(tx, ["anna", "anna.weber", "anna@example.com"])
    assert {name: each and each.id for name, each in found.items()} == {
        "anna": ben.id,
        "Anna.Weber@example.com": anna.id,
    }
    assert owners == {"anna": ben.id, "anna.weber": anna.id}
    with pytest.raises(Refused, match=r"anna\.weber"), db.write() as tx:
        accounts.update(tx, granted(replace(ben, email="anna.weber@example.com")))


@pytest.mark.supports("A8")
def test_an_update_of_what_is_wanted_leaves_what_was_observed(
    db: Database, make_account: MakeAccount, now: datetime
) -> None:
    """A command that read the account before Keycloak's id was known does not erase that id."""
    account = make_account()
    with db.write() as tx:
        accounts.insert(tx, granted(account))
        accounts.remember_idp_user_ids(tx, {still_claimed(account.id): "kc-1"})
        accounts.update(tx, granted(replace(account, profile="manager")))
        stored = accounts.get(tx, account.id)
    assert stored == replace(account, profile="manager", idp_user_id="kc-1")


def test_an_account_that_is_not_there_cannot_be_updated(db: Database, make_account: MakeAccount) -> None:
    """NotFound, not silence."""
    with pytest.raises(NotFound), db.write() as tx:
        accounts.update(tx, granted(make_account()))


@pytest.mark.supports("G4")
def test_a_keycloak_user_belongs_to_one_account(db: Database, make_account: MakeAccount) -> None:
    """The same id again is fine; another one, or another account's, is a conflict."""
    one, two = make_account(), make_account()
    with db.write() as tx:
        accounts.insert(tx, granted(one))
        accounts.insert(tx, granted(two))
        accounts.remember_idp_user_ids(tx, {still_claimed(one.id): "kc-1"})
        accounts.remember_idp_user_ids(tx, {still_claimed(one.id): "kc-1"})
        with pytest.raises(Conflict, match="kc-1 already"):
            accounts.remember_idp_user_ids(tx, {still_claimed(one.id): "kc-2"})
        with pytest.raises(Conflict, match="another account"):
            accounts.remember_idp_user_ids(tx, {still_claimed(two.id): "kc-1"})
    with db.read() as tx:
        assert accounts.by_idp_user_id(tx, "kc-1") == replace(one, idp_user_id="kc-1")


@pytest.mark.supports("A2")
def test_finding_takes_whatever_an_administrator_types(db: Database, make_account: MakeAccount) -> None:
    """By id, username, e-mail, employee number or technician id, with stray blanks and capitals."""
    account = make_account(username="anna", email="anna@example.com", employee_number="E-7", technician_id="T-7")
    number_twin = make_account(employee_number="T-7")
    with db.write() as tx:
        accounts.insert(tx, granted(account))
        accounts.insert(tx, granted(number_twin))
    with db.read() as tx:
        for typed in (account.id, account.id.upper(), " ANNA ", "Anna@example.com", "E-7"):
            assert accounts.find(tx, typed) == (account,)
        assert set(accounts.find(tx, "T-7")) == {account, number_twin}
        assert accounts.find(tx, "ann") == ()
        assert accounts.by_technicians(tx, ["T-7", "T-8"]) == {"T-7": account}


@pytest.mark.supports("A2")
def test_a_likely_second_account_is_found(db: Database, make_account: MakeAccount) -> None:
    """Same full name and branch, words swapped or not; or the same e-mail local part elsewhere."""
    anna = make_account(given_name="Anna Maria", family_name="Weber", branch="north", email="a.weber@example.com")
    swapped = make_account(given_name="WEBER", family_name="Anna  Maria", branch="north")
    elsewhere = make_account(given_name="Anna Maria", family_name="Weber", branch="south")
    same_local = make_account(email="A.Weber@example.org")
    with db.write() as tx:
        for each in (anna, swapped, elsewhere, same_local):
            accounts.insert(tx, granted(each))
    with db.read() as tx:
        assert {each.id for each in accounts.likely_duplicates(tx, anna)} == {swapped.id, same_local.id}
        assert accounts.likely_duplicates(tx, make_account(given_name="Nobody")) == ()


@pytest.mark.supports("A3")
def test_keys_in_use_are_counted(db: Database, make_account: MakeAccount) -> None:
    """What start needs to refuse a mapping file that lost a key somebody has."""
    with db.write() as tx:
        accounts.insert(
            tx, granted(make_account(profile="manager", branch="north", team="blue", data_access="team"))
        )
        accounts.insert(tx, granted(make_account(profile="manager", branch="south")))
        accounts.insert(tx, granted(make_account(profile="dispatcher", branch=None, life=Life.INACTIVE)))
    with db.read() as tx:
        used = accounts.used_keys(tx)
        assert len(accounts.active_of(tx, {"manager", "dispatcher"})) == 2
    assert used.profiles == {"dispatcher": 1, "manager": 2}
    assert used.branches == {"north": 1, "south": 1}
    assert (used.teams, used.data_access) == ({"blue": 1}, {"team": 1})


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run each in a thread of its own, started together; their results or errors, in order of the works."""
    ends: list[object] = [None] * len(works)
    ready = threading.Barrier(len(works))

    def run(place: int, work: Callable[[], object]) -> None:
        ready.wait(10)
        try:
            ends[place] = work()
        except Exception as error:
            ends[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return ends


@pytest.mark.supports("A2", "B2")
@pytest.mark.parametrize("field", ["username", "employee_number", "technician_id"])
def test_of_four_who_want_the_same_at_once_one_gets_it(
    db: Database, make_account: MakeAccount, field: str
) -> None:
    """The database decides the race; the others are told whose it is now."""
    wanted = [make_account(**{field: "same-1"}) for _ in range(4)]

    def insert(account: Account) -> str:
        with db.write() as tx:
            accounts.insert(tx, granted(account))
        return account.id

    ends = at_once(*(lambda each=each: insert(each) for each in wanted))  # type: ignore[misc]
    winners = [end for end in ends if isinstance(end, str)]
    refusals = [end for end in ends if isinstance(end, Refused)]
    assert len(winners) == 1
    assert [fields(refusal) for refusal in refusals] == [[field]] * 3


@pytest.mark.supports("H1")
def test_two_changes_of_one_account_do_not_undo_each_other(db: Database, make_account: MakeAccount) -> None:
    """What a command reads in its write transaction is what it overwrites."""
    account = make_account(branch="north", team=None)
    with db.write() as tx:
        accounts.insert(tx, granted(account))

    def change(**wanted: str) -> None:
        with db.write() as tx:
            stored = accounts.get(tx, account.id)
            assert stored is not None
            accounts.update(tx, granted(replace(stored, **wanted)))  # type: ignore[arg-type]

    at_once(lambda: change(branch="south"), lambda: change(team="blue"))
    with db.read() as tx:
        assert accounts.get(tx, account.id) == replace(account, branch="south", team="blue")
