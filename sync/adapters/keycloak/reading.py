"""Reads users of the realm with as few requests as their state takes: five, or seven with sessions.

Keycloak spreads one user over several addresses: the user, its groups, its realm roles, its effective roles of
the client realm-management, its lockout. Listing many users is another concern, of `listing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sync.adapters.keycloak.connection import Connection, Json, segment
from sync.adapters.keycloak.failures import Gone
from sync.domain.errors import FailureCode, Misconfigured
from sync.domain.provisioning.observed import ACCOUNT_ID, NOT_LOOKED_AT, LockState, Observed, Sessions

DISABLED_REASON = "disabledReason"
PERMANENT_LOCKOUT = "permanentLockout"
"""Keycloak marks a permanent lockout by this value of this attribute, beside `enabled: false`
(fact: enabling-lifts-a-lockout)."""

DOUBTS = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Seconds between looks at a lockout that may be none. While a login ends, Keycloak shows the user for a few
milliseconds as disabled by a permanent lockout (fact: lockouts-flicker); believed at once,
a deactivation would find nothing to do. A real one is in the record of failures too, unless that was cleared."""

OFFLINE_TOKEN = "Offline Token"  # noqa: S105 - Keycloak's name for the grant
REALM_MANAGEMENT = "realm-management"


@dataclass(frozen=True, slots=True)
class Ownership:
    """What decides whether the gateway may write to a user."""

    username: str
    account_id: str | None
    administers_realm: bool


