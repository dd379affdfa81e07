"""Findings, comparisons and foreign users as rows, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from sync.domain.accounts.account import Account
from sync.domain.drift.anomaly import Anomaly, Irregularity
from sync.domain.drift.kinds import KINDS
from sync.domain.drift.listed_user import ListedUser
from sync.domain.provisioning.aspect import Aspect, Deviation
from sync.store.accounts import accounts, pages
from sync.store.database.transactions import Database
from sync.store.drift import comparisons, findings, foreign_users
from sync.store.drift.comparisons import Counts
from sync.store.drift.findings import Subject
from tests.callers import allowed, granted, wanted_by
from tests.claiming import JOB

BRANCH = Deviation(Aspect.BRANCH, "hamburg", None)
KIM = wanted_by("kim", "on loan")


@pytest.fixture
def subject(db: Database, make_account: Callable[..., Account]) -> Subject:
    """An account that has a user in Keycloak."""
    account = make_account(idp_user_id="kc-1")
    with db.write() as tx:
        accounts.insert(tx, granted(account))
    return Subject(account.id, account.username, account.id, "kc-1")


@pytest.mark.supports("G4")
def test_a_difference_found_again_is_one_finding(db: Database, subject: Subject, now: datetime) -> None:
    """With the time it was first and last seen."""
    later = now + timedelta(hours=6)
    with db.write() as tx:
        first = findings.found(tx, JOB, subject, BRANCH, "repair", now)
    with db.write() as tx:
        again = findings.found(tx, JOB, subject, BRANCH, "report", later)
    assert (again.id, again.first_seen_at, again.last_seen_at, again.reaction) == (first.id, now, later, "report")
    with db.read() as tx:
        assert findings.listed(tx, states=findings.LIVE, account_id=subject.account_id) == (again,)
        assert findings.open_by_attribute(tx) == {"branch": 1}
        assert findings.accounts_with(tx, [Aspect.BRANCH]) == {subject.account_id}
        assert findings.accounts_with(tx, [Aspect.TEAM]) == frozenset()


@pytest.mark.supports("G4", "A10")
def test_each_attribute_of_a_company_is_a_finding_of_its_own(
    db: Database, subject: Subject, now: datetime
) -> None:
    """One is accepted and the other ends, each by itself."""
    centre, vehicle = (Deviation(Aspect.ATTRIBUTES, "was", "is", key) for key in ("cost_centre", "vehicle"))
    with db.write() as tx:
        first, second = (findings.found(tx, JOB, subject, each, "report", now) for each in (centre, vehicle))
        findings.decide(tx, allowed(KIM), first.id, "accepted", now)
        assert (first.what, second.what) == ("cost_centre", "vehicle")
        assert findings.open_by_attribute(tx) == {"attributes": 1}
        still = {(Aspect.ATTRIBUTES, "cost_centre")}
        findings.close_of_account(tx, JOB, str(subject.account_id), still, [], now, now)
        assert [(each.what, each.state) for each in findings.listed(tx, states=findings.LIVE)] == [
            ("cost_centre", "accepted")
        ]
        findings.close_of_account(tx, JOB, str(subject.account_id), set(), [Aspect.ATTRIBUTES], now, now)
        assert len(findings.listed(tx, states=findings.LIVE)) == 1


@pytest.mark.supports("G4")
def test_what_is_not_found_any_more_ends(db: Database, subject: Subject, now: datetime) -> None:
    """Repaired if a repair was asked for, else gone; what the comparison could not judge stays."""
    group = Subject.of_group("/fsm/branches/hamburg")
    stranger = Subject.of_user("kc-9", "guest")
    extra = Irregularity(Anomaly.GROUP_ROLES, None, "admin")
    member = Irregularity(Anomaly.FOREIGN_MEMBER, None, "/fsm/branches/hamburg")
    with db.write() as tx:
        asked = findings.found(tx, JOB, subject, BRANCH, "repair", now)
        findings.ask_repair(tx, allowed(), [asked.id], now)
        plain = findings.found(tx, JOB, group, extra, "report", now)
        unjudged = findings.found(tx, JOB, stranger, member, "report", now)
    since = now + timedelta(hours=1)
    with db.write() as tx:
        ended = findings.close_unseen(tx, JOB, KINDS, since, {stranger.key}, since)
    assert ended == 2
    with db.read() as tx:
        found = {each.id: each.state for each in findings.listed(tx, states=findings.STATES)}
        assert found == {asked.id: "repaired", plain.id: "gone", unjudged.id: "open"}
    with db.write() as tx:
        assert findings.found(tx, JOB, subject, BRANCH, "repair", since).id != asked.id


@pytest.mark.supports("G4")
def test_an_accepted_finding_that_changes_is_open_again(db: Database, subject: Subject, now: datetime) -> None:
    """The old one is gone with the decision about it, a new one is open."""
    with db.write() as tx:
        first = findings.found(tx, JOB, subject, BRANCH, "report", now)
        findings.decide(tx, allowed(KIM), first.id, "accepted", now)
    with db.write() as tx:
        assert findings.found(tx, JOB, subject, BRANCH, "report", now).state == "accepted"
        other = findings.found(tx, JOB, subject, Deviation(Aspect.BRANCH, "hamburg", "berlin"), "report", now)
    assert (other.state, other.decision) == ("open", None)
    with db.write() as tx:
        before = findings.get(tx, first.id)
    assert before is not None
    assert (before.state, before.decision) == ("gone", KIM)


@pytest.mark.supports("H4")
def test_one_comparison_of_a_kind_at_a_time(db: Database, now: datetime) -> None:
    """Whoever begins one holds the job, so what still runs was interrupted. Another kind is another job's."""
    with db.write() as tx:
        first = comparisons.begin(tx, JOB, "comparison", now)
        other = comparisons.begin(tx, JOB, "attribute-pass", now)
    later = now + timedelta(seconds=1)
    with db.write() as tx:
        second = comparisons.begin(tx, JOB, "comparison", later)
        comparisons.finish(tx, JOB, second.id, Counts(users=8), later)
    with db.read() as tx:
        assert [comparisons.get(tx, each.id).state for each in (first, other)] == ["interrupted", "running"]
        last = comparisons.latest(tx, "comparison")
        assert last is not None
        assert (last.id, last.state, last.counts.users) == (second.id, "done", 8)


