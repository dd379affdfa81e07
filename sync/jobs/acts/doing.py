"""How each one-shot act is done in Keycloak, and how one is verified whose worker may have done it already.

Gather: `credentials_for` reads what the kind needs. Decide: `sync.domain.acts`. Apply: `carry_out`, which
calls `keep` before each write, so that the lease outlasts it. Nothing here is stored; that is `carry_out`'s
module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.status import UPDATE_PASSWORD
from sync.domain.acts import (
    SECOND_FACTORS,
    Command,
    CommandKind,
    Credential,
    Landed,
    Stands,
    change_fulfilled,
    expired_credential,
    how_it_stood,
    lock_told,
    newest_done,
    password_created_at,
    reset_landed,
    stamp_of,
)
from sync.domain.errors import NeedsPerson
from sync.domain.provisioning.change import EndSessions
from sync.domain.provisioning.observed import LockState, Observed, Sessions
from sync.jobs.systems import Site
from sync.ports.credentials import MayHaveBeenSent

NEVER_TWICE = frozenset({CommandKind.SET_PASSWORD_MAIL})
"""Kinds that leave no trace to verify them by: one that may have been done is told to a person and not
repeated."""

MAY_HAVE_BEEN_SENT = "the mail may have been sent: a worker stopped over it; it is not sent again by itself"

NOBODY_KNOWS = (
    "a worker stopped over it, and the password is neither the old one nor ours; "
    "if it is still wanted, reset it again"
)
PUT_RIGHT = "an older temporary password had come back; the newest is in place again"
CAME_BACK = (
    "a late request put a temporary password in place that was replaced, or told as not given; it is taken away. "
    "If the person has no other one, reset it again"
)

READS_CREDENTIALS = frozenset(
    {
        CommandKind.RESET_PASSWORD,
        CommandKind.REQUIRE_PASSWORD_CHANGE,
        CommandKind.RESET_SECOND_FACTOR,
        CommandKind.EXPIRE_PASSWORD,
    }
)


@dataclass(frozen=True, slots=True)
class Act:
    """A started command with what is known. `repeated`: it was found started, an earlier try may have done it.
    `credentials` and `observed` are of a look right before. `password` is the one a reset gives; for an expiry
    that of the newest reset, while it is kept, and `resets` are those of the account."""

    command: Command
    account: Account
    observed: Observed
    credentials: tuple[Credential, ...]
    repeated: bool
    password: str | None = field(default=None, repr=False)
    resets: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """`outcome` is what people read, None where nobody needs to; `observed` is the user afterwards."""

    outcome: str | None
    observed: Observed


Keep = Callable[[], None]


def credentials_for(site: Site, command: Command, observed: Observed) -> tuple[Credential, ...]:
    """What the kind has to know of the user's credentials. Raises a Failure."""
    return site.credentials.of_user(observed.idp_user_id) if command.kind in READS_CREDENTIALS else ()


def carry_out(site: Site, act: Act, keep: Keep) -> Done:
    """Do it, or find that it is done. Raises a Failure; Transient says that it is to be verified later."""
    match act.command.kind:
        case CommandKind.RESET_PASSWORD:
            return _reset_password(site, act, keep)
        case CommandKind.SET_PASSWORD_MAIL:
            return _send_password_mail(site, act, keep)
        case CommandKind.REQUIRE_PASSWORD_CHANGE:
            return _require_password_change(site, act, keep)
        case CommandKind.UNLOCK:
            return _unlock(site, act, keep)
        case CommandKind.END_SESSIONS:
            return Done("sessions and offline tokens are ended", _end_sessions(site, act, keep))
        case CommandKind.RESET_SECOND_FACTOR:
            return _reset_second_factor(site, act, keep)
        case CommandKind.EXPIRE_PASSWORD:
            return _expire_password(site, act, keep)


def _reset_password(site: Site, act: Act, keep: Keep) -> Done:
    landed = reset_landed(act.command, act.credentials) if act.repeated else Landed.NO
    if landed is Landed.UNKNOWN:
        raise NeedsPerson(NOBODY_KNOWS)
    if landed is Landed.NO:
        if act.password is None or _too_late(site, act.command):
            raise NeedsPerson("the temporary password ran out before Keycloak could be given it")
        keep()
        site.credentials.give_temporary_password(act.observed.idp_user_id, act.password, stamp_of(act.command))
    after = replace(act.observed, required_actions=act.observed.required_actions | {UPDATE_PASSWORD})
    if act.command.keep_sessions:
        return Done("a temporary password is in place; sessions are kept", after)
    return Done(
        "a temporary password is in place; sessions and offline tokens are ended",
        _end_sessions(site, replace(act, observed=after), keep),
    )


