"""Callers: told apart, and kept as records."""

from __future__ import annotations

from datetime import date

import pytest

from mappings.guard import ApprovalRules
from sync.domain.access import callers, cause
from sync.domain.access.approval import against_approval
from sync.domain.access.callers import Caller, Machine, Person, Program, Source, System
from sync.domain.access.cause import Cause, Door, Origin

DANA = Machine(1000, "dana", "one")
LEE = Machine(1001, "lee", "one")
ADA = Person("a-1", "ada@example.com")

EVERY: list[Caller] = [
    ADA,
    Person(None, "glass"),
    Program("app", "administrator", None, "global", date(2027, 1, 1)),
    Program("app", "manager", "hamburg", "branch", None),
    DANA,
    Machine(0, None, "two"),
    Source("payroll", frozenset({"branch", "team"})),
    *System,
]


@pytest.mark.supports("A7")
@pytest.mark.parametrize("caller", EVERY, ids=callers.name_of)
@pytest.mark.parametrize("door", [None, *Door], ids=str)
def test_a_record_is_read_as_what_it_was(caller: Caller, door: Door | None) -> None:
    """A run keeps its caller until its last row is applied."""
    kept = Cause(caller, door, "new season", Origin.IMPORT)
    assert cause.from_record(cause.record(kept)) == kept


def test_everybody_has_a_name_and_an_id() -> None:
    """None is absent, in no history."""
    assert all(callers.name_of(each) and callers.id_of(each) for each in EVERY)
    assert callers.name_of(Machine(7, None, "two")) == "uid 7"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (DANA, DANA, True),
        (DANA, LEE, False),
        (DANA, Machine(1000, "dana", "another"), True),
        (DANA, Machine(1000, "boss", "one"), True),
        (ADA, Person("a-1", "ada.new@example.com"), True),
        (ADA, Person("a-2", "ada@example.com"), False),
        (Person(None, "glass"), Person(None, "glass"), True),
        (DANA, ADA, False),
        (System.DRIFT_FILE, System.DRIFT_FILE, True),
        (System.DRIFT_FILE, System.EXPIRY, False),
    ],
)
def test_who_is_the_same(one: Caller, other: Caller, same: bool) -> None:
    """Of logins the number counts, of people the account."""
    assert callers.same(one, other) is same


@pytest.mark.supports("E7")
@pytest.mark.parametrize(
    ("confirmer", "approver", "rules", "against"),
    [
        (DANA, LEE, ApprovalRules(), None),
        (DANA, ADA, ApprovalRules(), None),
        (System.DRIFT_FILE, DANA, ApprovalRules(), None),
        (DANA, DANA, ApprovalRules(), "login number 1000"),
        (DANA, Machine(1000, "boss", "two"), ApprovalRules(), "somebody else than dana"),
        (ADA, ADA, ApprovalRules(), "somebody else than ada@example.com"),
        (DANA, DANA, ApprovalRules(one_is_enough=True), None),
        (ADA, ADA, ApprovalRules(one_is_enough=True), None),
        (DANA, LEE, ApprovalRules(needs_account=True), "demands an account"),
        (DANA, DANA, ApprovalRules(one_is_enough=True, needs_account=True), "demands an account"),
        (DANA, ADA, ApprovalRules(needs_account=True), None),
    ],
)
def test_an_approval_takes_two(
    confirmer: Caller, approver: Caller, rules: ApprovalRules, against: str | None
) -> None:
    """Unless guard.toml says that one is enough; it may also demand an account."""
    problem = against_approval(confirmer, approver, rules)
    assert (problem is None) == (against is None)
    assert problem is None or str(against) in problem.reason