class UserReader:
    """Every method raises a Failure where the look-up failed; None and empty mean that Keycloak said so."""

    def __init__(self, connection: Connection, pause: Callable[[float], None]) -> None:
        self._connection = connection
        self._pause = pause
        self._realm_management: str | None = None

    def observe(self, idp_user_id: str, *, sessions: bool) -> Observed | None:
        user = self.settled(idp_user_id)
        if user is None:
            return None
        try:
            return self._completed(user, sessions=sessions)
        except Gone:
            if self.user(idp_user_id) is None:
                return None
            raise

    def user(self, idp_user_id: str) -> Json | None:
        """The user alone, as Keycloak represents it: one request."""
        return self._connection.find(f"users/{segment(idp_user_id)}")

    def ownership(self, idp_user_id: str) -> Ownership | None:
        """Two requests."""
        user = self.user(idp_user_id)
        if user is None:
            return None
        return Ownership(user["username"], account_id_of(user), self._administers_realm(idp_user_id))

    def holders(self, *, username: str, email: str) -> tuple[Json, ...]:
        """Every user, as Keycloak represents it, that holds one of the two names as username or as e-mail
        address: `POST users` and a login treat both as one namespace (fact: names-are-one-namespace)."""
        names = {username, email} - {""}
        listed = [user for name in sorted(names) for user in (*self.with_username(name), *self.with_email(name))]
        return tuple({user["id"]: user for user in listed}.values())

    def with_username(self, name: str) -> list[Json]:
        """Exactly, ignoring case; at most one."""
        return list(self._connection.get("users", username=name, exact="true"))

    def with_email(self, name: str) -> list[Json]:
        """Exactly, ignoring case. No request for what cannot be an e-mail address."""
        return list(self._connection.get("users", email=name, exact="true")) if "@" in name else []

    def by_account(self, account_id: str) -> tuple[Json, ...]:
        """The users that carry this account id. The search has no index that fits: not for bulk work."""
        return tuple(self._connection.get("users", q=f"{ACCOUNT_ID}:{account_id}", max=2))

    def sessions(self, idp_user_id: str) -> Sessions:
        """Two requests."""
        return Sessions(self.online_sessions(idp_user_id), self.offline_clients(idp_user_id))

    def online_sessions(self, idp_user_id: str) -> int:
        return len(self._connection.get(f"users/{segment(idp_user_id)}/sessions"))

    def offline_clients(self, idp_user_id: str) -> frozenset[str]:
        consents = self._connection.get(f"users/{segment(idp_user_id)}/consents")
        return frozenset(
            consent["clientId"]
            for consent in consents
            if any(grant.get("key") == OFFLINE_TOKEN for grant in consent.get("additionalGrants") or ())
        )

    def settled(self, idp_user_id: str) -> Json | None:
        """The user, looked at again while it seems to be locked for good and nothing else says so."""
        user = self.user(idp_user_id)
        for seconds in DOUBTS:
            if user is None or not _locked_for_good(user) or self._lockout(idp_user_id).get("disabled"):
                break
            self._pause(seconds)
            user = self.user(idp_user_id)
        return user

    def lock(self, idp_user_id: str) -> LockState | None:
        """Whether Keycloak refuses the user for now or for good: two requests
        (fact: temporary-lockouts-stand-elsewhere). None: there is no such user."""
        user = self.settled(idp_user_id)
        return None if user is None else _lock(user, self._lockout(idp_user_id))

    def _lockout(self, idp_user_id: str) -> Json:
        return self._connection.get(f"attack-detection/brute-force/users/{segment(idp_user_id)}")

    def _completed(self, user: Json, *, sessions: bool) -> Observed:
        idp_user_id = user["id"]
        at = f"users/{segment(idp_user_id)}"
        groups = self._connection.get(f"{at}/groups", briefRepresentation="true", max=-1)
        roles = self._connection.get(f"{at}/role-mappings/realm")
        lock = _lock(user, self._lockout(idp_user_id))
        return Observed(
            idp_user_id=idp_user_id,
            username=user["username"],
            email=user.get("email") or "",
            given_name=user.get("firstName") or "",
            family_name=user.get("lastName") or "",
            enabled=self._switched_on(user, lock),
            attributes=attributes_of(user),
            groups=frozenset(group["path"] for group in groups),
            roles=frozenset(role["name"] for role in roles),
            required_actions=frozenset(user.get("requiredActions") or ()),
            lock=lock,
            administers_realm=self._administers_realm(idp_user_id),
            sessions=self.sessions(idp_user_id) if sessions else NOT_LOOKED_AT,
        )

    def _switched_on(self, user: Json, lock: LockState) -> bool:
        """A temporary lockout is no switch. Some versions of Keycloak show it as one where a user is read by
        itself, none where users are searched for."""
        if user.get("enabled") or not lock.temporary:
            return bool(user.get("enabled"))
        return any(
            found["id"] == user["id"] and found["enabled"] for found in self.with_username(user["username"])
        )

    def _administers_realm(self, idp_user_id: str) -> bool:
        """True for any effective role of realm-management: mapped, through a group or through a composite."""
        client = self.realm_management_client()
        at = f"users/{segment(idp_user_id)}/role-mappings/clients/{client}/composite"
        try:
            return bool(self._connection.get(at))
        except Gone:
            self._realm_management = None
            raise

    def realm_management_client(self) -> str:
        """The internal id of the client realm-management; one request a process."""
        if self._realm_management is None:
            clients = self._connection.get("clients", clientId=REALM_MANAGEMENT)
            if not clients:
                raise Misconfigured(
                    f"the realm {self._connection.realm!r} shows no client {REALM_MANAGEMENT!r}; "
                    "the service client needs its role view-clients",
                    code=FailureCode.ACCESS_REFUSED,
                )
            self._realm_management = str(clients[0]["id"])
        return self._realm_management


def attributes_of(user: Json) -> Mapping[str, tuple[str, ...]]:
    return {name: tuple(values) for name, values in (user.get("attributes") or {}).items()}


def account_id_of(user: Json) -> str | None:
    """The account that owns the user; None for a user that is not ours."""
    values = attributes_of(user).get(ACCOUNT_ID, ())
    return values[0] if len(values) == 1 else None


def _lock(user: Json, lockout: Json) -> LockState:
    """Wrong codes count by themselves where the realm limits them (fact: wrong-codes-lock-for-good)."""
    permanent = _locked_for_good(user)
    until = int(lockout.get("failedLoginNotBefore") or 0)
    temporary = bool(lockout.get("disabled")) and until > 0 and not permanent
    codes, failures = int(lockout.get("numSecondaryAuthFailures") or 0), int(lockout.get("numFailures") or 0)
    return LockState(
        temporary=temporary,
        permanent=permanent,
        failures=failures,
        until=datetime.fromtimestamp(until, UTC) if temporary else None,
        second_factor=permanent and codes > 0,
    )


def _locked_for_good(user: Json) -> bool:
    return not user.get("enabled") and PERMANENT_LOCKOUT in attributes_of(user).get(DISABLED_REASON, ())
