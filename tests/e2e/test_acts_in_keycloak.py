"""One-shot acts at the real Keycloak, as the people concerned notice them."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from examples.browser import Browser, Page
from sync.commands import acts as asking
from sync.commands.accounts.change import create
from sync.commands.accounts.initial_password import InitialPassword, generate
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import NewAccount
from sync.domain.acts import PASSWORD as PASSWORD_TYPE
from sync.domain.acts import Act, ActState, stamp_of
from sync.domain.work.lane import Lane
from sync.domain.work.lease import LEASE
from sync.jobs.mail import send_some
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.schedule.sweep import sweep
from sync.ports.credentials import Credentials
from sync.store import acts
from tests.e2e.place import BY, Place
from tests.realms import PASSWORD
from tests.services import MailCatcher

pytestmark = [pytest.mark.keycloak, pytest.mark.stack]

OWN = "Quite-another-9-battery"


class Killed(BaseException):
    """What a kill -9 does."""


@dataclass
class Dying:
    """The credentials gateway; the worker is killed right after its next write."""

    real: Credentials

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def give_temporary_password(self, idp_user_id: str, password: str, created_at: datetime) -> None:
        self.real.give_temporary_password(idp_user_id, password, created_at)
        raise Killed

    def send_password_mail(self, idp_user_id: str, lifetime: timedelta) -> None:
        self.real.send_password_mail(idp_user_id, lifetime)
        raise Killed


@pytest.fixture(autouse=True)
def _nobody_else_is_due(place: Place) -> Iterator[None]:
    """Each test leaves nothing behind for the next one's worker."""
    yield
    place.work()


def reset(place: Place, account: Account, *, mail: bool = False) -> tuple[Act, str]:
    password = generate()
    given = InitialPassword(password, "mail" if mail else "shown")
    now = place.clock.now()
    return place.do(
        lambda tx: asking.reset_password(tx, place.systems.policy, account.id, given, BY, now)
    ), password


def ended(place: Place, act: Act) -> Act:
    found = place.read(lambda tx: acts.get(tx, act.id))
    assert found is not None
    return found


def log_in(place: Place, account: Account, password: str) -> tuple[Browser, Page]:
    browser = place.browser()
    return browser, browser.log_in(account.username, password)


@pytest.mark.req("C1", "D6")
def test_a_reset_password_opens_the_login_once_and_ends_what_was_open(place: Place) -> None:
    """Both refresh tokens are refused, the old password too; the new one asks for another, which then stays."""
    person = place.technician()
    act, password = reset(place, person.account)
    place.work()
    assert ended(place, act).state is ActState.DONE
    assert person.refreshes() == (400, 400)
    assert log_in(place, person.account, PASSWORD)[1].asks == "password"
    browser, page = log_in(place, person.account, password)
    assert page.asks == "new password"
    assert browser.submit(page, **{"password-new": OWN, "password-confirm": OWN}).code
    let_it_run_out(place)
    assert log_in(place, person.account, OWN)[1].code


@pytest.mark.req("C1")
def test_an_unused_temporary_password_runs_out(place: Place) -> None:
    """After its time the login refuses it."""
    account, _ = place.join(None)
    _, password = reset(place, account)
    place.work()
    let_it_run_out(place)
    assert log_in(place, account, password)[1].asks == "password"
    again, password = reset(place, account)
    place.work()
    assert ended(place, again).state is ActState.DONE
    assert log_in(place, account, password)[1].asks == "new password"


@pytest.mark.req("C1")
@pytest.mark.supports("H1")
def test_a_takeover_leaves_the_password_the_person_has_chosen(place: Place) -> None:
    """The worker died right after Keycloak had the password; the person was faster than the next worker."""
    account, _ = place.join(None)
    act, password = reset(place, account)
    dying = replace(place.systems, credentials=Dying(place.systems.credentials))
    with pytest.raises(Killed):
        provision_some(dying, Lane.INTERACTIVE)
    browser, page = log_in(place, account, password)
    assert browser.submit(page, **{"password-new": OWN, "password-confirm": OWN}).code
    place.pass_time(LEASE.total_seconds() + 1)
    place.work()
    assert ended(place, act).state is ActState.DONE
    assert log_in(place, account, OWN)[1].code


@pytest.mark.req("C1")
@pytest.mark.supports("F7")
def test_a_reset_by_mail_arrives_once(place: Place, mail_catcher: MailCatcher) -> None:
    """With the password that opens the login."""
    account, _ = place.join(None)
    _, password = reset(place, account, mail=True)
    assert send_some(place.systems) == 0
    place.work()
    while send_some(place.systems):
        pass
    [mail] = mail_catcher.wait(which=lambda mail: account.email in str(mail["To"]))
    assert password in mail.get_content()
    assert log_in(place, account, password)[1].asks == "new password"


