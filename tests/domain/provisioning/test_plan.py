"""The heart of the decision: what differs between wanted and observed, in the order that is safe."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import load
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account, Life
from sync.domain.errors import Conflict, NeedsPerson, Unsafe
from sync.domain.provisioning.change import Disable, EndSessions, JoinGroup, result_of
from sync.domain.provisioning.desired import DesiredState, desired_state
from sync.domain.provisioning.observed import ACCOUNT_ID, TECHNICIAN_ID, LockState, Observed, Sessions
from sync.domain.provisioning.plan import Plan, diff, refuse_tampered_groups, refuse_unsafe

POLICY = load()

ACCOUNT = Account(
    id="0192f0c1-0000-7000-8000-000000000001",
    username="anna.berg@example.com",
    email="anna.berg@example.com",
    given_name="Anna",
    family_name="Berg",
    profile="technician",
    branch=next(iter(POLICY.branches)),
    team=None,
    data_access=None,
    technician_id="T-0001",
    employee_number="00017",
    life=Life.ACTIVE,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
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
        + [vocabulary.FIELD_TECHNICIANS, vocabulary.SECOND_FACTOR, "/fsm/unknown", "/staff", "/fsm-like"]
    ),
    max_size=6,
)

observations = st.builds(
    Observed,
    idp_user_id=st.just("kc-1"),
    username=st.sampled_from(["anna.berg@example.com", "anna"]),
    email=st.just("anna.berg@example.com"),
    given_name=st.just("Anna"),
    family_name=st.sampled_from(["Berg", "Tal"]),
    enabled=st.booleans(),
    attributes=st.fixed_dictionaries(
        {ACCOUNT_ID: st.just((ACCOUNT.id,)), "phone": st.just(("123",))},
        optional={TECHNICIAN_ID: st.sampled_from([("T-0001",), ("T-0009",), ("T-0001", "T-0002")])},
    ),
    groups=groups,
    roles=st.frozensets(st.sampled_from(["default-roles-fsm", "fsm-profile-administrator", "other"])),
    required_actions=st.just(frozenset()),
    lock=st.just(LockState()),
    administers_realm=st.just(False),
    sessions=st.builds(Sessions, st.integers(0, 3), st.frozensets(st.sampled_from(["mobile", "portal"]))),
)


def states(observed: Observed, plan: Plan) -> list[Observed]:
    """Every state Keycloak passes through while the plan is applied."""
    passed = [observed]
    for change in plan.changes:
        passed.append(result_of(change, passed[-1]))
    return passed


def profiles_of(observed: Observed) -> set[str]:
    return {path for path in observed.groups if vocabulary.is_profile_group(path)}


@given(accounts, observations)
def test_nothing_differs_once_the_plan_is_applied(account: Account, observed: Observed) -> None:
    """Idempotence: after the plan the next look finds nothing to do, whatever was there before."""
    desired = desired_state(account, POLICY)
    end = states(observed, diff(desired, observed))[-1]
    assert diff(desired, end).changes == ()
    assert end.enabled == desired.enabled
    assert {path for path in end.groups if vocabulary.owns_group(path)} == desired.groups


@given(accounts, observations)
def test_what_is_not_ours_is_left_alone(account: Account, observed: Observed) -> None:
    """Foreign groups, roles and attributes are the same before and after."""
    end = states(observed, diff(desired_state(account, POLICY), observed))[-1]
    assert {g for g in end.groups if not vocabulary.owns_group(g)} == {
        g for g in observed.groups if not vocabulary.owns_group(g)
    }
    assert {r for r in end.roles if not vocabulary.owns_role(r)} == {
        r for r in observed.roles if not vocabulary.owns_role(r)
    }
    assert end.attributes["phone"] == ("123",)


@pytest.mark.req("A4")
@given(accounts, observations)
def test_profiles_never_add_up(account: Account, observed: Observed) -> None:
    """The number of profile groups never grows beyond one: the old is taken before the new is given."""
    desired = desired_state(account, POLICY)
    counts = [len(profiles_of(state)) for state in states(observed, diff(desired, observed))]
    assert all(later <= max(1, earlier) for earlier, later in pairwise(counts))
    assert counts[-1] == 1


@pytest.mark.req("D6")
@given(accounts, observations)
def test_a_crash_never_leaves_more_access(account: Account, observed: Observed) -> None:
    """Stopping after any change leaves no group of ours that was neither there before nor wanted, and an
    account wanted inactive is disabled by the very first change."""
    desired = desired_state(account, POLICY)
    plan = diff(desired, observed)
    for state in states(observed, plan):
        assert state.groups <= observed.groups | desired.groups
    if not desired.enabled and observed.enabled:
        assert plan.changes[0] == Disable()


@pytest.mark.req("C6")
@given(accounts, observations)
def test_no_session_without_second_factor_survives_a_promotion(account: Account, observed: Observed) -> None:
    """Whoever joins a profile with second factor already must give it at a login, and has no session left."""
    desired = desired_state(account, POLICY)
    plan = diff(desired, observed)
    for position, change in enumerate(plan.changes):
        if isinstance(change, JoinGroup) and change.path in desired.strong_groups:
            before = states(observed, plan)[position]
            assert vocabulary.SECOND_FACTOR in before.groups
            assert before.sessions == Sessions()


@pytest.mark.req("C6")
def test_a_profile_that_comes_to_demand_a_second_factor_ends_sessions() -> None:
    """The mapping file changed, not the account: who is logged in was never asked for the second factor."""
    weak = replace(POLICY.profiles[ACCOUNT.profile], second_factor=False)
    before = desired_state(ACCOUNT, replace(POLICY, profiles=POLICY.profiles | {ACCOUNT.profile: weak}))
    strong = replace(weak, second_factor=True)
    after = desired_state(ACCOUNT, replace(POLICY, profiles=POLICY.profiles | {ACCOUNT.profile: strong}))
    assert diff(after, observed_as(before)).changes == (
        JoinGroup(vocabulary.SECOND_FACTOR),
        EndSessions("opened without the second factor"),
    )


def test_a_crash_between_disable_and_revoke_is_seen() -> None:
    """Sessions are part of what is observed of an account that is wanted inactive (rule 2)."""
    desired = desired_state(replace(ACCOUNT, life=Life.INACTIVE), POLICY)
    left_over = observed_as(desired, sessions=Sessions(online=0, offline_clients=frozenset({"mobile"})))
    assert diff(desired, left_over).changes == (EndSessions("wanted inactive"),)
    assert diff(desired, observed_as(desired, sessions=Sessions())).changes == ()


def test_a_permanent_lockout_is_not_repaired() -> None:
    """Never more than one profile group beyond what was there: the old is taken before the new is given."""
    desired = desired_state(ACCOUNT, POLICY)
    locked = replace(observed_as(desired), enabled=False, lock=LockState(permanent=True))
    assert diff(desired, locked).changes == ()


@pytest.mark.req("D1")
@pytest.mark.parametrize(
    "wanted",
    [
        replace(ACCOUNT, life=Life.INACTIVE),
        replace(ACCOUNT, technician_id=None),
        replace(ACCOUNT, technician_id="T-0002"),
        replace(ACCOUNT, profile="dispatcher"),
    ],
    ids=["deactivate", "unlink", "relink", "leave the technician profile"],
)
def test_every_way_out_of_field_work_passes_the_gate(wanted: Account) -> None:
    """Deactivating is not the only way to lose a technician: all of them are seen, and held, by the gate."""
    now = observed_as(desired_state(ACCOUNT, POLICY))
    plan = diff(desired_state(wanted, POLICY), now)
    assert plan.withdraws_technician
    kept = states(now, plan.keeping_access())[-1]
    assert kept.enabled
    assert vocabulary.FIELD_TECHNICIANS in kept.groups
    assert kept.technician_id == "T-0001"
    assert profiles_of(kept) == profiles_of(now)


@pytest.mark.req("B3")
def test_only_a_linked_field_worker_carries_the_role() -> None:
    """Link and profile are both needed for the field-technician group."""
    unlinked, office = replace(ACCOUNT, technician_id=None), replace(ACCOUNT, profile="dispatcher")
    assert vocabulary.FIELD_TECHNICIANS in desired_state(ACCOUNT, POLICY).groups
    assert vocabulary.FIELD_TECHNICIANS not in desired_state(unlinked, POLICY).groups
    assert vocabulary.FIELD_TECHNICIANS not in desired_state(office, POLICY).groups


def test_strangers_are_not_touched() -> None:
    """A user without our mark, of another account, or administering the realm stops the work."""
    desired = desired_state(ACCOUNT, POLICY)
    fine = observed_as(desired)
    refuse_unsafe(desired, fine)
    with pytest.raises(Unsafe, match="no account id of ours"):
        refuse_unsafe(desired, replace(fine, attributes={}))
    with pytest.raises(Conflict, match="belongs to account other"):
        refuse_unsafe(desired, replace(fine, attributes={ACCOUNT_ID: ("other",)}))
    with pytest.raises(Unsafe, match="realm-management"):
        refuse_unsafe(desired, replace(fine, administers_realm=True))


def test_a_role_slipped_onto_our_group_stops_the_work() -> None:
    """Joining a tampered group would grant what nobody decided."""
    refuse_tampered_groups({})
    with pytest.raises(NeedsPerson, match="/fsm/profiles/dispatcher carries realm-management/realm-admin"):
        refuse_tampered_groups({"/fsm/profiles/dispatcher": {"realm-management/realm-admin"}})


@given(accounts, observations)
def test_the_fingerprint_tells_plans_apart(account: Account, observed: Observed) -> None:
    """The same plan has the same fingerprint, a shorter one another."""
    plan = diff(desired_state(account, POLICY), observed)
    assert plan.fingerprint == Plan(tuple(plan.changes)).fingerprint
    if plan.changes:
        assert plan.fingerprint != Plan(plan.changes[1:]).fingerprint


def observed_as(desired: DesiredState, sessions: Sessions | None = None) -> Observed:
    """A user who is exactly as desired."""
    return Observed(
        idp_user_id="kc-1",
        username=desired.username,
        email=desired.email,
        given_name=desired.given_name,
        family_name=desired.family_name,
        enabled=desired.enabled,
        attributes=desired.attributes,
        groups=desired.groups,
        roles=frozenset(),
        required_actions=frozenset(),
        lock=LockState(),
        administers_realm=False,
        sessions=sessions,
    )
