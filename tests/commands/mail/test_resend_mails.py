"""A mail that failed goes again because a person says so, to the right address, and never by itself."""

from __future__ import annotations

import pytest

from sync.commands.accounts.change import change
from sync.commands.accounts.initial_password import InitialPassword
from sync.commands.acts import reset_password
from sync.commands.deactivation.deactivate import deactivate
from sync.commands.mail import send_again
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import NotFound, Refused
from sync.domain.work.lease import LEASE
from sync.jobs.mail import send_some
from sync.store.audit.timeline import read_timeline
from sync.store.mail import failed_mails, outbox
from sync.store.mail.failed_mails import FailedMail
from sync.store.work.lease_rows import Terms
from tests.world import BY, POLICY, World

pytestmark = pytest.mark.supports("F7", "H3")


def mailed(world: World) -> None:
    while send_some(world.systems):
        pass


def failed(world: World) -> list[FailedMail]:
    return list(world.read(lambda tx: failed_mails.newest(tx, world.clock.now())))


def again(world: World, *which: str, anyway: bool = False) -> int:
    now = world.clock.now()
    return world.do(lambda tx: send_again(tx, None, BY, now, which or None, even_if_it_left=anyway))


@pytest.fixture
def jo(world: World) -> Account:
    """Whose welcome mail was refused."""
    account = world.join("jo.lnid")
    world.mailer.refused.add(account.email)
    world.work()
    mailed(world)
    return account


def test_a_refused_mail_goes_to_the_address_of_now(world: World, jo: Account) -> None:
    """With the password it had; the timeline has who asked and why."""
    [mail] = failed(world)
    assert (mail.sendable, mail.may_have_left) == (True, False)
    corrected = AccountChange(email="jo.lind@example.com")
    world.do(lambda tx: change(tx, POLICY, jo.id, corrected, BY, world.clock.now()))
    world.work()
    mailed(world)
    assert world.mailer.sent == []
    assert again(world, mail.id[-8:]) == 1
    mailed(world)
    [sent] = world.mailer.sent
    assert (sent.to, "temporary-secret-of-the-test" in sent.text) == ("jo.lind@example.com", True)
    assert failed(world) == []
    entries = world.read(lambda tx: read_timeline(tx, jo.id))
    assert any(each.title == "send the welcome mail again" for each in entries)


def test_one_that_may_have_left_needs_a_word_for_it_alone(world: World, jo: Account) -> None:
    """Not among all, not beside another, not without saying so."""
    other = world.join("ann.arno")
    world.mailer.breaks_off = True
    world.work()
    mailed(world)
    world.mailer.breaks_off = False
    world.mailer.refused.clear()
    [doubtful] = [each for each in failed(world) if each.account_id == other.id]
    [certain] = [each for each in failed(world) if each.account_id == jo.id]
    assert (doubtful.sendable, doubtful.may_have_left) == (True, True)
    for which, anyway in (((doubtful.id,), False), ((doubtful.id, certain.id), True)):
        with pytest.raises(Refused, match="may have reached ann"):
            again(world, *which, anyway=anyway)
    assert again(world) == 1
    mailed(world)
    assert [each.to for each in world.mailer.sent] == [jo.email]
    assert again(world, doubtful.id, anyway=True) == 1
    mailed(world)
    assert [each.to for each in world.mailer.sent] == [jo.email, other.email]


def test_one_over_which_a_worker_ended_goes_again(world: World) -> None:
    """A person has said that it shall, whatever the dead worker did; by itself it never goes."""
    account = world.join("ann.arno")
    world.work()
    with world.systems.db.write() as tx:
        assert outbox.claim(tx, Terms(world.clock.now()), 1)
    world.pass_time(LEASE.total_seconds() + 1)
    mailed(world)
    [doubtful] = failed(world)
    assert (doubtful.may_have_left, world.mailer.sent) == (True, [])
    assert again(world, doubtful.id, anyway=True) == 1
    mailed(world)
    assert [each.to for each in world.mailer.sent] == [account.email]


def test_nothing_goes_without_a_password_that_is_valid(world: World, jo: Account) -> None:
    """Its time is up, though no sweep has erased it yet."""
    [mail] = failed(world)
    world.pass_time(POLICY.realm.temporary_password_hours * 3600)
    assert again(world) == 0
    with pytest.raises(Refused, match="no longer kept"):
        again(world, mail.id)


def test_a_password_that_was_replaced_does_not_go(world: World, jo: Account) -> None:
    """The mail of the reset is refused too, and is the one that can go again."""
    world.pass_time(60)
    new = InitialPassword("another-secret-of-the-test", "mail")
    world.do(lambda tx: reset_password(tx, POLICY, jo.id, new, BY, world.clock.now()))
    world.work()
    mailed(world)
    newest, first = failed(world)
    assert (newest.kind, newest.sendable) == ("password reset", True)
    with pytest.raises(Refused, match="later mail"):
        again(world, first.id)
    world.mailer.refused.clear()
    assert again(world) == 1
    mailed(world)
    [sent] = world.mailer.sent
    assert "another-secret-of-the-test" in sent.text


def test_who_is_inactive_gets_none(world: World, jo: Account) -> None:
    """A leaver's mail is not asked for by mistake."""
    world.do(lambda tx: deactivate(tx, POLICY, jo.id, GatePolicy.REFUSE, BY, world.clock.now()))
    assert [each.sendable for each in failed(world)] == [False]
    with pytest.raises(NotFound):
        again(world, "nothing-like-it")