@pytest.mark.req("C1")
@pytest.mark.supports("H1")
def test_a_set_password_mail_is_sent_and_never_twice(place: Place, mail_catcher: MailCatcher) -> None:
    """Keycloak's own mail arrives; when the worker dies over it a person is told instead of a second mail."""
    server = {"host": mail_catcher.host, "port": str(mail_catcher.port), "from": "fsm-identity@example.com"}
    place.realm.send("PUT", "", {"smtpServer": server})
    account, _ = place.join(None)
    place.do(lambda tx: asking.send_password_mail(tx, place.systems.policy, account.id, BY, place.clock.now()))
    place.work()
    to_them = lambda mail: account.email in str(mail["To"])  # noqa: E731 - it is said three times
    assert len(mail_catcher.wait(which=to_them)) == 1

    act = place.do(
        lambda tx: asking.send_password_mail(tx, place.systems.policy, account.id, BY, place.clock.now())
    )
    with pytest.raises(Killed):
        provision_some(replace(place.systems, credentials=Dying(place.systems.credentials)), Lane.INTERACTIVE)
    place.pass_time(LEASE.total_seconds() + 1)
    place.work()
    told = ended(place, act)
    assert (told.state, "may have been sent" in str(told.outcome)) == (ActState.FAILED, True)
    assert len(mail_catcher.wait(2, which=to_them)) == 2


@pytest.mark.req("C2")
def test_a_required_change_is_asked_for_at_the_next_login(place: Place) -> None:
    """The session of now goes on."""
    person = place.technician()
    place.do(
        lambda tx: asking.require_password_change(
            tx, place.systems.policy, person.account.id, BY, place.clock.now()
        )
    )
    place.work()
    assert person.refreshes() == (200, 200)
    assert log_in(place, person.account, PASSWORD)[1].asks == "new password"


@pytest.mark.req("C3", "C5")
def test_a_locked_person_is_unlocked(place: Place) -> None:
    """After too many wrong passwords the right one is refused; after the unlock it is good, and it says which."""
    person = place.technician()
    place.realm.send("PUT", "", {"quickLoginCheckMilliSeconds": 0})
    browser = place.browser()
    place.realm.fail_logins(
        str(person.account.idp_user_id),
        place.systems.policy.realm.lockout.max_failures,
        lambda: browser.log_in(person.account.username, "wrong"),
    )
    assert log_in(place, person.account, PASSWORD)[1].asks == "password"
    act = place.do(lambda tx: asking.unlock(tx, place.systems.policy, person.account.id, BY, place.clock.now()))
    place.work()
    assert "locked for a time" in str(ended(place, act).outcome)
    assert log_in(place, person.account, PASSWORD)[1].code


@pytest.mark.req("D6")
def test_sessions_and_offline_tokens_end(place: Place) -> None:
    """The phone and the desk are out; the person can come back."""
    person = place.technician()
    place.do(lambda tx: asking.end_sessions(tx, place.systems.policy, person.account.id, BY, place.clock.now()))
    place.work()
    assert person.refreshes() == (400, 400)
    assert log_in(place, person.account, PASSWORD)[1].code


@pytest.mark.req("C6")
def test_a_lost_phone(place: Place) -> None:
    """An administrator's code is gone, the sessions too, and the next login makes the person set up another."""
    password = generate()
    new = NewAccount(
        email=f"a{secrets.token_hex(4)}@example.com",
        given_name="Ada",
        family_name="Admin",
        profile="administrator",
        branch="hamburg",
    )
    shown = InitialPassword(password, "shown")
    account = place.do(
        lambda tx: create(tx, place.systems.policy, new, BY, place.clock.now(), password=shown),
    )
    place.work()
    browser, page = log_in(place, account, password)
    while page.code is None:
        if page.asks == "set up code":
            page, _ = browser.set_up_code(page)
        else:
            page = browser.submit(page, **{"password-new": PASSWORD, "password-confirm": PASSWORD})
    tokens = browser.tokens(page)
    assert log_in(place, account, PASSWORD)[1].asks == "code"

    act = place.do(
        lambda tx: asking.reset_second_factor(
            tx, place.systems.policy, account.id, "met in person", BY, place.clock.now()
        )
    )
    place.work()
    assert "1 taken away (otp)" in str(ended(place, act).outcome)
    assert browser.refresh(tokens).status_code == 400
    assert log_in(place, account, PASSWORD)[1].asks == "set up code"


@pytest.mark.supports("H1", "H5")
def test_two_workers_at_once_reset_each_password_once(place: Place) -> None:
    """Each person has the password that was given, and one old one in the history: none was replaced twice."""
    people = [place.join(None)[0] for _ in range(6)]
    asked = [reset(place, each)[0] for each in people]
    workers = [threading.Thread(target=place.work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)
    for account, act in zip(people, asked, strict=True):
        done = ended(place, act)
        assert done.state is ActState.DONE
        held = place.systems.credentials.of_user(str(place.account(account).idp_user_id))
        assert [each.created_at for each in held if each.type == PASSWORD_TYPE] == [stamp_of(done)]
        assert len(held) == 2


def let_it_run_out(place: Place) -> None:
    """So much later that temporary passwords have run out, the sweep has looked, and the workers have worked."""
    place.pass_time(timedelta(hours=place.systems.policy.realm.temporary_password_hours).total_seconds() + 60)
    sweep(place.systems)
    while provision_some(place.systems, Lane.BULK):
        pass
