"""Drift of one account, attribute by attribute, and finding those who differ among many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import load
from mappings.drift import CHOICES
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Life
from sync.domain.drift.differences import Attribute, Difference, differences
from sync.domain.drift.sums import Balance, details
from sync.domain.provisioning.change import result_of
from sync.domain.provisioning.desired import DesiredState, desired_state
from sync.domain.provisioning.observed import LockState, Observed, Sessions
from sync.domain.provisioning.plan import diff
from tests.people import an_account

POLICY = load()
ACCOUNT = an_account("kim@example.com", id="0190-account")
WANTED = desired_state(ACCOUNT, POLICY)
PATHS = sorted(
    {
        *map(vocabulary.profile_group, POLICY.profiles),
        *map(vocabulary.branch_group, POLICY.branches),
        vocabulary.FIELD_TECHNICIANS,
        vocabulary.SECOND_FACTOR,
        "/fsm/profiles",
        "/elsewhere",
    }
)


def as_wanted(desired: DesiredState, **other: object) -> Observed:
    observed = Observed(
        idp_user_id="kc-1",
        username=desired.username,
        email=desired.email,
        given_name=desired.given_name,
        family_name=desired.family_name,
        enabled=desired.enabled,
        attributes=dict(desired.attributes),
        groups=desired.groups,
        roles=frozenset({"default-roles-fsm"}),
        required_actions=frozenset(),
        lock=LockState(),
        administers_realm=False,
        sessions=Sessions(),
    )
    return replace(observed, **other)  # type: ignore[arg-type]


def groups(*, plus: str = "", minus: str = "") -> frozenset[str]:
    return (WANTED.groups | ({plus} if plus else set())) - {minus}


PROFILE = vocabulary.profile_group("dispatcher")

CASES: Mapping[str, tuple[dict[str, object], tuple[Difference, ...]]] = {
    "nothing": ({}, ()),
    "switched off": ({"enabled": False}, (Difference(Attribute.SWITCHED_OFF, "enabled", "disabled"),)),
    "renamed": (
        {"given_name": "Kimberley", "email": ""},
        (
            Difference(Attribute.EMAIL, "kim@example.com", None),
            Difference(Attribute.GIVEN_NAME, "Kim", "Kimberley"),
        ),
    ),
    "second profile": (
        {"groups": groups(plus=vocabulary.profile_group("manager"))},
        (Difference(Attribute.PROFILE, "dispatcher", "dispatcher, manager"),),
    ),
    "out of the branch": (
        {"groups": groups(minus=vocabulary.branch_group("hamburg"))},
        (Difference(Attribute.BRANCH, "hamburg", None),),
    ),
    "into a team": (
        {"groups": groups(plus=vocabulary.team_group("hamburg-heizung"))},
        (Difference(Attribute.TEAM, None, "hamburg-heizung"),),
    ),
    "into a parent": (
        {"groups": groups(plus="/fsm/profiles")},
        (Difference(Attribute.OTHER_GROUP, None, "/fsm/profiles"),),
    ),
    "into the field": (
        {"groups": groups(plus=vocabulary.FIELD_TECHNICIANS)},
        (Difference(Attribute.FIELD_TECHNICIANS, None, "member"),),
    ),
    "a role of ours": (
        {"roles": frozenset({"fsm-profile-manager", "outside"})},
        (Difference(Attribute.ROLE, None, "fsm-profile-manager"),),
    ),
    "a technician id": (
        {"attributes": {**WANTED.attributes, "technician_id": ("T-9",), "shoe_size": ("44",)}},
        (Difference(Attribute.TECHNICIAN_ID, None, "T-9"),),
    ),
    "no account id": ({"attributes": {}}, (Difference(Attribute.ACCOUNT_ID, ACCOUNT.id, None),)),
    "administrator of the realm": (
        {"administers_realm": True},
        (Difference(Attribute.ADMINISTERS_REALM, None, "a role of realm-management"),),
    ),
    "locked for good": ({"enabled": False, "lock": LockState(permanent=True, failures=9)}, ()),
    "locked for now": ({"lock": LockState(temporary=True, failures=5)}, ()),
    "locked for now and shown as off": ({"enabled": False, "lock": LockState(temporary=True, failures=5)}, ()),
    "a foreign group": ({"groups": groups(plus="/elsewhere")}, ()),
    "must change the password": ({"required_actions": frozenset({"UPDATE_PASSWORD"})}, ()),
}


@pytest.mark.req("G4")
@pytest.mark.parametrize("case", CASES)
def test_what_counts_as_drift(case: str) -> None:
    """Each thing somebody can do in the console is named by its attribute; lockouts and foreign things are not."""
    changed, expected = CASES[case]
    assert differences(WANTED, as_wanted(WANTED, **changed)) == expected


@pytest.mark.req("G4")
def test_an_account_wanted_inactive_that_is_on() -> None:
    """It is told, and one that is off is as wanted, whatever the lockout."""
    wanted = desired_state(replace(ACCOUNT, life=Life.INACTIVE), POLICY)
    assert differences(wanted, as_wanted(wanted)) == ()
    assert differences(wanted, as_wanted(wanted, enabled=True)) == (
        Difference(Attribute.SWITCHED_ON, "disabled", "enabled"),
    )


@pytest.mark.req("G4")
def test_a_deleted_user_is_missing() -> None:
    """Only Keycloak's own word makes a user missing."""
    assert differences(WANTED, None) == (Difference(Attribute.MISSING, "kim@example.com", None),)


