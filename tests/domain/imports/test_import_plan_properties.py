"""What holds for every import plan, whatever is in the file and the database."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.domain.imports.match import World
from sync.domain.imports.plan import plan_import
from sync.domain.imports.row import ImportRow
from sync.domain.imports.verdict import (
    RowVerdict,
    account_change,
    changes_record,
    findings,
    messages_record,
    new_account,
)
from tests.domain.imports.import_rows import COLUMNS, POLICY, THEN, account, row, world

_PEOPLE = st.fixed_dictionaries(
    {},
    optional={
        "employee_number": st.sampled_from(["", "001", "002", "003"]),
        "given_name": st.sampled_from(["", "Anna", "Bert", "Zoë-Lou"]),
        "family_name": st.sampled_from(["Muster", "von Holt", "O'Neil"]),
        "full_name": st.sampled_from(["", "Muster, Anna", "Bert von Holt"]),
        "email": st.sampled_from(["a@example.com", "B@example.com", "c@example.org", "broken", ""]),
        "username": st.sampled_from(["", "anna", "bert", "a@example.com"]),
        "profile": st.sampled_from(["Dispatcher", "techniker", "Manager", "Unknown", ""]),
        "branch": st.sampled_from(["Köln", "Hamburg", "BERLIN", ""]),
        "team": st.sampled_from(["Heizung", "", "-"]),
        "data_access": st.sampled_from(["", "Team", "Branch", "-"]),
        "technician_id": st.sampled_from(["", "T-1", "T-2", "-"]),
        "valid_from": st.sampled_from(["", "2026-03-01", "01.04.2026", "-"]),
    },
)


_FILES = st.lists(_PEOPLE, min_size=1, max_size=6)


_WORLDS = st.lists(
    st.builds(
        account,
        st.integers(1, 3),
        username=st.sampled_from(["anna", "a@example.com"]),
        email=st.sampled_from(["a@example.com", "b@example.com"]),
        employee_number=st.sampled_from([None, "001"]),
        technician_id=st.sampled_from([None, "T-1"]),
    ),
    max_size=1,
).map(lambda accounts: world(*accounts))


def rows_of(people: list[dict[str, str]], order: tuple[str, ...] = COLUMNS) -> list[ImportRow]:
    return [row(number, texts, order) for number, texts in enumerate(people, start=5)]


@pytest.mark.supports("F2")
@settings(max_examples=150, deadline=None)
@given(_FILES, _WORLDS, st.permutations(COLUMNS), st.randoms())
def test_order_of_columns_and_of_input_does_not_matter(
    people: list[dict[str, str]], known: World, order: list[str], chance: Any
) -> None:
    """The same people in other columns get the same verdicts and changes."""
    straight = plan_import(rows_of(people), known, POLICY)
    mixed = rows_of(people, tuple(order))
    chance.shuffle(mixed)
    other = plan_import(mixed, known, POLICY)
    assert [(each.verdict, each.new, each.change) for each in other.rows] == [
        (each.verdict, each.new, each.change) for each in straight.rows
    ]


@pytest.mark.supports("F2", "F9")
@settings(max_examples=300, deadline=None)
@given(_FILES, _WORLDS)
def test_after_it_was_applied_every_row_is_unchanged(people: list[dict[str, str]], known: World) -> None:
    """The plan brings the world to what the file says: nothing is left to do the second time."""
    first = plan_import(rows_of(people), known, POLICY)
    accounts = dict(known.accounts)
    for each in first.rows:
        if each.new is not None:
            accounts[f"new-{each.number}"] = each.new.account(f"new-{each.number}", THEN)
        elif each.change is not None and each.account_id is not None:
            accounts[each.account_id] = each.change.applied_to(accounts[each.account_id])
    second = plan_import(rows_of(people), replace(known, accounts=accounts), POLICY)
    for before, after in zip(first.rows, second.rows, strict=True):
        if before.verdict is not RowVerdict.ERROR:
            assert after.verdict is RowVerdict.UNCHANGED, (before, after)


@pytest.mark.supports("A2", "B2")
@settings(max_examples=300, deadline=None)
@given(_FILES, _WORLDS)
def test_applying_never_gives_two_people_the_same(people: list[dict[str, str]], known: World) -> None:
    """No two accounts of the resulting world share a login name, an employee number or a technician."""
    accounts = dict(known.accounts)
    for each in plan_import(rows_of(people), known, POLICY).rows:
        if each.new is not None:
            accounts[f"new-{each.number}"] = each.new.account(f"new-{each.number}", THEN)
        elif each.change is not None and each.account_id is not None:
            accounts[each.account_id] = each.change.applied_to(accounts[each.account_id])
    for keys in (
        [key for one in accounts.values() for key in {one.username, one.email}],
        [one.employee_number for one in accounts.values() if one.employee_number],
        [one.technician_id for one in accounts.values() if one.technician_id],
    ):
        assert len(keys) == len(set(keys))


@pytest.mark.supports("F3")
@settings(max_examples=100, deadline=None)
@given(_FILES, _WORLDS)
def test_record_says_what_was_decided(people: list[dict[str, str]], known: World) -> None:
    """What comes back from the run's JSON is what the plan held."""
    for each in plan_import(rows_of(people), known, POLICY).rows:
        changes = json.loads(json.dumps(changes_record(each)))
        messages = json.loads(json.dumps(messages_record(each)))
        if each.new is not None:
            assert new_account(changes) == each.new
        if each.change is not None:
            assert account_change(changes) == each.change
        assert findings(messages, "errors") == each.errors
        assert findings(messages, "warnings") == each.warnings
