"""The page's content is decided from account, history and token, without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import mappings
from sync.domain.access.callers import CallerKey
from sync.domain.accounts.account import Account, Life
from sync.entrypoints.web.console.own_account import Line, own_account
from sync.entrypoints.web.console.visit import LONGEST_ID_TOKEN, Visit, current, keep
from sync.store.audit.trail import Assignment

pytestmark = pytest.mark.supports("I5")

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)

ACCOUNT = Account(
    id="0192f0c1-0000-7000-8000-000000000001",
    username="anna.ek@example.com",
    email="anna.ek@example.com",
    given_name="Anna",
    family_name="Ek",
    profile="technician",
    branch="hamburg",
    team="hamburg-klima",
    data_access=None,
    technician_id="T-0042",
    employee_number="00417",
    life=Life.ACTIVE,
    created_at=START,
)

VISIT = Visit(
    subject="kc-1",
    name="Anna Ek",
    username="anna.ek@example.com",
    until=0,
    id_token="",
    no_access="",
    profile="technician",
    data_access="personal",
    branch="hamburg",
    team="hamburg-klima",
    technician_id="T-0042",
)


def given(days: int, by: str, reason: str, **changes: str | None) -> Assignment:
    values: dict[str, str | None] = {
        "profile": "technician",
        "branch": "hamburg",
        "team": "hamburg-klima",
        "data_access": None,
        "technician_id": "T-0042",
    }
    return Assignment(
        at=START + timedelta(days=days),
        by=by,
        caller=CallerKey("person", by, None),
        door="command line",
        reason=reason,
        **(values | changes),
    )


def shown(
    account: Account = ACCOUNT,
    history: tuple[Assignment, ...] = (),
    visit: Visit = VISIT,
    policy: mappings.Policy | None = None,
) -> dict[str, Line]:
    page = own_account(account, history, visit, policy or mappings.load())
    return {line.label: line for line in (*page.person, *page.access)}


def test_titles_stand_for_keys() -> None:
    """People read titles; an employee number keeps its zeros."""
    lines = shown()
    values = [lines[name].value for name in ("Profile", "Data access", "Branch", "Team", "Technician record")]
    assert values == ["Technician", "Personal", "Hamburg", "Klima", "T-0042"]
    assert lines["Employee number"].value == "00417"
    assert lines["Data access"].note == "The usual level of your profile."


@pytest.mark.supports("A5")
def test_who_was_given_more_than_the_profile_may_have_now_is_told() -> None:
    """What she has, and that it was more."""
    policy = mappings.load()
    lowered = replace(policy.profiles["manager"], highest_data_access="branch")
    policy = replace(policy, profiles={**policy.profiles, "manager": lowered})
    line = shown(replace(ACCOUNT, profile="manager", data_access="global"), policy=policy)["Data access"]
    assert line.value == "Branch"
    assert line.note == "You were given Global, which is more than your profile may have now."


def test_each_value_names_the_assignment_that_gave_it() -> None:
    """Not the last assignment, but the one since which the value is what it is."""
    history = (
        given(0, "import of 1 March", "joiner", team=None, profile="dispatcher"),
        given(1, "kim", "retrained", team=None),
        given(2, "ada", "moved to the other team"),
        given(3, "bob", "technician record linked"),
    )
    lines = shown(history=history)
    assert [lines[name].why.by for name in ("Profile", "Branch", "Team", "Data access")] == [  # type: ignore[union-attr]
        "kim",
        "import of 1 March",
        "ada",
        "kim",
    ]


def test_a_value_that_came_back_counts_from_its_return() -> None:
    """Hamburg, Berlin, Hamburg: the second time is the reason."""
    history = (given(0, "ada", "joined"), given(1, "bob", "lent", branch="berlin"), given(2, "eve", "returned"))
    why = shown(history=history)["Branch"].why
    assert why is not None
    assert (why.by, why.reason, why.at) == ("eve", "returned", "3 March 2026, 09:00")


def test_what_was_given_together_has_its_reason_once() -> None:
    """And what came later its own, in the order of the page."""
    history = (given(0, "ada", "joined", team=None), given(1, "ada", "moved to the other team"))
    reasons = own_account(ACCOUNT, history, VISIT, mappings.load()).reasons
    assert [(what, why.reason) for what, why in reasons] == [
        ("Profile, data access, branch and technician record", "joined"),
        ("Team", "moved to the other team"),
    ]


@pytest.mark.parametrize(
    ("company", "by"),
    [("Nordwind Gebäudetechnik", "an administrator of Nordwind Gebäudetechnik"), ("", "an administrator")],
)
def test_the_login_of_a_machine_is_nobodys_name(company: str, by: str) -> None:
    """`root` says nothing to a technician; a person who gave it is named."""
    policy = mappings.load()
    policy = replace(policy, realm=replace(policy.realm, company=company))
    by_root = replace(given(0, "root", "staff import"), caller=CallerKey("machine", "0", "host"))
    [(_, why)] = own_account(ACCOUNT, (by_root,), VISIT, policy).reasons
    assert why.by == by
    by_ada = given(0, "Ada Ek", "joined")
    [(_, why)] = own_account(ACCOUNT, (by_ada,), VISIT, policy).reasons
    assert why.by == "Ada Ek"


def test_no_history_is_no_reason() -> None:
    """An adopted account may have none."""
    assert shown()["Profile"].why is None
    assert own_account(ACCOUNT, (), VISIT, mappings.load()).reasons == ()


def test_a_key_the_files_no_longer_have_is_shown_as_it_is() -> None:
    """A mapping file that lost a key does not take the page away."""
    account = replace(ACCOUNT, profile="pilot", branch="atlantis", team=None, technician_id=None)
    lines = shown(account)
    assert (lines["Profile"].value, lines["Branch"].value, lines["Team"].value) == ("pilot", "atlantis", "None")
    assert "cannot be given work orders" in lines["Technician record"].note


@pytest.mark.parametrize(
    ("visit", "not_yet"),
    [
        (VISIT, False),
        (replace(VISIT, profile="dispatcher"), True),
        (replace(VISIT, team=""), True),
        (replace(VISIT, data_access="team"), True),
    ],
)
def test_a_token_older_than_the_account_is_said(visit: Visit, not_yet: bool) -> None:
    """What is wanted and what applications see are told apart."""
    assert own_account(ACCOUNT, (), visit, mappings.load()).not_yet is not_yet


def test_a_visit_ends_with_its_time() -> None:
    """After the access token's life Keycloak is asked again."""
    session: dict[str, object] = {"left": "over"}
    keep(session, replace(VISIT, until=1000.0, features=("reports",)))
    assert set(session) == {"visit"}
    visit = current(session, now=999.9)
    assert visit is not None
    assert visit.features == ("reports",)
    assert current(session, now=1000.0) is None
    assert current({}, now=0) is None


def test_a_long_id_token_is_not_kept() -> None:
    """Browsers drop a cookie of more than 4 kB, and nobody would ever get in."""
    session: dict[str, object] = {}
    keep(session, replace(VISIT, until=1.0, id_token="x" * (LONGEST_ID_TOKEN + 1)))
    visit = current(session, now=0)
    assert visit is not None
    assert visit.id_token == ""