@pytest.mark.supports("G4")
def test_foreign_users_come_and_go(db: Database, now: datetime) -> None:
    """Each once, with the time it was first seen; who is not seen any more is forgotten."""
    guest, other = (
        ListedUser(f"kc-{name}", name, f"{name}@elsewhere.example.com", "", "", enabled=True)
        for name in ("guest", "other")
    )
    later = now + timedelta(hours=6)
    with db.write() as tx:
        foreign_users.seen(tx, JOB, [guest, other], now)
    with db.write() as tx:
        foreign_users.seen(tx, JOB, [guest], later)
        foreign_users.forget_unseen(tx, JOB, later)
    with db.read() as tx:
        [left] = foreign_users.listed(tx, 10)
    assert (left.username, left.first_seen_at, left.last_seen_at) == ("guest", now, later)


@pytest.mark.supports("H4")
def test_accounts_in_keycloak_come_page_by_page(
    db: Database, make_account: Callable[..., Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each once, whatever the size of the pages; those without a user are not among them."""
    made = [make_account(idp_user_id=f"kc-{number}" if number % 3 else None) for number in range(10)]
    with db.write() as tx:
        for account in made:
            accounts.insert(tx, granted(account))
    monkeypatch.setattr(pages, "PAGE", 3)
    expected = [account for account in made if account.idp_user_id]
    assert [account for page in pages.in_keycloak(db) for account in page] == expected
    ids = [each for page in pages.ids_in_keycloak(db) for each in page]
    assert ids == [(account.id, account.idp_user_id) for account in expected]
    with db.read() as tx:
        assert pages.of_users(tx, ["kc-1", "kc-77", made[0].id]) == {
            "kc-1": made[1].id,
            made[0].id: made[0].id,
        }
