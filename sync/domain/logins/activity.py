"""When somebody logged in and how often it failed, from Keycloak's events (A9). Pure.

Events come in any order, some of them more than once; what follows from them is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sync.domain.logins.event_reading import Gap


class LoginKind(StrEnum):
    """`LOGIN` is also the silent one of single sign-on, with the session there is; `REFRESH` is an application
    that goes on without one, as the mobile app does for weeks. `IMPERSONATION` begins a session in which an
    administrator acts as the user. The last two are lockouts, by whatever was wrong."""

    LOGIN = "LOGIN"
    FAILURE = "LOGIN_ERROR"
    REFRESH = "REFRESH_TOKEN"
    IMPERSONATION = "IMPERSONATE"
    LOCKED_FOR_NOW = "USER_DISABLED_BY_TEMPORARY_LOCKOUT"
    LOCKED_FOR_GOOD = "USER_DISABLED_BY_PERMANENT_LOCKOUT"


USED = frozenset({LoginKind.LOGIN, LoginKind.REFRESH})
LOCKED = frozenset({LoginKind.LOCKED_FOR_NOW, LoginKind.LOCKED_FOR_GOOD})


@dataclass(frozen=True, slots=True)
class LoginEvent:
    """Something that happened at Keycloak's login. `idp_user_id` None: nobody with that name exists there.
    `session`
    is Keycloak's id of the session, None where there is none."""

    id: str
    at: datetime
    kind: LoginKind
    idp_user_id: str | None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class LoginActivity:
    """What is known of one user. `last_used_at` is the last login or refresh; `failures` counts the failed
    attempts since the last login. None: none is known, which is never only where nothing was missed."""

    first_login_at: datetime | None = None
    last_login_at: datetime | None = None
    last_used_at: datetime | None = None
    failures: int = 0
    last_failure_at: datetime | None = None


NOTHING = LoginActivity()


def after(
    known: LoginActivity,
    events: Iterable[LoginEvent],
    new_failures: Iterable[datetime],
    recent: Sequence[datetime],
) -> LoginActivity:
    """What is known after these events of the user. `new_failures` are the times of the failed attempts among them
    that were not counted before; `recent` those of all failed attempts of the last minutes, counted or not.

    A login that comes late, after failures that followed it, leaves exactly those: they are recent.
    """
    found = list(events)
    logins = [event.at for event in found if event.kind is LoginKind.LOGIN]
    used = [event.at for event in found if event.kind in USED]
    fresh = list(new_failures)
    last = _latest(known.last_login_at, *logins)
    if last != known.last_login_at:
        failures = sum(last is None or at > last for at in recent)
    else:
        failures = known.failures + sum(last is None or at > last for at in fresh)
    return LoginActivity(
        first_login_at=_earliest(known.first_login_at, *logins),
        last_login_at=last,
        last_used_at=_latest(known.last_used_at, *used),
        failures=failures,
        last_failure_at=_latest(known.last_failure_at, *fresh),
    )


def of_the_person(
    events: Sequence[LoginEvent], impersonated: Mapping[str, datetime]
) -> tuple[tuple[LoginEvent, ...], Mapping[str, datetime]]:
    """The events that the person made, and the sessions that an administrator began as somebody else, with the
    time
    of the last event in each; `impersonated` are those known before. What happens in such a session is not the
    person's."""
    known = dict(impersonated)
    own = []
    for event in sorted(events, key=lambda each: each.at):
        if event.session is not None and (event.kind is LoginKind.IMPERSONATION or event.session in known):
            known[event.session] = event.at
        elif event.kind is not LoginKind.IMPERSONATION:
            own.append(event)
    return tuple(own), known


def doubts(activity: LoginActivity, since: datetime, gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """The gaps in which this account, which exists since then, may have logged in later than is known."""
    known = max(since, activity.last_login_at) if activity.last_login_at is not None else since
    return tuple(gap for gap in gaps if gap.ends > known)


def _latest(*times: datetime | None) -> datetime | None:
    return max((at for at in times if at is not None), default=None)


def _earliest(*times: datetime | None) -> datetime | None:
    return min((at for at in times if at is not None), default=None)
