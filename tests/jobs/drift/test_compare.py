"""The full comparison: what it finds, what it leaves alone, what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sync.commands.accounts.change import change
from sync.commands.deactivation.deactivate import deactivate
from sync.commands.drift.decide import accept, repair
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.drift.anomaly import Anomaly
from sync.domain.errors import Refused, Transient, Unsafe
from sync.domain.provisioning.aspect import Aspect
from sync.domain.provisioning.observed import ACCOUNT_ID, LockState, Observed
from sync.jobs.drift.compare import compare as compare_now
from sync.jobs.drift.judge import judge
from sync.jobs.drift.scheduled import COMPARISON
from sync.jobs.schedule.run_jobs import run_due_job
from sync.jobs.systems import Systems
from sync.jobs.work.job import KeepLease
from sync.store.accounts import accounts
from sync.store.drift import comparisons, foreign_users
from sync.store.drift.comparisons import Comparison
from sync.store.provisioning import work_state
from tests.claiming import JOB
from tests.comparing import compare, compare_attributes, under_lease
from tests.fakes.accounts import FakeUser
from tests.fakes.listing import FakeListing
from tests.jobs.drift.drift_steps import OTHER_BRANCH, bulk, findings, later, told
from tests.world import BRANCH, BY, POLICY, World


@pytest.mark.supports("H4", "G4")
def test_keycloak_as_wanted_has_no_drift(world: World, people: list[Account]) -> None:
    """Right after the workers have applied everything there is nothing to tell, and nobody is looked at singly."""
    done = compare(world.systems)
    assert (done.state, done.counts.accounts, done.counts.users, done.counts.looked_at) == ("done", 3, 3, 0)
    assert done.counts.memberships == sum(len(world.user(each).groups) for each in people)
    assert findings(world) == []


TAMPERINGS: dict[str, tuple[Callable[[FakeUser], Any], tuple[str, str | None, str | None]]] = {
    "left the branch": (
        lambda user: user.groups.discard(vocabulary.branch_group(BRANCH.key)),
        ("branch", BRANCH.key, None),
    ),
    "a second profile": (
        lambda user: user.groups.add(vocabulary.profile_group("manager")),
        ("profile", "dispatcher", "dispatcher, manager"),
    ),
    "renamed": (lambda user: setattr(user, "family_name", "Arnold"), ("family-name", "Arno", "Arnold")),
    "a role of ours": (
        lambda user: user.roles.add("fsm-profile-manager"),
        ("role", None, "fsm-profile-manager"),
    ),
}


@pytest.mark.supports("G4")
def test_a_look_that_is_written_down_late_ends_nothing_that_was_seen_after_it(
    world: World, people: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comparison looks at two people and writes both down together. While it looks at the second one, somebody
    switches the first one off, and the job that reads admin events finds it: the comparison's older look does not
    take that back."""
    for each in people[:2]:
        world.user(each).family_name = "Arnold"
    observe, looked = world.systems.accounts.observe, list[str]()

    def look(idp_user_id: str, *, sessions: bool) -> Observed | None:
        looked.append(idp_user_id)
        if len(looked) == 2:
            world.clock.advance(timedelta(seconds=1))
            world.accounts.users[looked[0]].enabled = False
            under_lease(world.systems, "admin-events", lambda systems, keep: judge(systems, keep, [first(looked)]))
            world.clock.advance(timedelta(seconds=1))
        return observe(idp_user_id, sessions=sessions)

    def first(users: list[str]) -> str:
        return next(each.id for each in people if each.idp_user_id == users[0])

    monkeypatch.setattr(world.systems.accounts, "observe", look)
    compare(world.systems)
    assert "switched-off" in {str(each.attribute) for each in findings(world, "open")}


@pytest.mark.supports("G4", "H4")
@pytest.mark.parametrize("case", TAMPERINGS)
def test_what_somebody_changed_is_found_and_repaired(world: World, people: list[Account], case: str) -> None:
    """The finding says what is wanted and what is there; the workers mend it; the next comparison sees that."""
    tamper, (attribute, wanted, found) = TAMPERINGS[case]
    before = len(world.accounts.applied)
    tamper(world.user(people[0]))
    compare(world.systems)
    assert told(world) == {(attribute, people[0].username, wanted, found)}
    assert len(world.accounts.applied) == before, "the comparison itself writes nothing to Keycloak"
    bulk(world)
    later(world)
    done = compare(world.systems)
    assert done.counts.looked_at == 0
    assert [each.state for each in findings(world, "open", "repaired", "gone")] == ["repaired"]


