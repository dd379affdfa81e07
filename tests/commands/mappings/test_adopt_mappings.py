"""Other mapping files: what they would change for whom, held if it is too much, carried out once adopted."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from mappings import load
from mappings.loading import read_texts
from sync.commands.accounts.change import change
from sync.commands.mappings import adopt as adopt_mappings
from sync.commands.mappings import plan as plan_mappings
from sync.commands.mappings.adopt import Adoption, adopt
from sync.commands.mappings.in_force import adopt_first
from sync.commands.mappings.plan import Proposal, plan, propose
from sync.commands.perform import perform
from sync.commands.run_kinds import approve, reject
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.errors import Refused, Transient
from sync.domain.runs.guard import Hold, Pass
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.systems import Systems
from sync.store import mappings
from sync.store.accounts import accounts
from sync.store.database.tables import audit
from sync.store.provisioning import work_state
from sync.store.runs import run_rows, runs
from sync.store.runs.runs import Run
from sync.store.work import account_claims
from sync.store.work.lease_rows import Terms
from tests.adopting import started_now, while_it_walks
from tests.callers import machine, wanted_by
from tests.fakes.accounts import FakeAccounts
from tests.world import FIRST, World

LEE = wanted_by("lee", "dispatchers see their own work only")
KIM = replace(LEE, caller=machine("kim"))
NARROWER = ('title = "Dispatcher"', 'default_data_access = "branch"', 'default_data_access = "personal"')


@dataclass
class Company:
    """A world whose policy is in force in the database, and folders of other files."""

    world: World
    folder: Path

    @property
    def systems(self) -> Systems:
        """As a process that starts now has it."""
        return started_now(self.world)

    def staff(self, number: int, start: int = 0, profile: str = "dispatcher") -> list[Account]:
        """So many people in Keycloak."""
        made = [self.world.join(f"{profile}.p{each}", profile=profile) for each in range(start, start + number)]
        self.world.work()
        return made

    def proposal(self, *edits: tuple[str, str, str], name: str = "profiles.toml") -> Proposal:
        """The files in force with passages replaced, each the first behind a heading."""
        text = (self.folder / name).read_text() if (self.folder / name).exists() else read_texts()[name]
        for heading, old, new in edits:
            head, found, rest = text.partition(heading)
            assert found
            assert old in rest
            text = head + found + rest.replace(old, new, 1)
        (self.folder / name).write_text(text)
        in_force = adopt_first(self.world.systems.db, None, FIRST, self.world.clock.now())
        return propose(in_force, self.folder)

    def carry_out(self) -> None:
        """What the workers of the bulk lane do."""
        while apply_chunk(self.systems) + provision_some(self.systems, Lane.BULK):
            pass

    def groups(self, account: Account) -> frozenset[str]:
        return frozenset(self.world.user(account).groups)

    def number_in_force(self) -> int:
        return self.world.read(mappings.newest_number)


@pytest.fixture
def company(world: World, tmp_path: Path) -> Company:
    """With the shipped files in force."""
    folder = tmp_path / "mappings"
    folder.mkdir()
    adopt_first(world.systems.db, None, FIRST, world.clock.now())
    return Company(world, folder)


def held(company: Company) -> Run:
    """Twelve dispatchers of twelve people would see less: too many."""
    company.staff(12)
    done = adopt(company.systems, company.proposal(NARROWER), LEE)
    assert done.number is None
    assert done.run is not None
    return done.run


BRANCH, PERSONAL = "/fsm/data-access/branch", "/fsm/data-access/personal"


@pytest.mark.supports("E7")
def test_the_plan_says_who_would_change_how_and_changes_nothing(company: Company) -> None:
    """Accounts by kind of change, the first of them by name, and what else is different in the files."""
    company.staff(12)
    company.staff(3, profile="accountant")
    proposal = company.proposal(NARROWER)
    found = plan(company.systems, proposal, shown=2)
    assert (found.affected, found.for_workers, found.population) == (12, 12, 15)
    assert (found.counts["demoted"], found.counts["moved"]) == (12, 0)
    assert [each.account.profile for each in found.shown] == ["dispatcher"] * 2
    assert found.shown[0].effect.changes["groups"] == ((BRANCH,), (PERSONAL,))
    assert found.other == ("changed: profile dispatcher (default data access: branch → personal)",)
    assert found.verdict == Hold(
        ("12 accounts would be able to do or see less: 80 % of 15 active ones, more than 10 %",)
    )
    assert found.fingerprint == plan(company.systems, proposal).fingerprint
    assert company.number_in_force() == 1
    assert company.world.read(lambda tx: runs.recent(tx, 5)) == ()


@pytest.mark.supports("E7")
def test_features_taken_from_a_profile_count_although_no_account_is_written(company: Company) -> None:
    """They hang on the group: `realm apply` takes them from all members at once, so it is judged all the same."""
    company.staff(12)
    found = plan(company.systems, company.proposal(('title = "Dispatcher"', '"scheduling", ', "")))
    assert (found.affected, found.for_workers, found.counts["demoted"]) == (12, 0, 12)
    assert isinstance(found.verdict, Hold)


@pytest.mark.supports("E7", "A5")
def test_a_small_change_is_adopted_and_carried_out(company: Company) -> None:
    """A few people: no approval. Workers move them; everybody else is left alone."""
    few, others = company.staff(4), company.staff(60, profile="accountant")
    before = company.world.read(lambda tx: work_state.wanted_versions(tx, [each.id for each in others]))
    done = adopt(company.systems, company.proposal(NARROWER), LEE)
    assert (done.number, company.number_in_force()) == (2, 2)
    assert isinstance(done.plan.verdict, Pass)
    company.carry_out()
    assert all(PERSONAL in company.groups(each) and BRANCH not in company.groups(each) for each in few)
    after = company.world.read(lambda tx: work_state.wanted_versions(tx, [each.id for each in others]))
    assert before == after
    [run] = company.world.read(lambda tx: runs.recent(tx, 5))
    assert (run.kind, run.state, run.counts) == ("mappings", "done", {"update": 4, "unchanged": 0})


@pytest.mark.supports("E7")
def test_small_steps_are_one_change_of_many(company: Company) -> None:
    """Six dispatchers, then six managers of forty people: each alone is few, together they are not."""
    company.staff(6), company.staff(6, profile="manager"), company.staff(28, profile="accountant")
    assert adopt(company.systems, company.proposal(NARROWER), LEE).number == 2
    narrower = company.proposal(('title = "Manager"', NARROWER[1], NARROWER[2]))
    assert isinstance(plan(company.systems, narrower).verdict, Hold)
    second = adopt(company.systems, narrower, LEE)
    assert second.run is not None
    assert (second.number, second.run.state, company.number_in_force()) == (None, "held", 2)
    assert "12 accounts within an hour would be able to do or see less" in (second.run.held_reasons or ("",))[0]


@pytest.mark.supports("E7")
def test_too_much_is_held_and_the_files_of_before_stay_in_force(company: Company) -> None:
    """Nothing happens to anybody; the list of all accounts is kept with the run."""
    run = held(company)
    assert (run.state, company.number_in_force()) == ("held", 1)
    company.carry_out()
    rows = company.world.read(lambda tx: run_rows.rows(tx, run.id))
    assert [row.messages["effects"] for row in rows] == [["demoted"]] * 12
    joiner = company.world.join("late.comer")
    company.world.work()
    assert BRANCH in company.groups(joiner)


@pytest.mark.supports("E7", "A7")
@pytest.mark.parametrize("decided", ["approve", "reject"])
def test_the_audit_says_of_what_each_decision_was(company: Company, decided: str) -> None:
    """In the same words each time."""
    run = held(company)
    if decided == "approve":
        approve(company.systems, run.id, KIM, run.fingerprint)
    else:
        reject(company.systems, run.id, KIM)
    said = select(audit.c.action).where(audit.c.correlation_id == run.id).order_by(audit.c.id)
    actions = company.world.read(lambda tx: tx.connection.execute(said).scalars().all())
    assert run.title.startswith("mapping files of ")
    assert [f"hold {run.title}", f"{decided} {run.title}"] == actions[:2]


@pytest.mark.supports("E7")
def test_approved_by_its_fingerprint_it_is_adopted_and_carried_out(company: Company) -> None:
    """Also for an account a worker was at just then. Who has joined meanwhile, and is no business of these files,
    hinders nobody."""
    run = held(company)
    company.world.pass_time(3600)
    joiner = company.world.join("late.comer", profile="accountant")
    company.world.work()
    busy = company.world.read(lambda tx: accounts.by_login(tx, "dispatcher.p3@example.com"))
    assert busy is not None
    renamed = AccountChange(given_name="Busy")
    now = company.world.clock.now()
    company.world.do(lambda tx: change(tx, company.systems.policy, busy.id, renamed, LEE, now))
    assert claimed(company) == [busy.id]
    approved = approve(company.systems, run.id, KIM, run.fingerprint[:16])
    assert (approved.state, approved.approval and approved.approval.name, company.number_in_force()) == (
        "confirmed",
        "kim",
        2,
    )
    company.world.pass_time(120)
    company.carry_out()
    while provision_some(company.systems, Lane.INTERACTIVE):
        pass
    rows = company.world.read(lambda tx: run_rows.rows(tx, run.id))
    people = company.world.read(lambda tx: accounts.read_many(tx, [str(row.account_id) for row in rows]))
    assert len(people) == 12
    assert PERSONAL not in company.groups(joiner)
    for account in people.values():
        assert PERSONAL in company.groups(account)
        assert BRANCH not in company.groups(account)


def claimed(company: Company) -> list[str]:
    """A worker is in the middle of something, by the files of before. Returns the accounts it is at."""
    with company.systems.db.write() as tx:
        claims = account_claims.claim(tx, Lane.INTERACTIVE, Terms(company.world.clock.now()), 5)
    return [claim.account.id for claim in claims]


@pytest.mark.supports("E7")
def test_who_joins_a_plan_after_somebody_looked_at_it_is_refused(company: Company) -> None:
    """One more dispatcher since the plan, named: reject it and plan again."""
    run = held(company)
    [joiner] = company.staff(1, start=100)
    with pytest.raises(Refused, match="1 account that nobody looked at would change as well") as refused:
        approve(company.systems, run.id, KIM, run.fingerprint)
    assert f"{joiner.username}: would be able to do or see less" in str(refused.value)
    assert company.number_in_force() == 1
    assert reject(company.systems, run.id, LEE).state == "cancelled"


@pytest.mark.supports("E7")
def test_a_plan_after_other_files_is_not_approved(company: Company) -> None:
    """Other files came into force in between: the list was made for a world that is gone."""
    run = held(company)
    (company.folder / "profiles.toml").unlink()
    text = read_texts()["work_orders.toml"].replace("hold_deadline_days = 14", "hold_deadline_days = 15")
    (company.folder / "work_orders.toml").write_text(text)
    in_force = adopt_first(company.systems.db, None, FIRST, company.world.clock.now())
    done = adopt(company.systems, propose(in_force, company.folder), LEE)
    assert (done.number, done.run) == (2, None)
    with pytest.raises(Refused, match="other files have come into force since the plan"):
        approve(company.systems, run.id, KIM, run.fingerprint)


@pytest.mark.supports("E7", "A3")
def test_files_that_let_one_account_keep_accounts_are_held(company: Company) -> None:
    """A feature more for a profile that one of forty has: that one could make others. The plan says so."""
    company.staff(1), company.staff(39, profile="accountant")
    more = ("[profiles.dispatcher]", 'features = ["work-orders"', 'features = ["user-management", "work-orders"')
    factor = ('title = "Dispatcher"', "second_factor = false", "second_factor = true")
    proposal = company.proposal(more, factor)
    verdict = plan(company.systems, proposal).verdict
    assert isinstance(verdict, Hold)
    assert "1 account would be able to keep accounts" in verdict.reasons[0]
    assert adopt(company.systems, proposal, LEE).number is None


@pytest.mark.supports("E7")
def test_files_cannot_lift_the_limits_they_exceed(company: Company) -> None:
    """The limits in force judge: a guard.toml without limits in the same change helps nobody."""
    company.staff(12)
    text = read_texts()["guard.toml"].replace("accounts = 50", 'accounts = "unlimited"')
    (company.folder / "guard.toml").write_text(text.replace("percent = 10\n", 'percent = "unlimited"\n'))
    assert isinstance(plan(company.systems, company.proposal(NARROWER)).verdict, Hold)
    assert load(company.folder).guard.limits["demoted"].accounts is None


def without_dispatchers(company: Company) -> Proposal:
    """The files in force without that profile."""
    text = read_texts()["profiles.toml"]
    head, _, rest = text.partition("[profiles.dispatcher]")
    (company.folder / "profiles.toml").write_text(head + rest[rest.index("[profiles.technician]") :])
    rules = read_texts()["hr_rules.toml"].replace('"dispatcher"', '"read-only"')
    (company.folder / "hr_rules.toml").write_text(rules)
    in_force = adopt_first(company.systems.db, None, FIRST, company.world.clock.now())
    return propose(in_force, company.folder)


@pytest.mark.supports("E7", "A3")
def test_a_key_that_accounts_use_cannot_vanish(company: Company) -> None:
    """Before anything is stored (rule: keys-in-use-stay)."""
    company.staff(2)
    with pytest.raises(Refused, match=r"lack what accounts use: profile 'dispatcher' \(2 accounts\)"):
        adopt(company.systems, without_dispatchers(company), LEE)
    assert company.number_in_force() == 1


@pytest.mark.supports("E7")
def test_another_plan_than_the_one_that_was_looked_at_is_not_adopted(company: Company) -> None:
    """Somebody joined since: the fingerprint is another one. Files that mean the same are no proposal."""
    company.staff(2)
    proposal = company.proposal(NARROWER)
    seen = plan(company.systems, proposal).fingerprint
    company.staff(1, start=50)
    with pytest.raises(Refused, match="look at it again"):
        adopt(company.systems, proposal, LEE, seen)
    assert company.number_in_force() == 1
    assert adopt(company.systems, proposal, LEE, plan(company.systems, proposal).fingerprint[:12]).number == 2
    with pytest.raises(Refused, match="mean what is in force already"):
        company.proposal()


@pytest.mark.supports("E7", "G1")
def test_nothing_is_adopted_without_a_reason(company: Company) -> None:
    """The files of before stay in force, and no run is left behind."""
    company.staff(2)
    with pytest.raises(Refused, match="reason: is missing"):
        adopt(company.systems, company.proposal(NARROWER), replace(LEE, reason=""))
    assert company.number_in_force() == 1
    with company.systems.db.read() as tx:
        assert runs.recent(tx, 10, "mappings") == ()


@pytest.mark.supports("E7")
def test_of_two_adoptions_at_once_one_counts(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both had planned after the same files; the second is told that they are in force no longer."""
    company.staff(2)
    proposal, systems = company.proposal(NARROWER), company.systems
    start = threading.Barrier(2)
    done: list[Adoption] = []
    said: list[str] = []

    def run_it() -> None:
        start.wait(20)
        try:
            done.append(adopt(systems, proposal, LEE))
        except Refused as refused:
            said.append(str(refused))

    threads = [threading.Thread(target=run_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert ([each.number for each in done], len(said)) == ([2], 1)
    assert "other files have come into force" in said[0]
    states = sorted(run.state for run in company.world.read(lambda tx: runs.recent(tx, 5)))
    assert states == ["confirmed", "refused"]


@pytest.mark.supports("E7")
def test_who_comes_while_it_walks_is_judged_with_the_others(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would see less when the walk began; twelve would when it ends."""
    proposal = company.proposal(NARROWER)
    while_it_walks(monkeypatch, lambda: company.staff(12))
    done = adopt(company.systems, proposal, LEE)
    assert done.number is None
    assert company.number_in_force() == 1
    assert done.run is not None
    rows = company.world.read(lambda tx: run_rows.rows(tx, str(done.run and done.run.id)))
    assert [row.messages["effects"] for row in rows] == [["demoted"]] * 12
    assert approve(company.systems, done.run.id, KIM, done.run.fingerprint).state == "confirmed"


@pytest.mark.supports("E7")
def test_who_joins_while_it_walks_is_refused_where_a_plan_was_named(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more would see less than whoever named the plan has seen."""
    company.staff(1)
    proposal = company.proposal(NARROWER)
    seen = plan(company.systems, proposal).fingerprint
    while_it_walks(monkeypatch, lambda: company.staff(1, start=100))
    with pytest.raises(Refused, match="1 account that nobody looked at would change as well"):
        adopt(company.systems, proposal, LEE, seen)
    assert company.number_in_force() == 1


@pytest.mark.supports("E7", "A3")
def test_a_key_given_to_somebody_while_it_walks_cannot_vanish(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else no worker could start by the new files (rule: keys-in-use-stay)."""
    proposal = without_dispatchers(company)
    while_it_walks(monkeypatch, lambda: company.staff(1))
    with pytest.raises(Refused, match=r"lack what accounts use: profile 'dispatcher' \(1 account\)"):
        adopt(company.systems, proposal, LEE)
    assert company.number_in_force() == 1


@pytest.mark.supports("E7", "A3")
def test_nobody_gets_a_key_that_has_just_gone(company: Company) -> None:
    """A command decided by the files of before stores nothing once others are in force."""
    company.staff(2)
    before = company.systems
    adopt(before, company.proposal(NARROWER), LEE)
    with pytest.raises(Transient, match="have just come into force"):
        perform(before, lambda tx: None, wakes=Lane.INTERACTIVE)


@pytest.mark.supports("E7", "H4")
def test_many_accounts_are_walked_in_pages(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """With pages of three the plan and the run are the same as with one."""
    company.staff(8)
    proposal = company.proposal(NARROWER)
    whole = plan(company.systems, proposal)
    for module in (adopt_mappings, plan_mappings):
        monkeypatch.setattr(module, "PAGE", 3)
    paged = plan(company.systems, proposal)
    assert (paged.fingerprint, paged.affected) == (whole.fingerprint, 8)
    done = adopt(company.systems, proposal, LEE, whole.fingerprint)
    assert done.run is not None
    rows = company.world.read(lambda tx: run_rows.rows(tx, done.run.id))  # type: ignore[union-attr]
    assert [row.number for row in rows] == list(range(1, 9))


@pytest.mark.supports("E7", "C8")
def test_until_the_realm_has_followed_nobody_is_quarantined(company: Company) -> None:
    """A feature was taken from a profile and still hangs on its group: the work comes again by itself."""
    gone = company.proposal(('title = "Dispatcher"', '"scheduling", ', ""))
    adopt(company.systems, gone, LEE)
    systems = company.systems
    path, carried = "/fsm/profiles/dispatcher", {"fsm/scheduling"}
    gateway = systems.accounts
    assert isinstance(gateway, FakeAccounts)
    gateway.groups[path] |= carried
    joiner = company.world.join("late.comer")
    assert provision_some(systems, Lane.INTERACTIVE) == 1
    work = company.world.read(lambda tx: work_state.of_account(tx, joiner.id))
    assert work is not None
    assert work.quarantine is None
    gateway.groups[path] -= carried
    company.world.pass_time(3600)
    provision_some(systems, Lane.INTERACTIVE)
    assert path in company.groups(joiner)
