"""In what an account can differ from its user in Keycloak, by the names people and `drift.toml` use (G4).

Which of them differ is said by the plan of changes alone: each change touches some, and each has one way to be
written, for what is wanted and for what was seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sync.domain.access import vocabulary
from sync.domain.provisioning.change import (
    DETAILS,
    AnyChange,
    Create,
    Disable,
    Enable,
    EndSessions,
    JoinGroup,
    LeaveGroup,
    TakeCredentials,
    TakeRole,
    UpdateDetails,
)
from sync.domain.provisioning.desired import DesiredState
from sync.domain.provisioning.observed import NOT_LOOKED_AT, TECHNICIAN_ID, Seen


class Aspect(StrEnum):
    """Each has a reaction of its own in `drift.toml`."""

    MISSING = "missing"
    SWITCHED_OFF = "switched-off"
    SWITCHED_ON = "switched-on"
    USERNAME = "username"
    EMAIL = "email"
    GIVEN_NAME = "given-name"
    FAMILY_NAME = "family-name"
    TECHNICIAN_ID = "technician-id"
    ATTRIBUTES = "attributes"
    PROFILE = "profile"
    BRANCH = "branch"
    TEAM = "team"
    DATA_ACCESS = "data-access"
    FIELD_TECHNICIANS = "field-technicians"
    SECOND_FACTOR = "second-factor"
    OTHER_GROUP = "other-group"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One attribute that is not as wanted. Several values stand in alphabetical order, separated by comma and
    blank. None: nothing. `key` says which one of `ATTRIBUTES`."""

    attribute: Aspect
    wanted: str | None
    found: str | None
    key: str = ""


_DETAIL: Mapping[str, Aspect] = {key: Aspect(key.replace("_", "-")) for key in (*DETAILS, TECHNICIAN_ID)}
_KEY = {aspect: key for key, aspect in _DETAIL.items()}

_BELOW: Mapping[str, Aspect] = {
    vocabulary.PROFILES: Aspect.PROFILE,
    vocabulary.BRANCHES: Aspect.BRANCH,
    vocabulary.TEAMS: Aspect.TEAM,
    vocabulary.DATA_ACCESS: Aspect.DATA_ACCESS,
}
_SINGLE: Mapping[str, Aspect] = {
    vocabulary.FIELD_TECHNICIANS: Aspect.FIELD_TECHNICIANS,
    vocabulary.SECOND_FACTOR: Aspect.SECOND_FACTOR,
}


def touched_by(change: AnyChange) -> frozenset[Aspect]:
    """Of ending sessions and taking credentials nothing: each follows another change, or ends what nothing else
    shows."""
    match change:
        case Create():
            return frozenset({Aspect.MISSING})
        case Enable():
            return frozenset({Aspect.SWITCHED_OFF})
        case Disable():
            return frozenset({Aspect.SWITCHED_ON})
        case TakeRole():
            return frozenset({Aspect.ROLE})
        case LeaveGroup(path=path) | JoinGroup(path=path):
            return frozenset({of_group(path)})
        case UpdateDetails(new=new):
            return frozenset(_DETAIL.get(key, Aspect.ATTRIBUTES) for key in new)
        case EndSessions() | TakeCredentials():
            return frozenset()


def attributes_of(change: AnyChange) -> Iterator[Deviation]:
    """What a change sets right of the attributes that have no aspect of their own, one by one."""
    if isinstance(change, UpdateDetails):
        for key in sorted(change.new.keys() - _DETAIL.keys()):
            yield Deviation(Aspect.ATTRIBUTES, change.new[key], change.existing[key], key)


def of_group(path: str) -> Aspect:
    """What membership of a group of ours is."""
    parent, _, _ = path.rpartition("/")
    return _SINGLE.get(path) or _BELOW.get(parent) or Aspect.OTHER_GROUP


def written(aspect: Aspect, state: DesiredState | Seen) -> str | None:
    """The value as people read it; None: nothing, or not looked at. Of `ATTRIBUTES` the change itself says it."""
    match aspect:
        case Aspect.MISSING:
            return written(Aspect.USERNAME, state)
        case Aspect.USERNAME | Aspect.EMAIL | Aspect.GIVEN_NAME | Aspect.FAMILY_NAME:
            value = getattr(state, _KEY[aspect])
            return None if value is NOT_LOOKED_AT else value or None
        case Aspect.SWITCHED_OFF | Aspect.SWITCHED_ON:
            return None if state.enabled is NOT_LOOKED_AT else "enabled" if state.enabled else "disabled"
        case Aspect.ROLE:
            roles = NOT_LOOKED_AT if isinstance(state, DesiredState) else state.roles
            return None if roles is NOT_LOOKED_AT else _listed(filter(vocabulary.owns_role, roles))
        case Aspect.TECHNICIAN_ID:
            attributes = state.attributes
            return None if attributes is NOT_LOOKED_AT else _listed(attributes.get(_KEY[aspect], ()))
        case _:
            groups = state.groups
            return None if groups is NOT_LOOKED_AT else _memberships(aspect, groups)


def _memberships(aspect: Aspect, groups: Collection[str]) -> str | None:
    paths = [path for path in groups if vocabulary.owns_group(path) and of_group(path) is aspect]
    if aspect in _SINGLE.values():
        return "member" if paths else None
    return _listed(paths if aspect is Aspect.OTHER_GROUP else (path.rpartition("/")[2] for path in paths))


def _listed(values: Iterable[str]) -> str | None:
    return ", ".join(sorted(values)) or None
