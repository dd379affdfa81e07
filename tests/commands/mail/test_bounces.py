"""Mails that came back: no more go there, until the account has another address or somebody says they arrive."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.commands.accounts.change import change
from sync.commands.accounts.initial_password import InitialPassword
from sync.commands.acts import reset_password, send_password_mail
from sync.commands.deactivation.deactivate import deactivate
from sync.commands.mail import Returned, arrives_again, bounced, send_again
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import FailureCode, NotFound, Refused
from sync.jobs.mail import send_some
from sync.store.audit.timeline import read_timeline
from sync.store.mail import bounces, failed_mails, unreachable
from sync.store.mail.failed_mails import FailedMail
from sync.store.mail.unreachable import Why
from sync.store.operations import figures
from tests.world import BY, POLICY, World

pytestmark = pytest.mark.supports("F7", "H3")


def mailed(world: World) -> None:
    world.work()
    while send_some(world.systems):
        pass


def comes_back(world: World, *addresses: str, reason: str = "no such user", ago: float | None = None) -> int:
    now = world.clock.now()
    at = None if ago is None else now - timedelta(seconds=ago)
    returned = [Returned(each, reason, at) for each in addresses]
    return len(world.do(lambda tx: bounced(tx, None, returned, BY, now)))


def arrives(world: World, address: str) -> None:
    world.do(lambda tx: arrives_again(tx, None, [address], BY, world.clock.now()))


def moved(world: World, account: Account, address: str) -> None:
    world.do(lambda tx: change(tx, POLICY, account.id, AccountChange(email=address), BY, world.clock.now()))


def failed(world: World) -> list[FailedMail]:
    return list(world.read(lambda tx: failed_mails.newest(tx, world.clock.now())))


def is_bounced(world: World, account: Account) -> bool:
    return world.read(lambda tx: bounces.of_account(tx, account.id)) is not None


def asks_for_mail(world: World, account: Account) -> None:
    new = InitialPassword("another-secret-of-the-test", "mail")
    world.do(lambda tx: reset_password(tx, POLICY, account.id, new, BY, world.clock.now()))


@pytest.fixture
def jo(world: World) -> Account:
    """Whose welcome mail was sent."""
    account = world.join("jo.lnid")
    mailed(world)
    world.pass_time(60)
    return account


def test_a_mail_that_came_back_was_not_delivered(world: World, jo: Account) -> None:
    """It is among the failed ones, and cannot go again: its password was erased when it left."""
    assert comes_back(world, jo.email.upper()) == 1
    [mail] = failed(world)
    assert (mail.failure, mail.error) == (FailureCode.ADDRESS_BOUNCED, "came back: no such user")
    assert (mail.sendable, mail.may_have_left, mail.at) == (False, False, world.clock.now())
    with pytest.raises(Refused, match="its password is no longer kept"):
        world.do(lambda tx: send_again(tx, None, BY, world.clock.now(), [mail.id]))
    timeline = [each.title for each in world.read(lambda tx: read_timeline(tx, jo.id))]
    assert [each for each in timeline if "mail" in each] == [
        f"welcome mail to {jo.email} waits",
        f"welcome mail to {jo.email} sent",
        f"welcome mail to {jo.email} came back",
        "mails come back",
    ]


def test_the_same_news_twice_is_one(world: World, jo: Account) -> None:
    """One entry in the timeline, however often a mail server says it, or twice in one message."""
    assert comes_back(world, jo.email, jo.email.title()) == 1
    assert comes_back(world, jo.email) == 0
    timeline = world.read(lambda tx: read_timeline(tx, jo.id))
    assert [each.title for each in timeline].count("mails come back") == 1


def test_addresses_of_nobody_change_nothing(world: World, jo: Account) -> None:
    """Nor does the username of somebody who has another address by now."""
    moved(world, jo, "jo.lind@example.com")
    assert comes_back(world, "nobody@example.com", "not an address", "", jo.email) == 0
    assert failed(world) == []
    assert not is_bounced(world, jo)


def test_no_more_mail_goes_there(world: World, jo: Account) -> None:
    """A reset by mail is refused, before the old password is gone; by telephone it goes on."""
    comes_back(world, jo.email)
    with pytest.raises(Refused, match="come back since"):
        asks_for_mail(world, jo)
    with pytest.raises(Refused, match="come back since"):
        world.do(lambda tx: send_password_mail(tx, POLICY, jo.id, BY, world.clock.now()))
    shown = InitialPassword("another-secret-of-the-test", "shown")
    world.do(lambda tx: reset_password(tx, POLICY, jo.id, shown, BY, world.clock.now()))


def test_what_waits_does_not_go_there_and_can_go_elsewhere(world: World, jo: Account) -> None:
    """A mail that was asked for before the news came: it keeps its password for the right address."""
    asks_for_mail(world, jo)
    comes_back(world, jo.email)
    before = len(world.mailer.sent)
    mailed(world)
    assert len(world.mailer.sent) == before
    stopped = failed(world)[0]
    assert (stopped.failure, stopped.sendable) == (FailureCode.ADDRESS_BOUNCED, False)
    moved(world, jo, "jo.lind@example.com")
    assert failed(world)[0].sendable
    assert world.do(lambda tx: send_again(tx, None, BY, world.clock.now(), None)) == 1
    mailed(world)
    assert world.mailer.sent[-1].to == "jo.lind@example.com"
    assert "another-secret-of-the-test" in world.mailer.sent[-1].text


def test_a_new_address_clears_it_and_the_old_one_brings_it_back(world: World, jo: Account) -> None:
    """It is the address that is gone, not the person. Another spelling is no other address."""
    comes_back(world, jo.email)
    moved(world, jo, jo.email.upper())
    assert is_bounced(world, jo)
    moved(world, jo, "jo.lind@example.com")
    assert not is_bounced(world, jo)
    asks_for_mail(world, jo)
    mailed(world)
    assert world.mailer.sent[-1].to == "jo.lind@example.com"
    moved(world, jo, jo.email)
    assert is_bounced(world, jo)


def test_a_person_says_that_mails_arrive_again(world: World, jo: Account) -> None:
    """Nothing is sent by that; older news that comes late does not count, newer does."""
    comes_back(world, jo.email)
    world.pass_time(60)
    sent = len(world.mailer.sent)
    arrives(world, jo.email)
    mailed(world)
    assert (is_bounced(world, jo), len(world.mailer.sent)) == (False, sent)
    assert comes_back(world, jo.email, ago=120) == 0
    world.pass_time(60)
    assert comes_back(world, jo.email) == 1
    arrives(world, jo.email)
    with pytest.raises(NotFound, match="do not come back"):
        arrives(world, jo.email)


def test_a_time_to_come_is_now(world: World, jo: Account) -> None:
    """A clock of somebody else that is ahead does not outlive a person's word."""
    comes_back(world, jo.email, ago=-3600)
    world.pass_time(1)
    arrives(world, jo.email)
    assert not is_bounced(world, jo)
    world.pass_time(1)
    assert comes_back(world, jo.email) == 1


