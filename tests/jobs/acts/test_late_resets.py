"""A worker that is frozen over a password reset for longer than its lease: what it still sends never stays, and
nobody is left with a password that is told as in place and is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from sync.domain.accounts.account import Account
from sync.domain.acts import PASSWORD, ActKind, ActState, Credential, stamp_of
from sync.domain.errors import Transient
from sync.domain.work.lane import Lane
from sync.jobs.acts.doing import CAME_BACK, PUT_RIGHT
from sync.jobs.mail import send_some
from sync.jobs.schedule.sweep import sweep
from sync.jobs.work.lease import LEASE
from sync.store import acts
from tests.fakes.accounts import FakeUser
from tests.fakes.credentials import set_password
from tests.jobs.acts.act_steps import HOURS, NEW, NEWER, Killed, ended, killed_over_it, person, reset, told
from tests.world import World

pytestmark = pytest.mark.req("C1", "H1")


def frozen_over(world: World, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> None:
    """A worker works that freezes right before it gives a password, and is woken after `meanwhile`."""
    give = world.credentials.give_temporary_password

    def late(idp_user_id: str, password: str, created_at: datetime) -> None:
        monkeypatch.setattr(world.credentials, "give_temporary_password", give)
        meanwhile()
        give(idp_user_id, password, created_at)

    monkeypatch.setattr(world.credentials, "give_temporary_password", late)
    world.work()


def others_take_over(world: World) -> None:
    world.pass_time(LEASE.total_seconds() + 1)
    goes_on(world)


def goes_on(world: World) -> None:
    sweep(world.systems)
    world.work()
    world.work(Lane.BULK)


def dead(world: World, account: Account) -> None:
    """A reset whose worker was killed right before the request, as far as anybody knows."""
    reset(world, account)
    killed_over_it(world)


def late_request(world: World, account: Account, user: FakeUser) -> None:
    """What that worker sends, if it was frozen only and ends before it can write down anything."""
    first = world.read(lambda tx: acts.of_account(tx, account.id))[0]
    set_password(user, NEW, stamp_of(first))


def late_over_a_newer_one(world: World, account: Account, user: FakeUser, *, mail: bool = False) -> None:
    """It arrives when another reset is in place."""
    reset(world, account, NEWER, mail=mail)
    world.work()
    late_request(world, account, user)


def a_look_later(world: World) -> None:
    """The time has come to look whether a request that may have been on its way has arrived."""
    world.pass_time(31)
    goes_on(world)


def looks(world: World, account: Account) -> list[tuple[ActState, str | None]]:
    """How the expiries ended that came to an end."""
    found = world.read(lambda tx: acts.of_account(tx, account.id))
    return [
        (each.state, each.outcome) for each in found if each.kind is ActKind.EXPIRE_PASSWORD and not each.is_open
    ]


def test_an_older_password_that_came_back_is_taken_away_and_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer one was shown and is kept nowhere: nobody can give it again."""
    account, user = person(world)
    reset(world, account)

    def meanwhile() -> None:
        others_take_over(world)
        reset(world, account, NEWER)
        world.work()
        assert user.password == NEWER

    frozen_over(world, monkeypatch, meanwhile)
    goes_on(world)
    assert world.credentials.given == [NEW, NEWER, NEW]
    assert user.password is None
    assert looks(world, account) == [(ActState.FAILED, CAME_BACK)]
    assert told(world, account)[-1] == "expire-password failed"


def test_a_newer_password_that_still_waits_for_its_mail_is_given_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in the mail opens the login."""
    account, user = person(world)
    reset(world, account)

    def meanwhile() -> None:
        others_take_over(world)
        reset(world, account, NEWER, mail=True)
        world.work()

    frozen_over(world, monkeypatch, meanwhile)
    goes_on(world)
    assert send_some(world.systems) == 1
    assert NEWER in world.mailer.sent[0].text
    assert user.password == NEWER
    assert looks(world, account) == [(ActState.DONE, PUT_RIGHT)]
    world.pass_time(HOURS + 1)
    goes_on(world)
    assert user.password is None, "its time was up"


def test_a_password_of_the_person_s_own_that_was_overwritten_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody asked for a newer reset; the person had logged in and chosen another password."""
    account, user = person(world)
    reset(world, account)

    def meanwhile() -> None:
        others_take_over(world)
        set_password(user, "My-own-one-8", world.clock.now() + timedelta(seconds=20))

    frozen_over(world, monkeypatch, meanwhile)
    goes_on(world)
    assert user.password is None
    assert [state for state, _ in looks(world, account)] == [ActState.FAILED]


