"""How each one-shot act is done in Keycloak, and how one is verified whose worker may have done it already.

Gather: `credentials_for` reads what the kind needs. Decide: `sync.domain.acts`. Apply: `carry_out`. Nothing here
is stored, and the lease is kept around it; that is `carry_out`'s module.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from sync.domain.accounts.account import Account, Life
from sync.domain.acts import (
    SECOND_FACTORS,
    Act,
    ActKind,
    Credential,
    Verified,
    change_fulfilled,
    expired_credential,
    lock_told,
    stamp_of,
    verify_reset,
    was_there,
)
from sync.domain.errors import FailureCode, NeedsPerson
from sync.domain.provisioning.change import EndSessions
from sync.domain.provisioning.observed import UPDATE_PASSWORD, LockState, Observed, Sessions
from sync.jobs.acts.release import let_go
from sync.jobs.systems import Systems
from sync.ports.credentials import MayHaveBeenSent

NEVER_TWICE = frozenset({ActKind.SET_PASSWORD_MAIL})
"""Kinds that leave no trace to verify them by: one that may have been done is told to a person and not
repeated."""

MAY_HAVE_BEEN_SENT = "the mail may have been sent: a worker stopped over it; it is not sent again by itself"

NOBODY_KNOWS = (
    "a worker stopped over it, and the password is neither the old one nor ours; "
    "if it is still wanted, reset it again"
)
READS_CREDENTIALS = frozenset(
    {
        ActKind.RESET_PASSWORD,
        ActKind.REQUIRE_PASSWORD_CHANGE,
        ActKind.RESET_SECOND_FACTOR,
        ActKind.EXPIRE_PASSWORD,
    }
)


@dataclass(frozen=True, slots=True)
class Started:
    """A started act with what is known. `repeated`: it was found started, an earlier try may have done it.
    `credentials` and `observed` are of a look right before. `password` is the one a reset gives."""

    act: Act
    account: Account
    observed: Observed
    credentials: tuple[Credential, ...]
    repeated: bool
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Done:
    """`outcome` is what people read; `observed` is the user afterwards."""

    outcome: str
    observed: Observed


def credentials_for(systems: Systems, act: Act, observed: Observed) -> tuple[Credential, ...]:
    """What the kind has to know of the user's credentials. Raises a Failure."""
    return systems.credentials.of_user(observed.idp_user_id) if act.kind in READS_CREDENTIALS else ()


def carry_out(systems: Systems, started: Started) -> Done:
    """Do it, or find that it is done. Raises a Failure; Transient says that it is to be verified later."""
    match started.act.kind:
        case ActKind.RESET_PASSWORD:
            return _reset_password(systems, started)
        case ActKind.SET_PASSWORD_MAIL:
            return _send_password_mail(systems, started)
        case ActKind.REQUIRE_PASSWORD_CHANGE:
            return _require_password_change(systems, started)
        case ActKind.UNLOCK:
            return _unlock(systems, started)
        case ActKind.END_SESSIONS:
            return Done("sessions and offline tokens are ended", _end_sessions(systems, started))
        case ActKind.RESET_SECOND_FACTOR:
            return _reset_second_factor(systems, started)
        case ActKind.RELEASE_USER:
            return _release_user(systems, started)
        case ActKind.EXPIRE_PASSWORD:
            return _expire_password(systems, started)


def _reset_password(systems: Systems, started: Started) -> Done:
    landed = verify_reset(started.act, started.credentials) if started.repeated else Verified.NOT_DONE
    if landed is Verified.UNKNOWN:
        raise NeedsPerson(NOBODY_KNOWS)
    if landed is Verified.NOT_DONE:
        if started.password is None or _too_late(systems, started.act):
            raise NeedsPerson(
                "the temporary password ran out before Keycloak could be given it",
                code=FailureCode.PASSWORD_LAPSED,
            )
        systems.credentials.give_temporary_password(
            started.observed.idp_user_id, started.password, stamp_of(started.act)
        )
    after = replace(started.observed, required_actions=started.observed.required_actions | {UPDATE_PASSWORD})
    if started.act.keep_sessions:
        return Done("a temporary password is in place; sessions are kept", after)
    return Done(
        "a temporary password is in place; sessions and offline tokens are ended",
        _end_sessions(systems, replace(started, observed=after)),
    )


