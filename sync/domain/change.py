"""The changes a plan consists of. Each is idempotent: applied to a user that already has it, it changes nothing.

A change names what was there and what shall be there, so that a plan can be read by a person and stored in
the timeline. None of them carries a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
