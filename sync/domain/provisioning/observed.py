"""What Keycloak holds for one user, as read in one look. Absent is a value here; a failed look-up is an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mappings.attributes import OF_KEYCLOAK_USERS


@dataclass(frozen=True, slots=True)
class LockState:
    """Keycloak's own lockout. A temporary one lifts by itself; a permanent one shows as `enabled: false`."""

    temporary: bool = False
    permanent: bool = False
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Sessions:
    """Live sessions and the clients (their internal ids resolved to client ids) that hold offline tokens."""

    online: int = 0
    offline_clients: frozenset[str] = frozenset()

    @property
    def any(self) -> bool:
        return self.online > 0 or bool(self.offline_clients)


@dataclass(frozen=True, slots=True)
class Observed:
    """One user of the realm.

    `attributes` are all attributes (Keycloak replaces them as a whole, so none may be forgotten); `groups`
    all group paths; `roles` all realm roles mapped directly to the user; `administers_realm` is true when
    the user holds, by whatever way, a role of the realm-management client. `sessions` is None when the
    look did not ask for them.
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
    lock: LockState
    administers_realm: bool
    email_verified: bool = False
    sessions: Sessions | None = None

    @property
    def account_id(self) -> str | None:
        """The id of the account that owns this user, None for a user that is not ours."""
        values = self.attributes.get(ACCOUNT_ID, ())
        return values[0] if len(values) == 1 else None

    @property
    def technician_id(self) -> str | None:
        values = self.attributes.get(TECHNICIAN_ID, ())
        return values[0] if values else None


ACCOUNT_ID = "fsm_account_id"
TECHNICIAN_ID = "technician_id"
OWNED_ATTRIBUTES = frozenset({ACCOUNT_ID, *OF_KEYCLOAK_USERS})