@pytest.mark.supports("G4")
def test_what_is_only_reported_stays_until_it_is_gone(world: World, people: list[Account]) -> None:
    """Somebody switched an account off in the console: it is told once, and nobody opens it."""
    world.user(people[0]).enabled = False
    compare(world.systems)
    later(world)
    compare(world.systems)
    [finding] = findings(world)
    assert (finding.attribute, finding.state) == (Aspect.SWITCHED_OFF, "open")
    assert finding.last_seen_at > finding.first_seen_at
    bulk(world)
    assert not world.user(people[0]).enabled
    world.user(people[0]).enabled = True
    later(world)
    compare(world.systems)
    assert [each.state for each in findings(world, "open", "gone", "repaired")] == ["gone"]


@pytest.mark.supports("G4")
def test_lockouts_are_no_drift(world: World, people: list[Account]) -> None:
    """Neither the temporary nor the permanent one."""
    world.user(people[0]).lock = LockState(temporary=True, failures=5)
    world.user(people[1]).lock = LockState(permanent=True, failures=9)
    world.user(people[1]).enabled = False
    done = compare(world.systems)
    assert (done.counts.looked_at, done.counts.differing) == (1, 0)
    assert findings(world) == []


@pytest.mark.supports("G4")
def test_our_own_changes_are_no_drift(world: World, people: list[Account]) -> None:
    """An account that waits for a worker, or is held back by work orders, differs because we want it to."""
    world.do(
        lambda tx: change(tx, POLICY, people[0].id, AccountChange(branch=OTHER_BRANCH), BY, world.clock.now())
    )
    world.do(lambda tx: deactivate(tx, POLICY, people[1].id, GatePolicy.HOLD, BY, world.clock.now()))
    done = compare(world.systems)
    assert done.counts.left_out == 2
    assert findings(world) == []


class ChangedWhileRead(FakeListing):
    """Somebody of ours changes an account after the pages have been read."""

    def __init__(self, world: World, act: Callable[[], None]) -> None:
        super().__init__(world.accounts)
        self._act = act

    def pages(self, *args: Any) -> Any:
        yield from super().pages(*args)
        self._act()


@pytest.mark.supports("G4")
def test_a_change_of_ours_during_the_comparison_is_no_drift(world: World, people: list[Account]) -> None:
    """The pages showed the old branch; by now the workers have carried out the new one."""

    def moved() -> None:
        world.do(
            lambda tx: change(tx, POLICY, people[0].id, AccountChange(branch=OTHER_BRANCH), BY, world.clock.now())
        )
        world.work()

    world.user(people[0]).given_name = "Annie"
    listing = ChangedWhileRead(world, moved)
    compare(replace(world.systems, listing=listing))
    assert findings(world) == []


