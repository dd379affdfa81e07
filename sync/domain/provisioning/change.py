"""The changes a plan consists of. Each is idempotent: applied to a user that already has it, it changes nothing.

A change names what was there and what shall be there, so that a plan can be read by a person and stored in
the timeline. None of them carries a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sync.domain.provisioning.observed import OWNED_ATTRIBUTES, LockState, Observed, Sessions


@dataclass(frozen=True, slots=True)
class Disable:
    """Switch the user off. Sent alone: `enabled` travels with no other field (DESIGN, "In Keycloak")."""

    def __str__(self) -> str:
        return "disable"


@dataclass(frozen=True, slots=True)
class EndSessions:
    """End every online session and revoke every offline token (D6: disabling alone revokes nothing)."""

    reason: str

    def __str__(self) -> str:
        return f"end sessions and offline tokens ({self.reason})"


@dataclass(frozen=True, slots=True)
class TakeRole:
    """Take a realm role of ours that somebody mapped directly to the user: roles come from groups only."""

    role: str

    def __str__(self) -> str:
        return f"take role {self.role}"


@dataclass(frozen=True, slots=True)
class LeaveGroup:
    path: str

    def __str__(self) -> str:
        return f"leave {self.path}"


@dataclass(frozen=True, slots=True)
class JoinGroup:
    path: str

    def __str__(self) -> str:
        return f"join {self.path}"


@dataclass(frozen=True, slots=True)
class UpdateDetails:
    """Set names, e-mail, username and owned attributes. `existing` and `new` hold only what differs.

    Keys are `username`, `email`, `given_name`, `family_name` and the owned attributes; an attribute that is
    to go has the new value None.
    """

    existing: Mapping[str, str | None]
    new: Mapping[str, str | None]

    def __str__(self) -> str:
        return ", ".join(f"{key}: {self.existing[key]!r} -> {self.new[key]!r}" for key in sorted(self.new))


@dataclass(frozen=True, slots=True)
class Enable:
    """Switch the user on. It lifts a permanent lockout: it comes last, and only for an account wanted active."""

    def __str__(self) -> str:
        return "enable"


Change = Disable | EndSessions | TakeRole | LeaveGroup | JoinGroup | UpdateDetails | Enable


def result_of(change: Change, observed: Observed) -> Observed:
    """What Keycloak holds once it has acknowledged the change."""
    match change:
        case Disable():
            return replace(observed, enabled=False)
        case Enable():
            return replace(observed, enabled=True, lock=LockState())
        case EndSessions():
            return replace(observed, sessions=Sessions())
        case TakeRole(role=role):
            return replace(observed, roles=observed.roles - {role})
        case LeaveGroup(path=path):
            return replace(observed, groups=observed.groups - {path})
        case JoinGroup(path=path):
            return replace(observed, groups=observed.groups | {path})
        case UpdateDetails(new=new):
            return _with_details(observed, new)


def _with_details(observed: Observed, new: Mapping[str, str | None]) -> Observed:
    attributes = {name: values for name, values in observed.attributes.items() if name not in new}
    attributes |= {name: (value,) for name, value in new.items() if name in OWNED_ATTRIBUTES and value is not None}
    return replace(
        observed,
        username=new.get("username") or observed.username,
        email=new.get("email") or observed.email,
        given_name=new.get("given_name") or observed.given_name,
        family_name=new.get("family_name") or observed.family_name,
        attributes=attributes,
    )
