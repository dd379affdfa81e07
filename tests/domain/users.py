"""Users of Keycloak in every state that matters to a plan of changes."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from mappings import load
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Life
from sync.domain.provisioning.desired import DesiredState
from sync.domain.provisioning.observed import ACCOUNT_ID, TECHNICIAN_ID, LockState, Observed, Sessions
from tests.people import an_account

POLICY = load()
ACCOUNT = replace(
    an_account("anna.berg@example.com", id="0192f0c1-0000-7000-8000-000000000001"),
    given_name="Anna",
    family_name="Berg",
    profile="technician",
    technician_id="T-0001",
)

accounts = st.builds(
    replace,
    st.just(ACCOUNT),
    profile=st.sampled_from(sorted(POLICY.profiles)),
    branch=st.none() | st.sampled_from(sorted(POLICY.branches)),
    team=st.none() | st.sampled_from(sorted(POLICY.teams)),
    data_access=st.none() | st.sampled_from(sorted(POLICY.data_access)),
    technician_id=st.none() | st.sampled_from(["T-0001", "T-0002"]),
    life=st.sampled_from(Life),
    given_name=st.sampled_from(["Anna", "Änne"]),
)

groups = st.frozensets(
    st.sampled_from(
        [vocabulary.profile_group(key) for key in POLICY.profiles]
        + [vocabulary.branch_group(key) for key in POLICY.branches]
        + [vocabulary.team_group(key) for key in POLICY.teams]
        + [vocabulary.data_access_group(key) for key in POLICY.data_access]
        + [vocabulary.FIELD_TECHNICIANS, vocabulary.SECOND_FACTOR, vocabulary.PROFILES]
        + ["/fsm/unknown", "/fsm/profiles/a/b", "/staff", "/fsm-like"]
    ),
    max_size=6,
)

locks = st.sampled_from(
    [LockState(), LockState(temporary=True, failures=5), LockState(permanent=True, failures=9)]
)

observations = st.builds(
    Observed,
    idp_user_id=st.just("kc-1"),
    username=st.sampled_from(["anna.berg@example.com", "anna"]),
    email=st.sampled_from(["anna.berg@example.com", "a.berg@example.com", ""]),
    given_name=st.sampled_from(["Anna", ""]),
    family_name=st.sampled_from(["Berg", "Tal"]),
    enabled=st.booleans(),
    attributes=st.fixed_dictionaries(
        {ACCOUNT_ID: st.just((ACCOUNT.id,)), "phone": st.just(("123",))},
        optional={TECHNICIAN_ID: st.sampled_from([("T-0001",), ("T-0009",), ("T-0001", "T-0002")])},
    ),
    groups=groups,
    roles=st.frozensets(st.sampled_from(["default-roles-fsm", "fsm-profile-administrator", "other"])),
    required_actions=st.just(frozenset()),
    lock=locks,
    administers_realm=st.just(False),
    sessions=st.builds(Sessions, st.integers(0, 3), st.frozensets(st.sampled_from(["mobile", "portal"]))),
).filter(lambda user: not (user.enabled and user.lock.permanent))
"""Keycloak shows a permanent lockout as `enabled: false`, always."""


def as_wanted(desired: DesiredState, **other: object) -> Observed:
    """A user who is exactly as desired, but for these."""
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
