"""What a comparison finds is what a worker does, whatever somebody has made of a user in Keycloak (G4)."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.commands.deactivation.deactivate import deactivate
from sync.commands.drift.decide import accept
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.provisioning.aspect import Aspect, touched_by
from sync.domain.provisioning.observed import Observed
from sync.domain.work.lane import Lane
from sync.jobs.drift.judge import judge
from sync.store.provisioning import due
from tests.domain.users import observations
from tests.fakes.accounts import FakeUser
from tests.jobs.drift.drift_steps import findings
from tests.world import BY, POLICY, World


@pytest.fixture
def one_who_left(world: World, people: list[Account]) -> Account:
    """Wanted inactive, and so in Keycloak."""
    world.do(lambda tx: deactivate(tx, POLICY, people[2].id, GatePolicy.HOLD, BY, world.clock.now()))
    world.work()
    world.pass_time(3600)
    world.work()
    return people[2]


@pytest.mark.req("G4")
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seen=observations, inactive=st.booleans(), accepting=st.booleans())
def test_a_comparison_finds_what_a_worker_would_change(
    world: World, people: list[Account], one_who_left: Account, seen: Observed, inactive: bool, accepting: bool
) -> None:
    """Both leave alone what was accepted; sessions are the worker's alone. Afterwards
    neither finds anything more."""
    account = one_who_left if inactive else people[0]
    tamper(world, world.user(account), seen)
    judge(world.systems, [account.id])
    for finding in findings(world, "open"):
        if accepting and finding.attribute is Aspect.SWITCHED_OFF:
            accept(world.systems, finding.id, BY)
    found = {each.attribute for each in findings(world, "open") if each.subject.account_id == account.id}

    before = len(world.accounts.applied)
    world.do(lambda tx: due.look_again(tx, account.id, Lane.INTERACTIVE, world.clock.now()))
    world.work()
    assert {each for _, change in world.accounts.applied[before:] for each in touched_by(change)} == found
    world.pass_time(3600)
    world.work()
    judge(world.systems, [account.id])
    assert [each for each in findings(world, "open") if each.subject.account_id == account.id] == []


def tamper(world: World, user: FakeUser, seen: Observed) -> None:
    """Like this, but for what passes the work-order gate and for names that others may have."""
    user.given_name, user.family_name = seen.given_name, seen.family_name
    user.enabled, user.lock = seen.enabled, seen.lock
    user.roles = set(seen.roles)
    ours = world.accounts.groups.keys() - {vocabulary.FIELD_TECHNICIANS}
    user.groups = set(seen.groups & ours)
