"""What tests of one-shot acts do and look at: somebody at work, the acts by name, a worker that is killed over
one, and how an act ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from sync.commands import acts as asking
from sync.commands.accounts.initial_password import InitialPassword
from sync.domain.access.cause import Cause
from sync.domain.accounts.account import Account
from sync.domain.acts import Act, ActState, Credential
from sync.jobs.mail import send_some
from sync.store import acts
from sync.store.accounts import accounts
from sync.store.audit.timeline import read_timeline
from sync.store.database.transactions import Tx
from tests.fakes.accounts import FakeUser
from tests.fakes.credentials import set_password
from tests.world import BY, POLICY, World

NEW, NEWER = "abcd-efgh-jkmn-pqrs-tuvw-xyz2", "bcde-fghj-kmnp-qrst-uvwx-yz23"
HOURS = timedelta(hours=POLICY.realm.temporary_password_hours).total_seconds()
CHECK = "called back on the number in the staff list"


class Killed(BaseException):
    """What a kill -9 does: nothing after it runs."""


def person(world: World, **wanted: str | None) -> tuple[Account, FakeUser]:
    """Somebody at work, with a password of the own, a code on the phone, and sessions."""
    joined = world.join(**wanted)
    world.work()
    send_some(world.systems)
    user = world.user(joined)
    set_password(user, "Own-password-7", world.clock.now() - timedelta(days=3))
    user.required_actions.clear()
    user.credentials.append(Credential("otp-1", "otp", world.clock.now()))
    user.tokens.update({"browser": None, "offline": "mobile"})
    world.accounts.applied.clear()
    world.mailer.sent.clear()
    account = world.read(lambda tx: accounts.get(tx, joined.id))
    assert account is not None
    return account, user


def reset(
    world: World, account: Account, password: str = NEW, *, mail: bool = False, keep_sessions: bool = False
) -> Act:
    given = InitialPassword(password, "mail" if mail else "shown")
    return world.do(
        lambda tx: asking.reset_password(
            tx, POLICY, account.id, given, BY, world.clock.now(), keep_sessions=keep_sessions
        )
    )


Ask = Callable[[Tx, World, Account, Cause], Act]

ACTS: dict[str, Ask] = {
    "reset": lambda tx, world, account, by: asking.reset_password(
        tx, POLICY, account.id, InitialPassword(NEW, "mail"), by, world.clock.now()
    ),
    "mail": lambda tx, world, account, by: asking.send_password_mail(
        tx, POLICY, account.id, by, world.clock.now()
    ),
    "change": lambda tx, world, account, by: asking.require_password_change(
        tx, POLICY, account.id, by, world.clock.now()
    ),
    "unlock": lambda tx, world, account, by: asking.unlock(tx, POLICY, account.id, by, world.clock.now()),
    "sessions": lambda tx, world, account, by: asking.end_sessions(tx, POLICY, account.id, by, world.clock.now()),
    "factor": lambda tx, world, account, by: asking.reset_second_factor(
        tx, POLICY, account.id, CHECK, by, world.clock.now()
    ),
}


def ask(world: World, account: Account, act: str, by: Cause = BY) -> Act:
    return world.do(lambda tx: ACTS[act](tx, world, account, by))


def killed_over_it(world: World, *, after_the_work: bool = False) -> None:
    """The worker is killed right before its request to Keycloak's credentials, or right after it."""
    world.credentials.fail_next(Killed(), after_the_work=after_the_work)
    with pytest.raises(Killed):
        world.work()


def ended(world: World, act: Act) -> tuple[ActState, str | None]:
    found = world.read(lambda tx: acts.get(tx, act.id))
    assert found is not None
    return found.state, found.outcome


def told(world: World, account: Account) -> list[str]:
    return [entry.title for entry in world.read(lambda tx: read_timeline(tx, account.id))]
