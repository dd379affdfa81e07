"""Welcome mails: to whom they go, when they do not, and what the timeline says of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mappings.policy import Policy
from sync.commands.accounts.change import change
from sync.commands.deactivation.deactivate import deactivate, reactivate
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.work.lease import LEASE
from sync.jobs.mail import send_some
from sync.jobs.schedule.sweep import sweep
from sync.ports.signals import Message
from sync.store.audit.timeline import read_timeline
from sync.store.mail import failed_mails, outbox
from sync.store.work.lease_rows import Terms
from tests.world import BY, POLICY, World


def mail_entries(world: World, account: Account) -> list[tuple[str, tuple[str, ...]]]:
    timeline = world.read(lambda tx: read_timeline(tx, account.id))
    return [(entry.title, entry.details) for entry in timeline if entry.kind == "mail"]


def french_in_hamburg() -> Policy:
    """A company that speaks German, but for one branch."""
    realm = replace(POLICY.realm, languages=("de", "fr"), company="Nordwind")
    hamburg = replace(POLICY.branches["hamburg"], language="fr")
    return replace(POLICY, realm=realm, branches={**POLICY.branches, "hamburg": hamburg})


@pytest.mark.supports("F7", "H1")
def test_a_mail_that_may_have_left_is_not_sent_twice(world: World) -> None:
    """A worker died while sending: nobody can tell, so a person decides."""
    world.join()
    world.work()
    with world.systems.db.write() as tx:
        assert outbox.claim(tx, Terms(world.clock.now()), 5)
    world.pass_time(LEASE.total_seconds() + 1)
    assert send_some(world.systems) == 1
    assert world.mailer.sent == []


@pytest.mark.supports("F7")
def test_a_corrected_address_gets_the_password(world: World) -> None:
    """And the mistyped one, which may be a stranger's, does not."""
    account = world.join("jo.lnid")
    corrected = AccountChange(email="jo.lind@example.com")
    world.do(lambda tx: change(tx, POLICY, account.id, corrected, BY, world.clock.now()))
    world.work()
    assert send_some(world.systems) == 1
    assert [message.to for message in world.mailer.sent] == ["jo.lind@example.com"]


@pytest.mark.supports("F7", "D6")
def test_nobody_is_welcomed_who_is_inactive(world: World) -> None:
    """The mail waits for a reactivation."""
    account = world.join()
    world.do(lambda tx: deactivate(tx, POLICY, account.id, GatePolicy.REFUSE, BY, world.clock.now()))
    world.work()
    assert send_some(world.systems) == 0
    world.do(lambda tx: reactivate(tx, POLICY, account.id, BY, world.clock.now()))
    world.work()
    assert send_some(world.systems) == 1
    assert len(world.mailer.sent) == 1


@pytest.mark.supports("F7", "I7")
@pytest.mark.parametrize(
    ("branch", "greeting"), [("hamburg", "Bonjour"), ("berlin", "Guten Tag"), (None, "Guten Tag")]
)
def test_a_mail_speaks_the_language_of_the_branch(world: World, branch: str | None, greeting: str) -> None:
    """And the first one of the company, whose name it bears, where the branch has none."""
    world.systems = replace(world.systems, policy=french_in_hamburg())
    world.join(branch=branch, profile="dispatcher" if branch else "administrator")
    world.work()
    assert send_some(world.systems) == 1
    [message] = world.mailer.sent
    assert message.text.startswith(greeting)
    assert message.subject.endswith("Nordwind")


@pytest.mark.supports("I7")
@pytest.mark.parametrize(("branch", "language"), [("hamburg", ("fr",)), ("berlin", None)])
def test_the_first_login_speaks_the_language_of_the_branch(
    world: World, branch: str, language: tuple[str, ...] | None
) -> None:
    """As the mail that led there; without one Keycloak finds it by the browser."""
    world.systems = replace(world.systems, policy=french_in_hamburg())
    account = world.join(branch=branch)
    world.work()
    assert world.user(account).attributes.get("locale") == language


@pytest.mark.supports("F7", "H3")
def test_the_timeline_says_why_a_mail_did_not_go(world: World) -> None:
    """Refused by the mail server, with its words."""
    account = world.join()
    world.mailer.refused.add(account.email)
    world.work()
    send_some(world.systems)
    title, details = mail_entries(world, account)[-1]
    assert title == f"welcome mail to {account.email} failed"
    assert details == (f"the mail server refuses {account.email}",)


@pytest.mark.supports("F7", "C1")
def test_the_sweep_gives_up_what_has_expired(world: World) -> None:
    """A mail server that was away longer than the password lives: the timeline tells of it."""
    account = world.join()
    world.work()
    world.mailer.down = True
    send_some(world.systems)
    world.pass_time(POLICY.realm.temporary_password_hours * 3600)
    sweep(world.systems)
    assert mail_entries(world, account)[-1][0] == f"welcome mail to {account.email} expired"


@pytest.mark.supports("F7", "H2")
def test_a_mail_that_cannot_be_composed_waits_for_a_person(world: World) -> None:
    """An error nobody foresaw, before anything was sent: the mail can be sent again, and the others go on."""
    account, other = world.join("ann.arno"), world.join("ben.berg")
    world.work()
    letter = world.systems.welcome_letter

    def breaks(**fields: Any) -> Message:
        if fields["username"] == account.username:
            raise LookupError("temporary-secret-of-the-test")
        return letter(**fields)

    systems = replace(world.systems, welcome_letter=breaks)
    while send_some(systems):
        pass
    assert [message.to for message in world.mailer.sent] == [other.email]
    title, details = mail_entries(world, account)[-1]
    assert title == f"welcome mail to {account.email} failed"
    assert details == ("unforeseen error of type LookupError; the worker's log has more",)
    [mail] = world.read(lambda tx: failed_mails.newest(tx, world.clock.now()))
    assert (mail.sendable, mail.may_have_left) == (True, False)
