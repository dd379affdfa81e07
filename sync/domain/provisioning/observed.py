"""What was seen of one user in Keycloak. Each way of looking shows some of it: the worker's look everything, a
listing the names and the groups, the pass over all attributes these alone, a stored observation no names.

Absent is a value here, a failed look-up is an error, and what a look did not ask for has a spelling of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from mappings.attributes import OF_KEYCLOAK_USERS

ACCOUNT_ID = "fsm_account_id"
TECHNICIAN_ID = "technician_id"
UPDATE_PASSWORD = "UPDATE_PASSWORD"  # noqa: S105 - Keycloak's name of the required action
OWNED_ATTRIBUTES = frozenset({ACCOUNT_ID, *OF_KEYCLOAK_USERS})


class NotLookedAt(Enum):
    NOT_LOOKED_AT = "not looked at"


NOT_LOOKED_AT: Final = NotLookedAt.NOT_LOOKED_AT


@dataclass(frozen=True, slots=True)
class LockState:
    """Keycloak's own lockout. A temporary one lifts by itself, at `until`; a permanent one shows as
    `enabled: false`. `second_factor`: it was codes that were wrong, not passwords."""

    temporary: bool = False
    permanent: bool = False
    failures: int = 0
    until: datetime | None = None
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class Sessions:
    """Live sessions and the clients (their internal ids resolved to client ids) that hold offline tokens."""

    online: int = 0
    offline_clients: frozenset[str] = frozenset()

    @property
    def any(self) -> bool:
        return self.online > 0 or bool(self.offline_clients)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look shows of a user.

    `enabled` is the switch alone: a temporary lockout leaves it on, a permanent one turns it off (`lock` tells).
    `attributes` are all attributes, `groups` all group paths, `roles` all realm roles mapped directly to the user.
    """

    username: str | NotLookedAt = NOT_LOOKED_AT
    email: str | NotLookedAt = NOT_LOOKED_AT
    given_name: str | NotLookedAt = NOT_LOOKED_AT
    family_name: str | NotLookedAt = NOT_LOOKED_AT
    enabled: bool | NotLookedAt = NOT_LOOKED_AT
    lock: LockState | NotLookedAt = NOT_LOOKED_AT
    attributes: Mapping[str, tuple[str, ...]] | NotLookedAt = NOT_LOOKED_AT
    groups: frozenset[str] | NotLookedAt = NOT_LOOKED_AT
    roles: frozenset[str] | NotLookedAt = NOT_LOOKED_AT
    sessions: Sessions | NotLookedAt = NOT_LOOKED_AT
    administers_realm: bool | NotLookedAt = NOT_LOOKED_AT


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed(Seen):
    """One user of the realm: all there is, but sessions only where they were asked for, and the lockout of an
    enabled user only where it was looked at by itself.

    Keycloak replaces attributes as a whole, so none may be forgotten. `administers_realm` is true when the user
    holds, by whatever way, a role of the realm-management client.
    """

    idp_user_id: str
    username: str
    email: str
    given_name: str
    family_name: str
    enabled: bool
    attributes: Mapping[str, tuple[str, ...]]
    groups: frozenset[str]
    roles: frozenset[str]
    required_actions: frozenset[str]
    administers_realm: bool

    @property
    def account_id(self) -> str | None:
        """The id of the account that owns this user, None for a user that is not ours."""
        values = self.attributes.get(ACCOUNT_ID, ())
        return values[0] if len(values) == 1 else None

    @property
    def known_lock(self) -> LockState:
        """For whoever looked at the user by itself. Raises ValueError otherwise."""
        if self.lock is NOT_LOOKED_AT:
            raise ValueError("this look did not ask for the lockout")
        return self.lock

    @property
    def technician_id(self) -> str | None:
        values = self.attributes.get(TECHNICIAN_ID, ())
        return values[0] if values else None
