"""Drift of one account, attribute by attribute, and finding those who differ among many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account, Life
from sync.domain.drift.anomaly import Anomaly, Irregularity
from sync.domain.drift.kinds import (
    ENDED_BY_ATTRIBUTE_PASS,
    ENDED_BY_COMPARISON,
    KINDS,
    LOOKED_AT_AGAIN,
    Drift,
    drift_of,
    kind_of,
    refuses_user,
)
from sync.domain.drift.listed_user import ListedUser
from sync.domain.drift.sums import Sums, details
from sync.domain.errors import Failure
from sync.domain.provisioning.aspect import Aspect, Deviation, touched_by
from sync.domain.provisioning.change import result_of
from sync.domain.provisioning.desired import desired_state
from sync.domain.provisioning.observed import ACCOUNT_ID, LockState, Observed, Seen
from sync.domain.provisioning.plan import diff, refuse_unsafe
from tests.domain.users import POLICY, accounts, as_wanted, observations
from tests.people import an_account

ACCOUNT = an_account("kim@example.com", id="0190-account")
WANTED = desired_state(ACCOUNT, POLICY)


def groups(*, plus: str = "", minus: str = "") -> frozenset[str]:
    return (WANTED.groups | ({plus} if plus else set())) - {minus}


PROFILE = vocabulary.profile_group("dispatcher")

CASES: Mapping[str, tuple[dict[str, object], tuple[Drift, ...]]] = {
    "nothing": ({}, ()),
    "switched off": ({"enabled": False}, (Deviation(Aspect.SWITCHED_OFF, "enabled", "disabled"),)),
    "renamed": (
        {"given_name": "Kimberley", "email": ""},
        (
            Deviation(Aspect.EMAIL, "kim@example.com", None),
            Deviation(Aspect.GIVEN_NAME, "Kim", "Kimberley"),
        ),
    ),
    "second profile": (
        {"groups": groups(plus=vocabulary.profile_group("manager"))},
        (Deviation(Aspect.PROFILE, "dispatcher", "dispatcher, manager"),),
    ),
    "out of the branch": (
        {"groups": groups(minus=vocabulary.branch_group("hamburg"))},
        (Deviation(Aspect.BRANCH, "hamburg", None),),
    ),
    "into a team": (
        {"groups": groups(plus=vocabulary.team_group("hamburg-heizung"))},
        (Deviation(Aspect.TEAM, None, "hamburg-heizung"),),
    ),
    "into a parent": (
        {"groups": groups(plus="/fsm/profiles")},
        (Deviation(Aspect.OTHER_GROUP, None, "/fsm/profiles"),),
    ),
    "into the field": (
        {"groups": groups(plus=vocabulary.FIELD_TECHNICIANS)},
        (Deviation(Aspect.FIELD_TECHNICIANS, None, "member"),),
    ),
    "a role of ours": (
        {"roles": frozenset({"fsm-profile-manager", "outside"})},
        (Deviation(Aspect.ROLE, None, "fsm-profile-manager"),),
    ),
    "a technician id": (
        {"attributes": {**WANTED.attributes, "technician_id": ("T-9",), "shoe_size": ("44",)}},
        (Deviation(Aspect.TECHNICIAN_ID, None, "T-9"),),
    ),
    "no account id": ({"attributes": {}}, (Irregularity(Anomaly.ACCOUNT_ID, ACCOUNT.id, None),)),
    "administrator of the realm": (
        {"administers_realm": True},
        (Irregularity(Anomaly.ADMINISTERS_REALM, None, "a role of realm-management"),),
    ),
    "locked for good": ({"enabled": False, "lock": LockState(permanent=True, failures=9)}, ()),
    "locked for now": ({"lock": LockState(temporary=True, failures=5)}, ()),
    "switched off while locked for now": (
        {"enabled": False, "lock": LockState(temporary=True, failures=5)},
        (Deviation(Aspect.SWITCHED_OFF, "enabled", "disabled"),),
    ),
    "a foreign group": ({"groups": groups(plus="/elsewhere")}, ()),
    "must change the password": ({"required_actions": frozenset({"UPDATE_PASSWORD"})}, ()),
}


@pytest.mark.supports("G4")
@pytest.mark.parametrize("case", CASES)
def test_what_counts_as_drift(case: str) -> None:
    """Each thing somebody can do in the console is named by its attribute; lockouts and foreign things are not."""
    changed, expected = CASES[case]
    assert drift_of(WANTED, as_wanted(WANTED, **changed)) == expected


@pytest.mark.supports("G4")
def test_an_account_wanted_inactive_that_is_on() -> None:
    """It is told, and one that is off is as wanted, whatever the lockout."""
    wanted = desired_state(replace(ACCOUNT, life=Life.INACTIVE), POLICY)
    assert drift_of(wanted, as_wanted(wanted)) == ()
    assert drift_of(wanted, as_wanted(wanted, enabled=True)) == (
        Deviation(Aspect.SWITCHED_ON, "disabled", "enabled"),
    )


@pytest.mark.supports("G4")
def test_a_deleted_user_is_missing() -> None:
    """Only Keycloak's own word makes a user missing."""
    assert drift_of(WANTED, None) == (Deviation(Aspect.MISSING, "kim@example.com", None),)


