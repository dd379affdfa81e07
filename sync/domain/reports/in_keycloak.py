"""What a user in Keycloak had at a moment, as what workers did and found tells it. Pure.

Attempts say what was changed, one after the other; a finding says what was otherwise in between, for as long as it
was open. Before the first attempt that saw all of the user nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from mappings.loading import AccessFiles
from sync.domain.access import vocabulary
from sync.domain.access.data_access import effective_level
from sync.domain.accounts.account import Life
from sync.domain.drift.kinds import Kind
from sync.domain.provisioning.aspect import Aspect, of_group, touched_by
from sync.domain.provisioning.change import (
    AnyChange,
    Create,
    Disable,
    Enable,
    EndSessions,
    JoinGroup,
    LeaveGroup,
    UpdateDetails,
)
from sync.domain.provisioning.observed import TECHNICIAN_ID
from sync.domain.reports.past import Found, Past, in_force

FilesThen: TypeAlias = Callable[[datetime], AccessFiles | None]
"""The files that were in force at a moment; None: not known."""

_PARENTS: Mapping[Kind, str] = {
    Aspect.PROFILE: vocabulary.PROFILES,
    Aspect.BRANCH: vocabulary.BRANCHES,
    Aspect.TEAM: vocabulary.TEAMS,
    Aspect.DATA_ACCESS: vocabulary.DATA_ACCESS,
}


ON_ITS_WAY = timedelta(minutes=10)
"""What a worker does of an account takes no longer than that from the wish it read to what it wrote down."""


@dataclass(frozen=True, slots=True)
class User:
    """`sessions_may_go_on`: it is switched off, and its sessions were not ended yet (D6). `roles` are those of
    ours that somebody gave it directly. `since`: the last time that anything of it changed; `drift` names what was
    not as wanted by somebody else's doing."""

    enabled: bool
    groups: frozenset[str]
    technician_id: str | None
    since: datetime
    sessions_may_go_on: bool = False
    roles: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()

    @property
    def lets_in(self) -> bool:
        return self.enabled or self.sessions_may_go_on

    def named(self, aspect: Aspect) -> tuple[str, ...]:
        """The keys of the profiles, branches, teams or levels."""
        return tuple(sorted(path.rpartition("/")[2] for path in self.groups if of_group(path) is aspect))


@dataclass(frozen=True, slots=True)
class InKeycloak:
    """`known` false: nobody can say. `user` None: there was none."""

    known: bool
    user: User | None = None


NOT_KNOWN = InKeycloak(known=False)
NOT_THERE = InKeycloak(known=True)


def in_keycloak(past: Past, at: datetime, files_then: FilesThen) -> InKeycloak:
    user: User | None = None
    for tried in past.tried:
        if tried.at > at:
            break
        was = user
        for change in tried.changes:
            user = _created(past, change, tried.at) if isinstance(change, Create) else _after(user, change)
        if tried.applied:
            user = (
                replace(user, sessions_may_go_on=False)
                if user is not None
                else _as_wanted(past, tried.at, files_then)
            )
        if user is not None and user != was:
            user = replace(user, since=tried.at)
    if user is None:
        return NOT_THERE if _was_made_later(past, at) else NOT_KNOWN
    open_then = [each for each in past.found if _was_open(each, past, at)]
    if any(each.attribute is Aspect.MISSING for each in open_then):
        return NOT_THERE
    return InKeycloak(known=True, user=_with_drift(user, open_then))


def _after(user: User | None, change: AnyChange) -> User | None:
    """None: what else the user had is not known."""
    if user is None:
        return None
    match change:
        case Disable():
            return replace(user, enabled=False, sessions_may_go_on=True)
        case Enable():
            return replace(user, enabled=True, sessions_may_go_on=False)
        case EndSessions():
            return replace(user, sessions_may_go_on=False)
        case JoinGroup(path=path):
            return replace(user, groups=user.groups | {path})
        case LeaveGroup(path=path):
            return replace(user, groups=user.groups - {path})
        case UpdateDetails(new=new) if TECHNICIAN_ID in new:
            return replace(user, technician_id=new[TECHNICIAN_ID])
        case _:
            return user


def _created(past: Past, change: Create, at: datetime) -> User:
    given = in_force(past.given, at)
    return User(
        enabled=_was_enabled(past, at),
        groups=frozenset(change.groups),
        technician_id=None if given is None else given.technician_id,
        since=at,
    )


def _as_wanted(past: Past, at: datetime, files_then: FilesThen) -> User | None:
    """A user from before us, once a worker brought it to what was wanted."""
    given = in_force(past.given, at)
    if given is None:
        return None
    groups = {vocabulary.profile_group(given.profile)}
    if given.branch is not None:
        groups.add(vocabulary.branch_group(given.branch))
    if given.team is not None:
        groups.add(vocabulary.team_group(given.team))
    files = files_then(at)
    level = files and effective_level(given.profile, given.data_access, files.profiles, files.levels)
    if level:
        groups.add(vocabulary.data_access_group(level.effective.key))
    return User(_was_enabled(past, at), frozenset(groups), given.technician_id, at)


def _was_enabled(past: Past, at: datetime) -> bool:
    """As it was sent by then. What is wanted may have changed while that was on its way; the next switch tells
    what there was, and until one is known the account counts as enabled."""
    after = [tried for tried in past.tried if tried.at > at]
    for tried in after:
        for change in tried.changes:
            if isinstance(change, (Disable, Enable, Create)):
                return isinstance(change, Disable) or (isinstance(change, Create) and _was_wanted(past, at, at))
    since = at if any(tried.applied for tried in after) else at - ON_ITS_WAY
    return _was_wanted(past, since, at)


def _was_wanted(past: Past, since: datetime, at: datetime) -> bool:
    """Active at some time in between; where nothing is known as well."""
    words = [in_force(past.wanted, since), *(each for each in past.wanted if since < each.at <= at)]
    known = [each.life for each in words if each is not None]
    return not known or Life.ACTIVE in known


def _was_made_later(past: Past, at: datetime) -> bool:
    """True if we made the user after that moment, or never yet: there was none before."""
    later = [tried for tried in past.tried if tried.at > at]
    for tried in later:
        if any(isinstance(change, Create) for change in tried.changes):
            return True
        if tried.applied:
            return False
    return not past.has_user


def _was_open(found: Found, past: Past, at: datetime) -> bool:
    """Neither over by then, nor undone by a worker since it was last seen."""
    if found.first_seen_at > at or (found.closed_at is not None and found.closed_at <= at):
        return False
    return not any(
        found.attribute in touched_by(change)
        for tried in past.tried
        if found.last_seen_at < tried.at <= at
        for change in tried.changes
    )


def _with_drift(user: User, found: Iterable[Found]) -> User:
    for each in found:
        keys = tuple(each.found.split(", ")) if each.found else ()
        aspect = each.attribute
        match aspect:
            case Aspect.SWITCHED_ON:
                user = replace(user, enabled=True)
            case Aspect.SWITCHED_OFF:
                user = replace(user, enabled=False)
            case Aspect.TECHNICIAN_ID:
                user = replace(user, technician_id=each.found)
            case Aspect.ROLE:
                user = replace(user, roles=keys)
            case Aspect.PROFILE | Aspect.BRANCH | Aspect.TEAM | Aspect.DATA_ACCESS:
                others = frozenset(path for path in user.groups if of_group(path) is not aspect)
                user = replace(user, groups=others | {f"{_PARENTS[aspect]}/{key}" for key in keys})
            case _:
                continue
        user = replace(user, since=max(user.since, each.first_seen_at), drift=(*user.drift, aspect.value))
    return user