def test_the_same_password_given_twice_stays_and_is_not_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the one that was asked for; its own expiry takes it away in time."""
    account, user = person(world)
    act = reset(world, account)
    frozen_over(world, monkeypatch, lambda: others_take_over(world))
    for _ in range(3):
        a_look_later(world)
    assert (user.password, world.credentials.given) == (NEW, [NEW, NEW])
    assert ended(world, act)[0] is ActState.DONE
    assert looks(world, account) == []
    assert told(world, account)[-2:] == ["reset-password", "reset-password done"]
    world.pass_time(HOURS)
    goes_on(world)
    assert user.password is None
    assert [state for state, _ in looks(world, account)] == [ActState.DONE]


def test_an_expiry_that_comes_a_moment_early_is_no_look(world: World) -> None:
    """Another machine's clock is ahead: the password goes, and its expiry is not forgotten."""
    account, user = person(world)
    reset(world, account)
    world.work()
    expiry = world.read(lambda tx: acts.of_account(tx, account.id))[-1]
    world.do(lambda tx: acts.put_off(tx, expiry.id, world.clock.now(), "due", certainly_not_done=True))
    goes_on(world)
    assert user.password is None
    assert [state for state, _ in looks(world, account)] == [ActState.DONE]


def test_a_worker_that_dies_right_after_its_late_request_is_looked_after(world: World) -> None:
    """Whoever took over looks once more when a request may have been on its way."""
    account, user = person(world)
    dead(world, account)
    others_take_over(world)
    late_over_a_newer_one(world, account, user)
    a_look_later(world)
    assert user.password is None
    assert [state for state, _ in looks(world, account)] == [ActState.FAILED]


def test_one_that_comes_later_still_is_found_when_its_time_is_up(world: World) -> None:
    """Nobody knows of it until then; it is not told as one that was not used in time."""
    account, user = person(world)
    dead(world, account)
    others_take_over(world)
    reset(world, account, NEWER)
    a_look_later(world)
    late_request(world, account, user)
    world.pass_time(HOURS)
    goes_on(world)
    assert user.password is None
    assert looks(world, account)[0] == (ActState.FAILED, CAME_BACK)


def test_a_request_without_an_answer_is_looked_after(world: World) -> None:
    """Keycloak may carry it out when the next try has been told as done and another reset is in place."""
    account, user = person(world)
    reset(world, account)
    world.credentials.fail_next(Transient("no answer"))
    world.work()
    world.pass_time(5)
    goes_on(world)
    late_over_a_newer_one(world, account, user)
    a_look_later(world)
    assert user.password is None
    assert [state for state, _ in looks(world, account)] == [ActState.FAILED]


def test_a_password_told_as_not_given_goes_in_its_time(world: World) -> None:
    """The takeover could not tell and asked a person; then the late request came, and its worker ended."""
    account, user = person(world)
    dead(world, account)
    user.credentials = [Credential("p", PASSWORD, world.clock.now() + timedelta(seconds=20))]
    others_take_over(world)
    late_request(world, account, user)
    world.pass_time(HOURS)
    goes_on(world)
    assert user.password is None
    assert looks(world, account) == [(ActState.FAILED, CAME_BACK)]


@pytest.mark.parametrize("mail", [False, True], ids=["taken away", "given again"])
def test_a_look_that_died_over_its_write_tells_it_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch, *, mail: bool
) -> None:
    """The next one finds it mended and knows from what was found before that it was not so."""
    account, user = person(world)
    dead(world, account)
    others_take_over(world)
    late_over_a_newer_one(world, account, user, mail=mail)
    world.credentials.fail_next(Killed(), after_the_work=True)
    with pytest.raises(Killed):
        a_look_later(world)
    others_take_over(world)
    assert user.password == (NEWER if mail else None)
    assert [state for state, _ in looks(world, account)] == [ActState.DONE if mail else ActState.FAILED]
