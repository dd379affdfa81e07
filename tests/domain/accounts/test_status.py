"""The status of an account, from what is wanted and what Keycloak said (A8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.status import AccountStatus, Observation, Status, status_of
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.logins.activity import NOTHING, LoginActivity
from sync.domain.provisioning.observed import LockState, Sessions

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
ACTIVE = Account(
    id="a",
    username="anna",
    email="anna@example.com",
    given_name="Anna",
    family_name="Weber",
    profile="dispatcher",
    branch=None,
    team=None,
    data_access=None,
    technician_id=None,
    employee_number=None,
    life=Life.ACTIVE,
    created_at=NOW,
    idp_user_id="a",
)
INACTIVE = replace(ACTIVE, life=Life.INACTIVE)
UNKNOWN = replace(ACTIVE, idp_user_id=None)
USED = LoginActivity(first_login_at=NOW, last_login_at=NOW)
CAME_SINCE = replace(USED, last_login_at=NOW + timedelta(seconds=1))
ON = Observation(
    observed_at=NOW,
    enabled=True,
    groups=frozenset({"/fsm/profiles/dispatcher", "/fsm/second-factor"}),
    roles=frozenset(),
    required_actions=frozenset(),
    lock=LockState(),
    administers_realm=False,
)
OFF = replace(ON, enabled=False)
MUST_CHANGE = replace(ON, required_actions=frozenset({"UPDATE_PASSWORD"}))
LOCKED_FOR_NOW = replace(ON, lock=LockState(temporary=True, failures=5, until=NOW + timedelta(minutes=10)))
LOCKED_BEFORE = replace(ON, lock=LockState(temporary=True, failures=5, until=NOW))
LOCKED_BY_CODES = replace(ON, enabled=False, lock=LockState(permanent=True, second_factor=True))
WITHDRAWN = replace(ON, groups=frozenset({"/fsm/second-factor"}))
OFF_AND_LOCKED_FOR_NOW = replace(LOCKED_FOR_NOW, enabled=False)
LOCKED_FOR_GOOD = replace(OFF, lock=LockState(permanent=True, failures=20))
OFF_WITH_SESSIONS = replace(OFF, sessions=Sessions(offline_clients=frozenset({"mobile"})))
OFF_WITHOUT_SESSIONS = replace(OFF, sessions=Sessions())


@pytest.mark.supports("A8")
@pytest.mark.parametrize(
    ("account", "observation", "activity", "status", "note"),
    [
        (UNKNOWN, None, NOTHING, Status.PENDING, "not in Keycloak yet"),
        (ACTIVE, None, NOTHING, Status.PENDING, "not yet looked at"),
        (ACTIVE, None, USED, Status.ACTIVE, "not yet looked at"),
        (ACTIVE, MUST_CHANGE, NOTHING, Status.PENDING, "has not set a password"),
        (ACTIVE, ON, NOTHING, Status.ACTIVE, ""),
        (ACTIVE, ON, USED, Status.ACTIVE, ""),
        (ACTIVE, MUST_CHANGE, CAME_SINCE, Status.ACTIVE, ""),
        (ACTIVE, MUST_CHANGE, USED, Status.ACTIVE, "must change the password"),
        (ACTIVE, LOCKED_FOR_NOW, USED, Status.LOCKED, "until 2026-03-02 08:40 UTC, after 5 failures"),
        (ACTIVE, LOCKED_BEFORE, USED, Status.ACTIVE, ""),
        (ACTIVE, LOCKED_BY_CODES, USED, Status.LOCKED, "for good, second factor"),
        (INACTIVE, WITHDRAWN, USED, Status.ACTIVE, "access withdrawn, not disabled"),
        (ACTIVE, OFF_AND_LOCKED_FOR_NOW, USED, Status.INACTIVE, "wanted active, Keycloak not yet told"),
        (
            ACTIVE,
            replace(LOCKED_FOR_NOW, required_actions=MUST_CHANGE.required_actions),
            NOTHING,
            Status.LOCKED,
            "until",
        ),
        (ACTIVE, LOCKED_FOR_GOOD, USED, Status.LOCKED, "until an administrator unlocks it"),
        (ACTIVE, OFF, USED, Status.INACTIVE, "wanted active, Keycloak not yet told"),
        (INACTIVE, OFF, USED, Status.INACTIVE, ""),
        (INACTIVE, OFF_WITHOUT_SESSIONS, USED, Status.INACTIVE, ""),
        (INACTIVE, OFF_WITH_SESSIONS, USED, Status.INACTIVE, "sessions not yet ended"),
        (INACTIVE, LOCKED_FOR_GOOD, USED, Status.INACTIVE, ""),
        (INACTIVE, ON, USED, Status.ACTIVE, "wanted inactive, Keycloak not yet told"),
        (INACTIVE, LOCKED_FOR_NOW, USED, Status.LOCKED, "wanted inactive, Keycloak not yet told"),
        (INACTIVE, None, USED, Status.ACTIVE, "wanted inactive, Keycloak not yet told"),
        (replace(UNKNOWN, life=Life.INACTIVE), None, NOTHING, Status.INACTIVE, ""),
    ],
)
def test_status_tells_wanted_and_observed_apart(
    account: Account, observation: Observation | None, activity: LoginActivity, status: Status, note: str
) -> None:
    """A lockout is never taken for a deactivation, and nobody is shown as out who can still log in."""
    found = status_of(account, observation, now=NOW, activity=activity)
    assert found.status is status
    assert note in found.note
    assert bool(note) == bool(found.note)


@pytest.mark.supports("A8", "D4")
def test_a_held_deactivation_names_what_holds_it() -> None:
    """The person still works, and everybody sees why."""
    orders = [OpenWorkOrder(number, "open", "Contoso", None, ("lead",)) for number in ("WO-1", "WO-2")]
    found = status_of(INACTIVE, ON, now=NOW, held=orders)
    assert found == AccountStatus(Status.ACTIVE, "deactivation held by 2 open work orders: WO-1, WO-2")
    assert str(found) == "active (deactivation held by 2 open work orders: WO-1, WO-2)"


@pytest.mark.supports("B4", "D4")
def test_a_held_change_of_an_active_account_is_shown_too() -> None:
    """Taking the technician away waits for the same work orders."""
    orders = [OpenWorkOrder("WO-1", "open", "Contoso", None, ("lead",))]
    assert status_of(ACTIVE, ON, now=NOW, held=orders) == AccountStatus(
        Status.ACTIVE, "change held by 1 open work order: WO-1"
    )
