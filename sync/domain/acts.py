"""One-shot acts on an account: reset a password, unlock, end sessions and the like (C1-C3, C6, D6).

An account's wanted state is brought about again and again; an act is carried out once. Here is what kinds there
are, which may go when, and what is to be done with one whose worker died over it. All of it is pure; how an act
is stored, accepted and carried out is said elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum

from sync.domain.access.callers import System
from sync.domain.access.cause import Cause, Origin
from sync.domain.provisioning.observed import LockState
from sync.domain.work.lane import Lane


class ActKind(StrEnum):
    RESET_PASSWORD = "reset-password"  # noqa: S105 - the name of a kind
    SET_PASSWORD_MAIL = "set-password-mail"  # noqa: S105 - the name of a kind
    REQUIRE_PASSWORD_CHANGE = "require-password-change"  # noqa: S105 - the name of a kind
    UNLOCK = "unlock"
    END_SESSIONS = "end-sessions"
    RESET_SECOND_FACTOR = "reset-second-factor"
    RELEASE_USER = "release-user"
    """Let go of the Keycloak user that was adopted: it is another person's."""
    EXPIRE_PASSWORD = "expire-password"  # noqa: S105 - the name of a kind
    """Take a temporary password away whose time is up. Nobody asks for it: a reset leaves it behind."""


class ActState(StrEnum):
    WAITING = "waiting"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"


OPEN = frozenset({ActState.WAITING, ActState.STARTED})

GIVES_ACCESS = frozenset({ActKind.UNLOCK, ActKind.SET_PASSWORD_MAIL})
"""Kinds that open a way in and take none away. They wait until the account is as wanted; the others are what is
needed most while something is wrong with it, and go on an account in quarantine too."""

SECOND_FACTORS = frozenset({"otp", "webauthn", "webauthn-passwordless", "recovery-authn-codes"})
"""Keycloak's types of credentials that a reset of the second factor takes away. A passkey is both factors at once,
and a lost phone may hold it."""

PASSWORD = "password"  # noqa: S105 - a type of credential
PASSWORD_HISTORY = "password-history"  # noqa: S105 - a type of credential


@dataclass(frozen=True, slots=True)
class Act:
    """One act asked of one account, and `by` whom and why. Times are aware datetimes in UTC.

    `due_at` is when it may go, now or later; `attempts` counts the tries that ended in "again later". `started_at`
    is on disk before Keycloak is asked for anything, and so is `found`: what was there right before. `expires_at`
    is the end of the password that a reset carries; `by_mail` sends it in a mail of ours, `mail_id`, once the
    reset is done; where it `welcomes`, it is the first one of a joiner. `keep_sessions`: sessions and offline
    tokens stay. `identity_check` is how it was checked who asks, for a reset of the second factor.
    `stamp` of an expiry is the creation time of the password it is about. `idp_user_id` is the user that is let go
    of.
    """

    id: str
    account_id: str
    kind: ActKind
    requested_at: datetime
    by: Cause
    lane: Lane = Lane.INTERACTIVE
    state: ActState = ActState.WAITING
    due_at: datetime | None = None
    keep_sessions: bool = False
    by_mail: bool = False
    welcomes: bool = False
    identity_check: str | None = None
    mail_id: str | None = None
    expires_at: datetime | None = None
    stamp: datetime | None = None
    idp_user_id: str | None = None
    attempts: int = 0
    started_at: datetime | None = None
    found: Found | None = None
    finished_at: datetime | None = None
    outcome: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Credential:
    """One credential of a user: `type` as Keycloak names it, `created_at` to the millisecond."""

    id: str
    type: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What was there right before an act was started, kept with it: with it a later look tells what the act
    did from what was so already, and from what a person did since."""

    lock: LockState = field(default_factory=LockState)
    password_created_at: datetime | None = None
    credentials: tuple[str, ...] = ()


def found_before(lock: LockState, credentials: Collection[Credential]) -> Found:
    """What an act keeps of a look: the lock, since when the password is there, and the second factors' ids."""
    return Found(
        lock=lock,
        password_created_at=password_created_at(credentials),
        credentials=tuple(sorted(each.id for each in credentials if each.type in SECOND_FACTORS)),
    )


def password_created_at(credentials: Collection[Credential]) -> datetime | None:
    """Since when the user has the present password; None without one."""
    return next((each.created_at for each in credentials if each.type == PASSWORD), None)