@pytest.mark.supports("G4")
def test_an_account_changed_while_it_is_looked_at_is_left_out(
    world: World, people: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was seen belongs to neither the old nor the new version: the next comparison judges it."""
    observe = world.accounts.observe

    def observing(idp_user_id: str, *, sessions: bool) -> Observed | None:
        seen = observe(idp_user_id, sessions=sessions)
        world.do(
            lambda tx: change(tx, POLICY, people[0].id, AccountChange(given_name="Ada"), BY, world.clock.now())
        )
        return seen

    world.user(people[0]).given_name = "Annie"
    monkeypatch.setattr(world.accounts, "observe", observing)
    done = compare(world.systems)
    assert (done.counts.looked_at, done.counts.left_out) == (1, 1)
    assert findings(world) == []


@pytest.mark.supports("E7", "H4")
@pytest.mark.parametrize("left", [0, 1])
def test_a_listing_without_our_users_is_not_believed(world: World, left: int) -> None:
    """An outage or another realm: the comparison stops as unsafe, finds nobody missing, and says so. Of the people
    it met there it keeps nothing."""
    for number in range(15):
        world.join(f"person.n{number}")
    world.work()
    world.accounts.users = dict(list(world.accounts.users.items())[:left])
    world.accounts.users["other"] = FakeUser("other", "somebody.else", "else@elsewhere.example.com")
    with pytest.raises(Unsafe, match=f"lists {left} of our 15 users"):
        compare(world.systems)
    assert findings(world) == []
    assert world.read(lambda tx: foreign_users.listed(tx, 10)) == ()
    last = world.read(lambda tx: comparisons.latest(tx, "comparison"))
    assert last is not None
    assert (last.state, last.error_kind) == ("failed", "unsafe")


@pytest.mark.supports("H4")
def test_keycloak_going_away_in_the_middle_ends_nothing(world: World, people: list[Account]) -> None:
    """What was found before stays as it was, the comparison says why it failed, and the next one does it all."""
    world.user(people[0]).enabled = False
    compare(world.systems)
    later(world)
    world.systems.listing.failure = Transient("Keycloak does not answer")  # type: ignore[attr-defined]
    with pytest.raises(Transient):
        compare(world.systems)
    assert [each.state for each in findings(world)] == ["open"]
    world.systems.listing.failure = None  # type: ignore[attr-defined]
    assert compare(world.systems).state == "done"


@pytest.mark.supports("H4")
def test_one_comparison_at_a_time(world: World, people: list[Account]) -> None:
    """One that a dead worker left behind is ended and begun anew; no second one begins while the job is held."""
    dead = world.do(lambda tx: comparisons.begin(tx, JOB, "comparison", world.clock.now()))
    later(world)

    def compare_twice(systems: Systems, keep: KeepLease) -> Comparison:
        assert run_due_job(systems, {"comparison": COMPARISON}) == 0
        return compare_now(systems, keep)

    assert under_lease(world.systems, "comparison", compare_twice).state == "done"
    assert world.read(lambda tx: comparisons.get(tx, dead.id)).state == "interrupted"


@pytest.mark.supports("G4")
def test_a_role_on_a_group_of_ours_is_one_finding(world: World, people: list[Account]) -> None:
    """However many members the group has; its members are not repaired, and it is gone once it is taken off."""
    path = vocabulary.profile_group("dispatcher")
    world.accounts.groups[path].add("realm-management/manage-users")
    compare(world.systems)
    assert told(world) == {("group-roles", path, None, "realm-management/manage-users")}
    with pytest.raises(Refused, match="cannot be accepted"):
        accept(world.systems, findings(world)[0].id, BY)
    with pytest.raises(Refused, match="do not write"):
        repair(world.systems, findings(world)[0].id, BY)
    world.accounts.groups[path].discard("realm-management/manage-users")
    later(world)
    compare(world.systems)
    assert findings(world) == []


@pytest.mark.supports("G4")
def test_a_group_that_vanished_is_one_finding(world: World, people: list[Account]) -> None:
    """Not one for each of its members."""
    path = vocabulary.branch_group(BRANCH.key)
    del world.accounts.groups[path]
    for user in world.accounts.users.values():
        user.groups.discard(path)
    compare(world.systems)
    assert told(world) == {("group-missing", path, path, None)}


@pytest.mark.supports("H4")
def test_a_profile_group_that_vanished_is_one_finding(world: World, people: list[Account]) -> None:
    """Although it is the group that shows the names of its members."""
    path = vocabulary.profile_group(people[0].profile)
    del world.accounts.groups[path]
    for user in world.accounts.users.values():
        user.groups.discard(path)
    done = compare(world.systems)
    assert told(world) == {("group-missing", path, path, None)}
    assert done.counts.looked_at == 0


@pytest.mark.supports("H4")
@pytest.mark.parametrize("also", ["a stranger", "nobody"])
def test_the_users_as_a_whole_are_listed_only_to_find_somebody(
    world: World, people: list[Account], monkeypatch: pytest.MonkeyPatch, also: str
) -> None:
    """Where all users of the realm were met in their profile groups, as wanted, nobody else can be there."""
    if also == "a stranger":
        world.accounts.users["guest"] = FakeUser("guest", "guest", "guest@elsewhere.example.com")
    listed = []
    users = FakeListing.users
    monkeypatch.setattr(FakeListing, "users", lambda self: listed.append(1) or users(self))
    done = compare(world.systems)
    assert bool(listed) == (also == "a stranger") == bool(done.counts.foreign_users)
    assert done.counts.users == len(world.accounts.users)


@pytest.mark.supports("G4")
def test_users_that_are_not_ours_are_listed_and_left_alone(world: World, people: list[Account]) -> None:
    """With what they have of ours: a group, a role. Nothing is written to them."""
    for name in ("guest", "intruder"):
        world.accounts.users[name] = FakeUser(name, name, f"{name}@elsewhere.example.com")
    world.accounts.users["intruder"].groups.add(vocabulary.profile_group("manager"))
    world.accounts.users["intruder"].roles.add("fsm-profile-manager")
    before = len(world.accounts.applied)
    done = compare(world.systems)
    bulk(world)
    assert done.counts.foreign_users == 2
    assert [each.username for each in world.read(lambda tx: foreign_users.listed(tx, 10))] == ["guest", "intruder"]
    assert told(world) == {
        ("foreign-member", "intruder", None, vocabulary.profile_group("manager")),
        ("foreign-role", "intruder", None, "fsm-profile-manager"),
    }
    assert len(world.accounts.applied) == before
    del world.accounts.users["guest"]
    later(world)
    compare(world.systems)
    assert [each.username for each in world.read(lambda tx: foreign_users.listed(tx, 10))] == ["intruder"]


@pytest.mark.supports("G4", "H2")
def test_a_user_that_lost_our_mark_is_reported_with_its_quarantine(world: World, people: list[Account]) -> None:
    """The worker refuses it; the comparison says why, for as long as it is so."""
    user = world.user(people[0])
    mark = user.attributes.pop(ACCOUNT_ID)
    user.family_name = "Arnold"
    compare(world.systems)
    assert {each.attribute for each in findings(world)} == {Anomaly.ACCOUNT_ID, Aspect.FAMILY_NAME}
    bulk(world)
    state = world.read(lambda tx: work_state.of_account(tx, people[0].id))
    assert state is not None
    assert state.quarantine is not None
    user.attributes[ACCOUNT_ID] = mark
    user.family_name = "Arno"
    later(world)
    compare(world.systems)
    assert findings(world) == []


@pytest.mark.supports("H4")
def test_an_inactive_account_that_somebody_switched_on(world: World, people: list[Account]) -> None:
    """By the workers, as wanted; the file's word is repair."""
    world.do(lambda tx: deactivate(tx, POLICY, people[0].id, GatePolicy.HOLD, BY, world.clock.now()))
    world.work()
    world.pass_time(3600)
    world.work()
    world.user(people[0]).enabled = True
    compare(world.systems)
    assert {each.attribute for each in findings(world)} == {Aspect.SWITCHED_ON}
    bulk(world)
    assert not world.user(people[0]).enabled
    kept = world.read(lambda tx: accounts.get(tx, people[0].id))
    assert kept is not None
    assert kept.life is Life.INACTIVE


@pytest.mark.supports("G4", "H4")
def test_the_attribute_pass_finds_what_a_listing_does_not_show(world: World, people: list[Account]) -> None:
    """A technician id that somebody wrote, a mark that was taken off, and a second user that carries it."""
    world.user(people[0]).attributes["technician_id"] = ("T-9",)
    mark = world.user(people[1]).attributes.pop(ACCOUNT_ID)
    world.accounts.users["x"] = FakeUser("x", "copy", "copy@example.com", attributes={ACCOUNT_ID: mark})
    assert compare(world.systems).counts.looked_at == 0
    done = compare_attributes(world.systems)
    assert (done.counts.users, done.counts.accounts, done.counts.differing) == (4, 3, 2)
    assert told(world) == {
        ("technician-id", people[0].username, None, "T-9"),
        ("account-id", people[1].username, people[1].id, None),
        ("stray-account-id", "copy", None, people[1].id),
    }
    bulk(world)
    world.accounts.users["x"].attributes.clear()
    later(world)
    compare_attributes(world.systems)
    assert told(world) == {("account-id", people[1].username, people[1].id, None)}


@pytest.mark.supports("G4", "E7")
def test_a_comparison_by_files_of_before_finds_nothing(world: World, people: list[Account]) -> None:
    """Other mapping files came into force while it was under way: what the workers follow now is no drift."""
    world.user(people[0]).family_name = "Arnold"
    outdated = replace(world.systems, policy_number=7)
    with pytest.raises(Transient, match="other mapping files have just come into force"):
        compare(outdated)
    assert findings(world) == []
