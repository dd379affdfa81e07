"""The pass over all attributes as a job: interrupted, it goes on where it was and forgets nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sync.domain.errors import Transient
from sync.domain.provisioning.observed import ACCOUNT_ID
from sync.jobs.drift.scheduled import ATTRIBUTE_PASS
from sync.jobs.schedule.run_jobs import run_due_job
from sync.ports.listing import UserAttributes
from sync.store import schedule
from sync.store.drift import comparisons, findings
from sync.store.drift.comparisons import Comparison
from tests.fakes.accounts import FakeUser
from tests.fakes.listing import PAGE, FakeListing
from tests.world import World

pytestmark = pytest.mark.supports("H1", "H4")

STRANGERS = 2 * PAGE


class TwoPages(FakeListing):
    """Keycloak goes away after two pages."""

    def attributes(self, first: int = 0) -> Iterator[tuple[UserAttributes, ...]]:
        for number, page in enumerate(super().attributes(first)):
            if number == 2:
                raise Transient("Keycloak is away")
            yield page


def run(world: World) -> Comparison:
    """Let a worker run the pass, which is due; answers how it ended."""
    assert run_due_job(world.systems, {"attribute-pass": ATTRIBUTE_PASS}) == 1
    last = world.read(lambda tx: comparisons.latest(tx, "attribute-pass"))
    assert last is not None
    world.pass_time(2 * ATTRIBUTE_PASS.period.total_seconds())
    return last


def told(world: World) -> set[tuple[str, str]]:
    found = world.read(lambda tx: findings.listed(tx, states=["open"]))
    return {(each.attribute, each.subject.who) for each in found}


def test_an_interrupted_pass_goes_on(world: World) -> None:
    """The second run does not read the first page again, and tells what was found before and after; the third is
    whole, and ends what is no more."""
    account = world.join("zoe.zech")
    world.work()
    world.user(account).attributes["technician_id"] = ("T-9",)
    for number in range(STRANGERS):
        user = FakeUser(f"kc-{number}", f"guest{number}", f"guest{number}@elsewhere.example.com")
        world.accounts.users[user.id] = user
    world.accounts.users["kc-0"].attributes = {ACCOUNT_ID: (account.id,)}
    everything, calm = {("stray-account-id", "guest0"), ("technician-id", account.username)}, world.systems

    world.systems = replace(calm, listing=TwoPages(world.accounts))
    first = run(world)
    assert (first.state, first.counts.users, told(world)) == ("failed", STRANGERS, set())
    world.systems = calm
    second = run(world)
    assert (second.state, second.counts.users, told(world)) == ("done", STRANGERS + 1 - PAGE, everything)

    world.accounts.users["kc-0"].attributes = {}
    third = run(world)
    assert (third.counts.users, told(world)) == (STRANGERS + 1, everything - {("stray-account-id", "guest0")})
    [job] = world.read(schedule.all_jobs)
    assert job.error is None