def to_carry_out(acts: Sequence[Act], *, as_wanted: bool, now: datetime) -> Iterator[Act]:
    """Which of an account's open acts go now, in the order in which they were asked for.

    One that comes again later holds the later ones back, so that a second reset is never overtaken by a first one.
    While the account is not as wanted only those go that open no way in. An expiry holds nothing back before its
    time: it was asked for by nobody and concerns only its own password.
    """
    for act in sorted(acts, key=lambda each: each.id):
        waits = act.due_at is not None and act.due_at > now
        if waits and act.kind is ActKind.EXPIRE_PASSWORD:
            continue
        if waits:
            return
        if as_wanted or act.kind not in GIVES_ACCESS:
            yield act


def comes_again_at(acts: Collection[Act], now: datetime) -> datetime | None:
    """When an act that was put off goes again. One that is due already waits for its account to be as wanted or
    for the one before it, and nobody needs to look for its sake; an expiry is found by the sweep."""
    put_off = [
        each.due_at
        for each in acts
        if each.due_at is not None and each.due_at > now and each.kind is not ActKind.EXPIRE_PASSWORD
    ]
    return min(put_off, default=None)


class Verified(Enum):
    """What became of an earlier try that ended without an answer."""

    DONE = "done"
    NOT_DONE = "not done"
    UNKNOWN = "unknown"


def verify_reset(act: Act, credentials: Collection[Credential]) -> Verified:
    """Whether the password of a reset reached Keycloak. It is sent with a creation time of our choosing, to the
    millisecond, which Keycloak keeps when it hashes the password anew and when it moves it to the history
    (fact: passwords-keep-their-creation-time), so it is recognised even after the person has replaced it.

    UNKNOWN: the password is another one than before, and ours is not in the history; a realm may keep none.
    """
    stamp = stamp_of(act)
    if any(each.type in (PASSWORD, PASSWORD_HISTORY) and each.created_at == stamp for each in credentials):
        return Verified.DONE
    return Verified.NOT_DONE if _same_password(act, credentials) else Verified.UNKNOWN


def stamp_of(act: Act) -> datetime:
    """The creation time by which the password of this reset is known. Raises ValueError for one not started."""
    if act.started_at is None:
        raise ValueError(f"act {act.id} was not started")
    return to_the_millisecond(act.started_at)


def to_the_millisecond(at: datetime) -> datetime:
    """Cut down to what Keycloak keeps of a creation time."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def change_fulfilled(act: Act, credentials: Collection[Credential]) -> bool:
    """True if the person has changed the password since the act was started: then the earlier try landed or is
    not needed any more, and asking again would make the person change it twice."""
    return not _same_password(act, credentials)


def _same_password(act: Act, credentials: Collection[Credential]) -> bool:
    before = act.found.password_created_at if act.found is not None else None
    return password_created_at(credentials) == before


def expiry_of(reset: Act, act_id: str, now: datetime) -> Act:
    """What takes the password of this reset away when its time is up, unless it was replaced by then (C1)."""
    why = f"the time of the temporary password is up (asked for by {reset.by.name})"
    return Act(
        id=act_id,
        account_id=reset.account_id,
        kind=ActKind.EXPIRE_PASSWORD,
        requested_at=now,
        by=Cause(System.EXPIRY, None, why, Origin.RULE),
        lane=Lane.BULK,
        due_at=reset.expires_at,
        stamp=stamp_of(reset),
    )


def was_there(expiry: Act) -> bool:
    """Whether the user had the password of a started expiry right before it was started: an earlier try of it may
    have taken the password away since."""
    return expiry.found is not None and expiry.found.password_created_at == expiry.stamp


def expired_credential(act: Act, credentials: Collection[Credential]) -> Credential | None:
    """The password that an expiry is about; None if the user has another one by now."""
    return next((each for each in credentials if each.type == PASSWORD and each.created_at == act.stamp), None)


def lock_told(lock: LockState) -> str:
    """C3: which lockout it was."""
    if lock.permanent:
        return "it was locked permanently"
    if lock.temporary:
        return f"it was locked for a time, after {lock.failures} failures"
    if lock.failures:
        return f"it was not locked; {lock.failures} failures are forgotten"
    return "it was not locked"