def _too_late(systems: Systems, act: Act) -> bool:
    return act.expires_at is not None and act.expires_at <= systems.clock.now()


def _send_password_mail(systems: Systems, started: Started) -> Done:
    if started.repeated:
        raise MayHaveBeenSent(MAY_HAVE_BEEN_SENT)
    lifetime = timedelta(hours=systems.policy.realm.temporary_password_hours)
    systems.credentials.send_password_mail(started.observed.idp_user_id, lifetime)
    return Done(f"Keycloak has sent a mail to {started.observed.email}", started.observed)


def _require_password_change(systems: Systems, started: Started) -> Done:
    if started.repeated and change_fulfilled(started.act, started.credentials):
        return Done("the person has chosen another password already", started.observed)
    systems.credentials.require_password_change(started.observed.idp_user_id)
    after = replace(started.observed, required_actions=started.observed.required_actions | {UPDATE_PASSWORD})
    return Done("another password is asked for at the next login", after)


def _unlock(systems: Systems, started: Started) -> Done:
    """C3. Switching the user on is the only way out of a permanent lockout, and only for who may log in at all."""
    found = started.act.found.lock if started.act.found is not None else started.observed.known_lock
    wanted_active = started.account.life is Life.ACTIVE
    enable = wanted_active and (found.permanent or started.observed.known_lock.permanent)
    systems.credentials.unlock(started.observed.idp_user_id, enable=enable)
    if found.permanent and not wanted_active:
        return Done(f"{lock_told(found)}; it stays switched off, for it is wanted inactive", started.observed)
    after = replace(started.observed, lock=LockState(), enabled=started.observed.enabled or enable)
    return Done(lock_told(found), after)


def _reset_second_factor(systems: Systems, started: Started) -> Done:
    """Exactly those go that were there at the start: one that the person has set up since stays."""
    there = started.act.found.credentials if started.act.found is not None else ()
    for credential_id in there:
        systems.credentials.take(started.observed.idp_user_id, credential_id)
    types = sorted({each.type for each in started.credentials if each.type in SECOND_FACTORS})
    taken = f"{len(there)} taken away" + (f" ({', '.join(types)})" if types else "") if there else "there was none"
    if started.act.keep_sessions:
        return Done(f"{taken}; sessions are kept", started.observed)
    return Done(f"{taken}; sessions and offline tokens are ended", _end_sessions(systems, started))


def _expire_password(systems: Systems, started: Started) -> Done:
    """C1. An earlier try of it may have taken the password away already."""
    left = expired_credential(started.act, started.credentials)
    if left is None and not was_there(started.act):
        return Done("the temporary password was replaced in time", started.observed)
    if left is not None:
        systems.credentials.take(started.observed.idp_user_id, left.id)
    return Done("the temporary password was not used in time and is taken away", started.observed)


def _release_user(systems: Systems, started: Started) -> Done:
    """One that carries no mark any more was let go of by an earlier try, or by hand: only the link is left."""
    user = started.observed.idp_user_id
    if started.observed.account_id is None:
        return Done(f"Keycloak user {user} carries no mark of ours; the link is forgotten", started.observed)
    groups = let_go(systems, started.account.id, started.observed)
    left = f"; it left {', '.join(groups)}" if groups else ""
    return Done(f"Keycloak user {user} is let go of{left}", started.observed)


def _end_sessions(systems: Systems, started: Started) -> Observed:
    """No new password does (fact: a-new-password-ends-no-session)."""
    systems.accounts.apply(started.observed.idp_user_id, EndSessions(str(started.act.kind)))
    return replace(started.observed, sessions=Sessions())