@pytest.mark.supports("G4")
@given(accounts, observations)
def test_drift_is_exactly_what_a_worker_would_change(account: Account, observed: Observed) -> None:
    """No plan without drift, no drift without a plan, and none right after the plan was applied: of all that a
    comparison looks at, which is not the sessions."""
    wanted = desired_state(account, POLICY)
    changes = diff(wanted, without_sessions(observed)).changes
    assert {each.attribute for each in drift_of(wanted, observed)} == {
        each for change in changes for each in touched_by(change)
    }
    assert bool(changes) == bool(drift_of(wanted, observed))
    for change in changes:
        observed = result_of(change, observed)
    assert drift_of(wanted, observed) == ()


def without_sessions(observed: Observed) -> Seen:
    """The look of a comparison at one user."""
    return Seen(
        username=observed.username,
        email=observed.email,
        given_name=observed.given_name,
        family_name=observed.family_name,
        enabled=observed.enabled,
        lock=observed.lock,
        attributes=observed.attributes,
        groups=observed.groups,
        roles=observed.roles,
        administers_realm=observed.administers_realm,
    )


@pytest.mark.supports("G4")
@given(
    observations,
    st.sampled_from([(), (WANTED.account_id,), ("another",), (WANTED.account_id, "another")]),
    st.booleans(),
)
def test_an_irregular_user_is_one_that_workers_refuse(
    observed: Observed, marks: tuple[str, ...], administers: bool
) -> None:
    """What is found of its ownership is why they refuse it."""
    user = replace(observed, attributes={ACCOUNT_ID: marks} if marks else {}, administers_realm=administers)
    irregular = {each.attribute for each in drift_of(WANTED, user) if isinstance(each, Irregularity)}
    assert all(refuses_user(each) for each in irregular)
    try:
        refuse_unsafe(WANTED, user)
        refused = False
    except Failure:
        refused = True
    assert refused == bool(irregular)


def test_the_two_lists_of_kinds_are_apart() -> None:
    """A name is of one list; whatever a comparison overlooks is looked at again, or ended by the other pass."""
    assert not set(Aspect) & set(Anomaly)
    assert all(kind_of(each.value) is each for each in KINDS)
    assert set(KINDS) == ENDED_BY_COMPARISON | ENDED_BY_ATTRIBUTE_PASS
    assert set(KINDS) - ENDED_BY_COMPARISON == {Anomaly.STRAY_ACCOUNT_ID}
    assert {
        Aspect.TECHNICIAN_ID,
        Aspect.ATTRIBUTES,
        Anomaly.ACCOUNT_ID,
        Anomaly.ADMINISTERS_REALM,
        Anomaly.UNREADABLE,
    } == LOOKED_AT_AGAIN


@pytest.mark.supports("H4")
@given(st.permutations(sorted(WANTED.groups)), observations)
def test_the_order_of_pages_does_not_count(order: list[str], other: Observed) -> None:
    """A user found as wanted adds up in any order; one that differs does not, and nobody disturbs another."""
    sums = Sums()
    for user in ("kc-1", "kc-2", "never-listed"):
        sums.expect(user, details(as_wanted(WANTED)), WANTED.groups)
    sums.expect("nothing-told", None, ())
    sums.seal()
    ours = {path for path in other.groups if vocabulary.owns_group(path)}
    for path in sorted(ours):
        assert sums.saw_member("kc-2", path)
    assert sums.saw_details("kc-1", details(as_wanted(WANTED)))
    assert sums.saw_details("kc-2", details(other))
    for path in order:
        assert sums.saw_member("kc-1", path)
    assert not sums.saw_member("stranger", PROFILE)
    assert not sums.differs("kc-1")
    assert sums.differs("never-listed")
    same = ours == WANTED.groups and details(other) == details(as_wanted(WANTED))
    assert sums.differs("kc-2") != same
    assert not sums.differs("stranger")
    assert sums.knows("never-listed")
    assert not sums.knows("stranger")
    assert len(sums) == 4
    assert sums.settled() == 2 + same


@pytest.mark.supports("H4")
@given(accounts, observations)
def test_whom_the_sums_pass_over_needs_no_change(account: Account, observed: Observed) -> None:
    """Of what a listing shows: the sums are made of the same fields and groups as the plan. They tell more, for a
    listing cannot say that a user is locked out."""
    wanted = desired_state(account, POLICY)
    sums = Sums()
    sums.expect("kc-1", details(wanted), wanted.groups)
    sums.seal()
    for path in sorted(path for path in observed.groups if vocabulary.owns_group(path)):
        sums.saw_member("kc-1", path)
    sums.saw_details("kc-1", details(listed(observed)))
    seen = Seen(
        username=observed.username,
        email=observed.email,
        given_name=observed.given_name,
        family_name=observed.family_name,
        enabled=observed.enabled,
        lock=LockState(),
        groups=observed.groups,
    )
    assert sums.differs("kc-1") == bool(diff(wanted, seen).changes)


def listed(user: Observed) -> ListedUser:
    return ListedUser(user.idp_user_id, user.username, user.email, user.given_name, user.family_name, user.enabled)
