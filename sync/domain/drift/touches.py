"""Who touched an account in Keycloak beside us, and which difference that explains. Pure.

An event tells whom it went to and what kind of thing it was, not what it changed: so it explains a difference only
of that kind, and only one that came up after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sync.domain.drift.anomaly import Anomaly
from sync.domain.drift.hints import SCIM, USER, AdminEvent, Author
from sync.domain.drift.kinds import Kind
from sync.domain.provisioning.aspect import Aspect, of_group, touched_by
from sync.domain.provisioning.change import (
    AnyChange,
    Create,
    Disable,
    Enable,
    JoinGroup,
    LeaveGroup,
    TakeRole,
    UpdateDetails,
)

TOLD = 3
"""So many who touched it are named, the last ones."""


class Part(StrEnum):
    """What of a user an act went to."""

    USER = "user"
    GROUPS = "groups"
    ROLES = "roles"
    ANY = "any"


_ROLES = frozenset({Aspect.ROLE, Anomaly.FEATURE_ROLE, Anomaly.ADMINISTERS_REALM})
_GROUPS = frozenset(
    {
        Aspect.PROFILE,
        Aspect.BRANCH,
        Aspect.TEAM,
        Aspect.DATA_ACCESS,
        Aspect.FIELD_TECHNICIANS,
        Aspect.SECOND_FACTOR,
        Aspect.OTHER_GROUP,
    }
)


@dataclass(frozen=True, slots=True)
class UserEvent:
    """What an event tells of one user of Keycloak."""

    event_id: str
    at: datetime
    idp_user_id: str
    part: Part
    author: Author


@dataclass(frozen=True, slots=True)
class Touch:
    """`who`, a person or a program, did something to that part of an account's user. `at` is by our clock, to a
    second or so."""

    at: datetime
    part: Part
    who: str
    by_program: bool = False

    def explains(self, kind: Kind) -> bool:
        match self.part:
            case Part.ANY:
                return True
            case Part.GROUPS:
                return kind in _GROUPS
            case Part.ROLES:
                return kind in _ROLES
            case Part.USER:
                return kind not in _GROUPS | _ROLES

    def __str__(self) -> str:
        return f"{self.who} at {self.at:%Y-%m-%d %H:%M} UTC"


def of_users(events: Iterable[AdminEvent]) -> Iterator[UserEvent]:
    """What may make a user differ: a new password, a mail or a lifted lockout does not."""
    for event in events:
        part = _part(event.path)
        if part is not None and (user := USER.match(event.path)):
            yield UserEvent(event.id, event.at, user[1], part, event.author)


def _part(path: str) -> Part | None:
    if path.startswith(SCIM):
        return Part.ANY
    match path.split("/"):
        case ["users", _]:
            return Part.USER
        case ["users", _, "groups", *_]:
            return Part.GROUPS
        case ["users", _, "role-mappings", *_]:
            return Part.ROLES
        case _:
            return None


def whom(
    touches: Iterable[Touch], kinds: Collection[Kind], after: datetime | None, until: datetime
) -> tuple[Touch, ...]:
    """Who may have made differences of these kinds that came up between the two times; `after` None: ever. Empty:
    nobody knows."""
    return tuple(
        each
        for each in touches
        if (after is None or each.at > after) and each.at <= until and any(map(each.explains, kinds))
    )


def listed(touches: Collection[Touch]) -> str:
    """ ", by …", the last ones, or nothing where nobody is known."""
    if not touches:
        return ""
    last = [str(each) for each in sorted(touches, key=lambda each: each.at)[-TOLD:]]
    before = len(touches) - len(last)
    return f", by {' and '.join(last)}" + (f" and {before} more before" if before else "")


def drift_told(change: AnyChange) -> Iterator[tuple[frozenset[Aspect], str]]:
    """What somebody else had done in Keycloak that this change has put right, each with its kinds. What only
    follows from another change, as the end of sessions, is no drift."""
    match change:
        case UpdateDetails(existing=existing, new=new):
            for key in sorted(new):
                one = UpdateDetails({key: existing[key]}, {key: new[key]})
                what = key.replace("_", " ")
                yield touched_by(one), f"{what} was changed from {new[key]!r} to {existing[key]!r} in Keycloak"
        case JoinGroup(path=path):
            yield frozenset({of_group(path)}), f"was taken out of {path} in Keycloak"
        case LeaveGroup(path=path):
            yield frozenset({of_group(path)}), f"was put into {path} in Keycloak"
        case TakeRole(role=role):
            yield touched_by(change), f"was given the role {role} in Keycloak"
        case Enable():
            yield touched_by(change), "was switched off in Keycloak"
        case Disable():
            yield touched_by(change), "was switched on in Keycloak"
        case Create():
            yield touched_by(change), "was deleted in Keycloak"
        case _:
            return
