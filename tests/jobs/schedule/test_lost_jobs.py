"""A periodic job that another worker has taken over between two of its requests: it sends nothing more, and the
job comes again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from sync.commands.adoption import ask_plan
from sync.domain.logins.activity import LoginKind
from sync.domain.provisioning.observed import Observed
from sync.domain.realm.item import ItemKind, RealmState
from sync.domain.work.lease import LEASE
from sync.jobs.schedule.run_jobs import JOBS, run_due_job
from sync.ports.lease import before_request, kept
from sync.store import schedule
from sync.store.database.tables import metadata
from sync.store.database.tables import schedule as schedule_rows
from sync.store.work.lease_rows import Terms
from tests.fakes.accounts import FakeUser
from tests.world import BY, World

pytestmark = pytest.mark.supports("H1", "H4")


@dataclass
class Requests:
    """Counts those that were about to be sent; another worker takes the job over before number `lost_at`."""

    world: World
    name: str
    lost_at: int
    count: int = 0

    def __call__(self) -> None:
        self.count += 1
        if self.count == self.lost_at:
            self.world.pass_time(LEASE.total_seconds() + 1)
            with self.world.systems.db.write() as tx:
                assert schedule.claim(tx, [self.name], Terms(self.world.clock.now()))


@dataclass
class WatchedRealm:
    """A realm in which nothing is as wanted. `looked_at` are the kinds that it was read for."""

    looked_at: list[Collection[ItemKind]] = field(default_factory=list)

    def observe(self, kinds: Collection[ItemKind]) -> RealmState:
        before_request()
        self.looked_at.append(kinds)
        return RealmState.of(())

    def demanded_attributes(self) -> frozenset[str]:
        before_request()
        return frozenset()


def login_events(world: World) -> None:
    for _ in range(2 * world.logins.page):
        world.logins.happen(LoginKind.LOGIN, "u1")


def adoption(world: World) -> None:
    world.accounts.users["kc-jo"] = FakeUser("kc-jo", "jo.lind", "jo.lind@example.com")
    world.join()
    ask_plan(world.systems, BY, None)


def realm(world: World) -> None:
    world.systems = replace(world.systems, realm=WatchedRealm())  # type: ignore[arg-type]


def people(world: World) -> None:
    for number in range(4):
        world.join(f"pat.p{number}")
    world.work()


READY: dict[str, Callable[[World], None]] = {
    "login-events": login_events,
    "adoption": adoption,
    "realm": realm,
    "comparison": people,
    "attribute-pass": people,
}


@pytest.mark.parametrize("name", READY)
@pytest.mark.parametrize("lost_at", [1, 2])
def test_a_job_sends_nothing_more_once_it_is_somebody_elses(world: World, name: str, lost_at: int) -> None:
    """It is told as a lost lease and not as a failure of Keycloak; whoever has it by then, or takes it later, does
    it."""
    READY[name](world)
    registry = {name: JOBS[name]}
    requests = Requests(world, name, lost_at)
    with capture_logs() as logs, kept(requests):
        assert run_due_job(world.systems, registry) == 1
    assert [each["code"] for each in logs if each["event"] == "a job failed; it comes again"] == ["lease-lost"]
    assert requests.count == lost_at
    world.pass_time(LEASE.total_seconds() + 1)
    assert run_due_job(world.systems, registry) == 1
    [state] = world.read(schedule.all_jobs)
    assert state.error is None


@dataclass
class Stolen(Requests):
    """Another worker has the job right before request number `lost_at`, which is sent all the same: the job was
    kept a moment ago. `before` is what stood in the database then."""

    before: dict[str, list[object]] = field(default_factory=dict)

    def __call__(self) -> None:
        self.count += 1
        if self.count == self.lost_at:
            with self.world.systems.db.write() as tx:
                tx.connection.execute(update(schedule_rows).values(lease_token="another worker's"))
            self.before = stored(self.world)


def stored(world: World) -> dict[str, list[object]]:
    """Everything but the hold on the job itself."""
    with world.systems.db.read() as tx:
        return {
            table.name: list(map(tuple, tx.connection.execute(select(table)))) for table in metadata.sorted_tables
        }


@pytest.mark.parametrize("name", sorted(READY.keys() - {"realm"}))
@pytest.mark.parametrize("lost_at", [1, 2])
def test_what_is_learned_after_the_job_was_lost_is_not_written(world: World, name: str, lost_at: int) -> None:
    """Nothing of it, not even how it ended: that is for whoever has the job. What a realm lacks anybody notes."""
    READY[name](world)
    stolen = Stolen(world, name, lost_at)
    with capture_logs() as logs, kept(stolen):
        assert run_due_job(world.systems, {name: JOBS[name]}) == 1
    assert [each["code"] for each in logs if each["event"] == "a job failed; it comes again"] == ["lease-lost"]
    assert stored(world) == stolen.before


def test_a_hint_that_is_looked_into_is_kept_inside(world: World) -> None:
    """Between the reading of the events and the looks at the users that they name."""
    account = world.join()
    world.work()
    registry = {"admin-events": JOBS["admin-events"]}
    assert run_due_job(world.systems, registry) == 1
    world.pass_time(60)
    world.admins.happen(f"users/{world.user(account).id}")
    seen, observe = list[str](), world.accounts.observe

    def counted(idp_user_id: str, *, sessions: bool) -> Observed | None:
        found = observe(idp_user_id, sessions=sessions)
        seen.append(idp_user_id)
        return found

    world.accounts.observe = counted  # type: ignore[method-assign]
    with capture_logs() as logs, kept(Requests(world, "admin-events", 3)):
        assert run_due_job(world.systems, registry) == 1
    assert seen == []
    assert [each["code"] for each in logs if each["event"] == "a job failed; it comes again"] == ["lease-lost"]
    world.pass_time(LEASE.total_seconds() + 1)
    assert run_due_job(world.systems, registry) == 1
    assert seen == [world.user(account).id]