def test_only_the_last_mail_to_that_address_failed(world: World, jo: Account) -> None:
    """An earlier one had arrived."""
    asks_for_mail(world, jo)
    mailed(world)
    comes_back(world, jo.email)
    assert [each.kind for each in failed(world)] == ["password reset"]


def test_a_reason_is_one_short_line(world: World, jo: Account) -> None:
    """Whatever a mail server says: it stands on screens and in the audit trail."""
    comes_back(world, jo.email, reason="550\r\n\x1b[2J" + "x" * 1000)
    found = world.read(lambda tx: bounces.of_account(tx, jo.id))
    assert found is not None
    assert found.reason.startswith("550 [2Jxxx")
    assert len(found.reason) == 200


def test_refused_bounced_and_a_mail_server_that_is_away_are_three_things(world: World, jo: Account) -> None:
    """The list and the metric know the first two; mails for a server that is away go by themselves."""
    other, third = world.join("ann.arno"), world.join("ben.berg")
    world.mailer.refused.add(other.email)
    comes_back(world, jo.email)
    mailed(world)
    world.mailer.down = True
    asks_for_mail(world, third)
    mailed(world)
    found = world.read(unreachable.listed)
    assert {(each.username, each.why) for each in found} == {
        (jo.username, Why.BOUNCED),
        (other.username, Why.REFUSED),
    }
    read = world.read(lambda tx: figures.read(tx, world.clock.now()))
    assert read.unreachable == {Why.REFUSED: 1, Why.BOUNCED: 1}
    moved(world, other, "ann.arnold@example.com")
    moved(world, jo, "jo.lind@example.com")
    assert world.read(unreachable.listed) == ()


def test_who_is_inactive_is_not_listed(world: World, jo: Account) -> None:
    """Nobody would write to a leaver."""
    comes_back(world, jo.email)
    world.do(lambda tx: deactivate(tx, POLICY, jo.id, GatePolicy.REFUSE, BY, world.clock.now()))
    assert world.read(unreachable.listed) == ()
    assert world.read(unreachable.counted) == {Why.REFUSED: 0, Why.BOUNCED: 0}
