"""The status of an account (A8), derived from what is wanted and what Keycloak said at the last look.

What is wanted is asked first: Keycloak shows a permanent lockout and a deactivation alike, as a user that is
not enabled. Where the two disagree the status says what the person can really do, and the note says what is
still to come, so that nobody is taken for locked out who is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account, Life
from sync.domain.dates import said
from sync.domain.deactivation.gate import OpenWorkOrder
from sync.domain.logins.activity import NOTHING, LoginActivity
from sync.domain.provisioning.observed import (
    NOT_LOOKED_AT,
    UPDATE_PASSWORD,
    LockState,
    Observed,
    Seen,
    Sessions,
)


class Status(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    LOCKED = "locked"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class Observation:
    """What is kept of an `Observed`: its state without the names and addresses of the person.

    `sessions` is None when that look did not ask for them. Of the `lock` what was known before is kept then; None:
    nothing. `as_sent`: nobody has looked yet; it is what Keycloak acknowledged when it made the user.
    """

    observed_at: datetime
    enabled: bool
    groups: frozenset[str]
    roles: frozenset[str]
    required_actions: frozenset[str]
    lock: LockState | None
    administers_realm: bool
    sessions: Sessions | None = None
    as_sent: bool = False

    @property
    def seen(self) -> Seen:
        """As a look, to be compared with what is wanted."""
        return Seen(
            enabled=self.enabled,
            groups=self.groups,
            roles=self.roles,
            lock=NOT_LOOKED_AT if self.lock is None else self.lock,
            administers_realm=self.administers_realm,
            sessions=NOT_LOOKED_AT if self.sessions is None else self.sessions,
        )


def observation_of(observed: Observed, now: datetime, *, as_sent: bool = False) -> Observation:
    """`lock` None where it was not looked at: `keeping_lock` adds what was known."""
    return Observation(
        observed_at=now,
        enabled=observed.enabled,
        groups=observed.groups,
        roles=observed.roles,
        required_actions=observed.required_actions,
        lock=None if observed.lock is NOT_LOOKED_AT else observed.lock,
        administers_realm=observed.administers_realm,
        sessions=None if observed.sessions is NOT_LOOKED_AT else observed.sessions,
        as_sent=as_sent,
    )


def keeping_lock(new: Observation, before: Observation) -> Observation:
    """Only of an enabled user the lockout is not looked at, and a permanent one shows as a user that is not."""
    if new.lock is not None or before.lock is None:
        return new
    return replace(new, lock=LockState() if before.lock.permanent else before.lock)


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """`note` is empty when wanted and observed agree and there is nothing to add."""

    status: Status
    note: str = ""

    def __str__(self) -> str:
        return f"{self.status} ({self.note})" if self.note else str(self.status)


def status_of(
    account: Account,
    observation: Observation | None,
    *,
    now: datetime,
    held: Sequence[OpenWorkOrder] = (),
    activity: LoginActivity = NOTHING,
) -> AccountStatus:
    """A8, as of `now`: a temporary lockout ends by itself. `observation` None: Keycloak has not been looked at
    yet. `held`: the work orders that hold a
    deactivation or a change of the technician back (D4). `activity`: what is known of the logins (A9)."""
    if observation is not None:
        observation = replace(observation, lock=lock_at(observation.lock, now))
    if account.life is Life.INACTIVE:
        return _wanted_inactive(account, observation, held, activity)
    if account.life is Life.EXPECTED:
        return _expected(account, observation, activity, now)
    found = _wanted_active(account, observation, held, activity)
    until = "" if account.valid_until is None else f"until {said(account.valid_until, now)}"
    return replace(found, note="; ".join(filter(None, (found.note, until))))


def _expected(
    account: Account, observation: Observation | None, activity: LoginActivity, now: datetime
) -> AccountStatus:
    begins = "begins now" if account.valid_from is None else f"from {said(account.valid_from, now)}"
    if observation is not None and observation.enabled:
        return AccountStatus(_admitted(observation, activity).status, f"{begins}, Keycloak not yet told")
    return AccountStatus(Status.PENDING, begins)


def _wanted_active(
    account: Account,
    observation: Observation | None,
    held: Sequence[OpenWorkOrder],
    activity: LoginActivity,
) -> AccountStatus:
    if observation is None:
        note = "not in Keycloak yet" if account.idp_user_id is None else "Keycloak not yet looked at"
        return AccountStatus(Status.PENDING if activity.last_login_at is None else Status.ACTIVE, note)
    lock = observation.lock or LockState()
    if not observation.enabled and not lock.permanent:
        return AccountStatus(Status.INACTIVE, "wanted active, Keycloak not yet told")
    found = _admitted(observation, activity)
    return AccountStatus(found.status, found.note or _held("change", held))


def lock_at(lock: LockState | None, now: datetime) -> LockState:
    """What is left of a lockout that was seen before."""
    if lock is None or (lock.until is not None and lock.until <= now):
        return LockState()
    return lock


def told(lock: LockState) -> str:
    """For the help desk: until when, or why only a person ends it; "" for no lockout."""
    if lock.permanent:
        return f"for good{', second factor' if lock.second_factor else ''}, until an administrator unlocks it"
    if not lock.temporary:
        return ""
    until = f"until {lock.until:%Y-%m-%d %H:%M} UTC" if lock.until is not None else "for now"
    return f"{until}, after {lock.failures} failures"


def _wanted_inactive(
    account: Account, observation: Observation | None, held: Sequence[OpenWorkOrder], activity: LoginActivity
) -> AccountStatus:
    if observation is None and account.idp_user_id is None:
        return AccountStatus(Status.INACTIVE)
    if observation is not None and not observation.enabled:
        live = observation.sessions is not None and observation.sessions.any
        return AccountStatus(Status.INACTIVE, "sessions not yet ended" if live else "")
    shown = Status.ACTIVE if observation is None else _admitted(observation, activity).status
    if observation is not None and not any(map(vocabulary.grants, observation.groups)):
        return AccountStatus(shown, "access withdrawn, not disabled")
    return AccountStatus(shown, _held("deactivation", held) or "wanted inactive, Keycloak not yet told")


def _held(what: str, work_orders: Sequence[OpenWorkOrder]) -> str:
    if not work_orders:
        return ""
    number = len(work_orders)
    orders = "1 open work order" if number == 1 else f"{number} open work orders"
    return f"{what} held by {orders}: {', '.join(each.number for each in work_orders)}"


def _admitted(observation: Observation, activity: LoginActivity) -> AccountStatus:
    lock = observation.lock or LockState()
    if lock.permanent or lock.temporary:
        return AccountStatus(Status.LOCKED, told(lock))
    if UPDATE_PASSWORD in observation.required_actions and not _did_it_since(observation, activity):
        if activity.first_login_at is None:
            return AccountStatus(Status.PENDING, "has not set a password")
        return AccountStatus(Status.ACTIVE, "must change the password at the next login")
    return AccountStatus(Status.ACTIVE)


def _did_it_since(observation: Observation, activity: LoginActivity) -> bool:
    """Keycloak lets nobody in before everything that is required was done."""
    return activity.last_login_at is not None and activity.last_login_at > observation.observed_at
