"""The heart of the decision: what differs between wanted and observed, in the order that is safe."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.drift import CHOICES
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.status import observation_of
from sync.domain.errors import Conflict, NeedsPerson, Unsafe
from sync.domain.provisioning.aspect import Aspect, Deviation, touched_by
from sync.domain.provisioning.change import (
    AnyChange,
    Create,
    Disable,
    Enable,
    EndSessions,
    JoinGroup,
    from_record,
    outstanding,
    record,
    result_of,
)
from sync.domain.provisioning.desired import desired_state
from sync.domain.provisioning.observed import ACCOUNT_ID, NOT_LOOKED_AT, LockState, Observed, Seen, Sessions
from sync.domain.provisioning.plan import Plan, deviations, diff, refuse_tampered_groups, refuse_unsafe
from tests.domain.users import ACCOUNT, POLICY, accounts, as_wanted, observations

LOOKS = tuple(each.name for each in fields(Seen))


def only(observed: Observed, looked_at: Collection[str]) -> Seen:
    """What a look shows that asks for these alone."""
    return Seen(**{name: getattr(observed, name) for name in looked_at})


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
    assert end.enabled == (desired.enabled and not end.lock.permanent)
    assert {path for path in end.groups if vocabulary.owns_group(path)} == desired.groups


@given(accounts, observations)
def test_a_change_made_twice_is_made_once(account: Account, observed: Observed) -> None:
    """A worker that died after a change makes it again."""
    for change in diff(desired_state(account, POLICY), observed).changes:
        once = result_of(change, observed)
        assert result_of(change, once) == once


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


@pytest.mark.supports("A4")
@given(accounts, observations)
def test_profiles_never_add_up(account: Account, observed: Observed) -> None:
    """The number of profile groups never grows beyond one: the old is taken before the new is given."""
    desired = desired_state(account, POLICY)
    counts = [len(profiles_of(state)) for state in states(observed, diff(desired, observed))]
    assert all(later <= max(1, earlier) for earlier, later in pairwise(counts))
    assert counts[-1] == 1


@pytest.mark.supports("D6")
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


@pytest.mark.supports("C6")
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


@pytest.mark.supports("C6")
def test_a_profile_that_comes_to_demand_a_second_factor_ends_sessions() -> None:
    """The mapping file changed, not the account: who is logged in was never asked for the second factor."""
    weak = replace(POLICY.profiles[ACCOUNT.profile], second_factor=False)
    before = desired_state(ACCOUNT, replace(POLICY, profiles=POLICY.profiles | {ACCOUNT.profile: weak}))
    strong = replace(weak, second_factor=True)
    after = desired_state(ACCOUNT, replace(POLICY, profiles=POLICY.profiles | {ACCOUNT.profile: strong}))
    assert diff(after, as_wanted(before)).changes == (
        JoinGroup(vocabulary.SECOND_FACTOR),
        EndSessions("opened without the second factor"),
    )


def test_a_crash_between_disable_and_revoke_is_seen() -> None:
    """Sessions are part of what is observed of an account that is wanted inactive (rule: diff-is-pure)."""
    desired = desired_state(replace(ACCOUNT, life=Life.INACTIVE), POLICY)
    left_over = as_wanted(desired, sessions=Sessions(online=0, offline_clients=frozenset({"mobile"})))
    assert diff(desired, left_over).changes == (EndSessions("wanted inactive"),)
    assert diff(desired, as_wanted(desired)).changes == ()


def test_who_was_switched_off_while_locked_for_now_is_switched_on_again() -> None:
    """A temporary lockout leaves the switch on, so somebody turned it off: an account that was deactivated and is
    wanted active again must not stay out because of wrong passwords meanwhile."""
    desired = desired_state(ACCOUNT, POLICY)
    off = as_wanted(desired, enabled=False, lock=LockState(temporary=True, failures=5))
    assert diff(desired, off).changes == (Enable(),)
    assert deviations(desired, off) == (Deviation(Aspect.SWITCHED_OFF, "enabled", "disabled"),)


def test_a_permanent_lockout_is_not_repaired() -> None:
    """It is Keycloak's own doing, not somebody's switch."""
    desired = desired_state(ACCOUNT, POLICY)
    locked = replace(as_wanted(desired), enabled=False, lock=LockState(permanent=True))
    assert diff(desired, locked).changes == ()


@pytest.mark.supports("D1")
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
    now = as_wanted(desired_state(ACCOUNT, POLICY))
    plan = diff(desired_state(wanted, POLICY), now)
    assert plan.withdraws_technician
    kept = states(now, plan.keeping_access())[-1]
    assert kept.enabled
    assert vocabulary.FIELD_TECHNICIANS in kept.groups
    assert kept.technician_id == "T-0001"
    assert profiles_of(kept) == profiles_of(now)


@pytest.mark.supports("B3")
def test_only_a_linked_field_worker_carries_the_role() -> None:
    """Link and profile are both needed for the field-technician group."""
    unlinked, office = replace(ACCOUNT, technician_id=None), replace(ACCOUNT, profile="dispatcher")
    assert vocabulary.FIELD_TECHNICIANS in desired_state(ACCOUNT, POLICY).groups
    assert vocabulary.FIELD_TECHNICIANS not in desired_state(unlinked, POLICY).groups
    assert vocabulary.FIELD_TECHNICIANS not in desired_state(office, POLICY).groups


def test_strangers_are_not_touched() -> None:
    """A user without our mark, of another account, or administering the realm stops the work."""
    desired = desired_state(ACCOUNT, POLICY)
    fine = as_wanted(desired)
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


@pytest.mark.supports("G4")
@given(accounts, observations, st.sets(st.sampled_from(LOOKS)))
def test_nothing_is_said_about_what_was_not_looked_at(
    account: Account, observed: Observed, looked_at: set[str]
) -> None:
    """A look that asks for less says less, never something else; one that asked for nothing says nothing."""
    desired = desired_state(account, POLICY)
    part, whole = diff(desired, only(observed, looked_at)), diff(desired, observed)
    assert diff(desired, Seen()).changes == ()
    wanted = {each for change in whole.changes for each in details(change)}
    assert {each for change in part.changes for each in details(change)} == {
        each for each in wanted if NEEDED[kind(each)] <= looked_at
    }


def details(change: AnyChange) -> set[str]:
    """What a change is about, one by one; not the end of sessions, which follows from another."""
    if isinstance(change, EndSessions):
        return set()
    return {"off"} if isinstance(change, Disable) else {each.what for each in outstanding([change])}


def kind(what: str) -> str:
    """In the words of `NEEDED`."""
    return "groups" if what.startswith("/") else "roles" if what.startswith("role ") else what


NEEDED = {
    **{name: {name} for name in ("username", "email", "given_name", "family_name", "groups", "roles")},
    "technician_id": {"attributes"},
    "enabled": {"enabled", "lock"},
    "off": {"enabled"},
}


@given(accounts, observations)
def test_the_switch_is_said_only_where_it_was_looked_at(account: Account, observed: Observed) -> None:
    """Without a look at the lockout nobody is switched on; who must be off is switched off all the same."""
    desired = desired_state(account, POLICY)
    listed = diff(desired, only(observed, {"enabled"})).changes
    assert Enable() not in listed
    assert (Disable() in listed) == (observed.enabled and not desired.enabled)


@given(accounts, observations)
def test_a_stored_observation_is_a_look(account: Account, observed: Observed) -> None:
    """Without names and attributes: what differs there is not said, everything else is."""
    desired = desired_state(account, POLICY)
    kept = observation_of(observed, ACCOUNT.created_at).seen
    assert (kept.username, kept.attributes) == (NOT_LOOKED_AT, NOT_LOOKED_AT)
    said = [change for change in diff(desired, observed).changes if type(change).__name__ != "UpdateDetails"]
    assert list(diff(desired, kept).changes) == said


@pytest.mark.supports("G4")
@given(accounts, observations)
def test_what_differs_is_what_the_plan_touches(account: Account, observed: Observed) -> None:
    """Each with what is wanted and what was found, which are never the same."""
    desired = desired_state(account, POLICY)
    found = deviations(desired, observed)
    touched = {each for change in diff(desired, observed).changes for each in touched_by(change)}
    assert {each.attribute for each in found} == touched
    assert all(each.wanted != each.found for each in found)


@pytest.mark.supports("G4")
@given(accounts, observations)
def test_what_was_accepted_is_left_alone_and_the_rest_is_done(account: Account, observed: Observed) -> None:
    """A user that somebody switched off, and that was accepted, gets everything but the switch."""
    desired = desired_state(account, POLICY)
    plan = diff(desired, observed)
    left = plan.leaving({Aspect.SWITCHED_OFF})
    assert left.changes == tuple(each for each in plan.changes if each != Enable())
    assert states(observed, left)[-1].enabled == (observed.enabled and desired.enabled)
    assert plan.leaving(()) == plan


@given(accounts, observations)
def test_a_change_is_kept_as_it_is(account: Account, observed: Observed) -> None:
    """What is stored of a change, and shown to programs, says all of it."""
    for change in (
        *diff(desired_state(account, POLICY), observed).changes,
        Create("jo", "jo@x.example", ("/fsm",)),
    ):
        assert from_record(record(change)) == change
        assert str(from_record(record(change))) == str(change)


@pytest.mark.supports("G4")
def test_the_file_and_the_code_know_the_same_attributes() -> None:
    """drift.toml says something about each attribute an account can differ in, and about nothing else."""
    assert set(CHOICES) == set(Aspect)