def _too_late(site: Site, command: Command) -> bool:
    return command.expires_at is not None and command.expires_at <= site.clock.now()


def _send_password_mail(site: Site, act: Act, keep: Keep) -> Done:
    if act.repeated:
        raise MayHaveBeenSent(MAY_HAVE_BEEN_SENT)
    keep()
    lifetime = timedelta(hours=site.policy.realm.temporary_password_hours)
    site.credentials.send_password_mail(act.observed.idp_user_id, lifetime)
    return Done(f"Keycloak has sent a mail to {act.observed.email}", act.observed)


def _require_password_change(site: Site, act: Act, keep: Keep) -> Done:
    if act.repeated and change_fulfilled(act.command, act.credentials):
        return Done("the person has chosen another password already", act.observed)
    keep()
    site.credentials.require_password_change(act.observed.idp_user_id)
    after = replace(act.observed, required_actions=act.observed.required_actions | {UPDATE_PASSWORD})
    return Done("another password is asked for at the next login", after)


def _unlock(site: Site, act: Act, keep: Keep) -> Done:
    """C3. Switching the user on is the only way out of a permanent lockout, and only for who may log in at all."""
    found = act.command.found.lock if act.command.found is not None else act.observed.lock
    wanted_active = act.account.life is Life.ACTIVE
    enable = wanted_active and (found.permanent or act.observed.lock.permanent)
    keep()
    site.credentials.unlock(act.observed.idp_user_id, enable=enable)
    if found.permanent and not wanted_active:
        return Done(f"{lock_told(found)}; it stays switched off, for it is wanted inactive", act.observed)
    after = replace(act.observed, lock=LockState(), enabled=act.observed.enabled or enable)
    return Done(lock_told(found), after)


def _reset_second_factor(site: Site, act: Act, keep: Keep) -> Done:
    """Exactly those go that were there at the start: one that the person has set up since stays."""
    there = act.command.found.credentials if act.command.found is not None else ()
    for credential_id in there:
        keep()
        site.credentials.take(act.observed.idp_user_id, credential_id)
    types = sorted({each.type for each in act.credentials if each.type in SECOND_FACTORS})
    taken = f"{len(there)} taken away" + (f" ({', '.join(types)})" if types else "") if there else "there was none"
    if act.command.keep_sessions:
        return Done(f"{taken}; sessions are kept", act.observed)
    return Done(f"{taken}; sessions and offline tokens are ended", _end_sessions(site, act, keep))


def _expire_password(site: Site, act: Act, keep: Keep) -> Done:
    """C1. One that came back after a newer one does not wait for its time: the newest is given again where it is
    still kept, for a mail that has not left; else the one that came back goes, and a person is told."""
    command, idp_user_id = act.command, act.observed.idp_user_id
    left, there = expired_credential(command, act.credentials), password_created_at(act.credentials)
    stood = how_it_stood(command, act.credentials, act.resets, site.clock.now())
    came_back, newest = stood is Stands.CAME_BACK, newest_done(act.resets)
    if stood is Stands.IN_TIME and command.is_look:
        return Done(None, act.observed)
    if left is None and there is not None and came_back and newest is not None and there == stamp_of(newest):
        return Done(PUT_RIGHT, act.observed)
    if stood is Stands.NO_MORE or (left is None and there is not None):
        return Done(None if command.is_look else "the temporary password was replaced in time", act.observed)
    if left is not None:
        keep()
        if came_back and act.password is not None and newest is not None and _may_replace(site, command, newest):
            site.credentials.give_temporary_password(idp_user_id, act.password, stamp_of(newest))
            return Done(PUT_RIGHT, act.observed)
        site.credentials.take(idp_user_id, left.id)
    if came_back:
        raise NeedsPerson(CAME_BACK)
    return Done("the temporary password was not used in time and is taken away", act.observed)


def _may_replace(site: Site, expiry: Command, newest: Command) -> bool:
    return stamp_of(newest) != expiry.stamp and not _too_late(site, newest)


def _end_sessions(site: Site, act: Act, keep: Keep) -> Observed:
    keep()
    site.accounts.apply(act.observed.idp_user_id, EndSessions(str(act.command.kind)))
    return replace(act.observed, sessions=Sessions())