@pytest.mark.req("G4")
def test_the_file_and_the_code_know_the_same_attributes() -> None:
    """Whatever drift.toml can say something about is an attribute that can be found."""
    assert set(CHOICES) < set(Attribute)


observed_states = st.builds(
    lambda paths, names, enabled, roles: as_wanted(
        WANTED,
        groups=frozenset(paths),
        given_name=names[0],
        family_name=names[1],
        enabled=enabled,
        roles=frozenset(roles),
    ),
    st.sets(st.sampled_from(PATHS)),
    st.tuples(st.sampled_from(["Kim", "Jo", ""]), st.sampled_from(["Example", "Other"])),
    st.booleans(),
    st.sets(st.sampled_from(["fsm-profile-manager", "outside"])),
)


@pytest.mark.req("G4")
@given(observed_states, st.sampled_from(list(Life)))
def test_drift_is_exactly_what_a_worker_would_change(observed: Observed, life: Life) -> None:
    """No plan without drift, no drift without a plan, and none right after the plan was applied."""
    wanted = desired_state(replace(ACCOUNT, life=life), POLICY)
    changes = diff(wanted, observed).changes
    assert bool(changes) == bool(differences(wanted, observed))
    for change in changes:
        observed = result_of(change, observed)
    assert differences(wanted, observed) == ()


@pytest.mark.req("H4")
@given(st.permutations(sorted(WANTED.groups)), observed_states)
def test_the_order_of_pages_does_not_count(order: list[str], other: Observed) -> None:
    """A user found as wanted balances in any order; one that differs does not, and nobody disturbs another."""
    balance = Balance()
    for user in ("kc-1", "kc-2", "never-listed"):
        balance.expect(user, details(as_wanted(WANTED)), WANTED.groups)
    balance.expect("nothing-told", None, ())
    balance.seal()
    ours = {path for path in other.groups if vocabulary.owns_group(path)}
    for path in sorted(ours):
        assert balance.saw_member("kc-2", path)
    assert balance.saw_details("kc-1", details(as_wanted(WANTED)))
    assert balance.saw_details("kc-2", details(other))
    for path in order:
        assert balance.saw_member("kc-1", path)
    assert not balance.saw_member("stranger", PROFILE)
    assert not balance.differs("kc-1")
    assert balance.differs("never-listed")
    same = ours == WANTED.groups and details(other) == details(as_wanted(WANTED))
    assert balance.differs("kc-2") != same
    assert not balance.differs("stranger")
    assert balance.knows("never-listed")
    assert not balance.knows("stranger")
    assert len(balance) == 4
    assert balance.settled() == 2 + same
