"""Puts our mark on a user that was reviewed, and takes it off again: `sync.ports.adoption` on the client
`fsm-worker`. It has its own limits, for the gateway's guard admits only users that carry the mark already."""

from __future__ import annotations

import time
from collections.abc import Mapping

from sync.adapters.keycloak.accounts import changed
from sync.adapters.keycloak.checks.guard import gone
from sync.adapters.keycloak.checks.realm import RealmCheck
from sync.adapters.keycloak.checks.user_profile import UserProfile
from sync.adapters.keycloak.connection import Connection, Json, segment
from sync.adapters.keycloak.reading import UserReader, account_id_of
from sync.domain.errors import Conflict, FailureCode, Unsafe
from sync.domain.provisioning.observed import ACCOUNT_ID, OWNED_ATTRIBUTES


class KeycloakAdoption:
    """Three requests each: the user, its rights, the write; now and then two more: whose the realm is, and whether
    its user profile declares our attributes: Keycloak drops and hides what is not declared, without a word
    (fact: undeclared-attributes-are-dropped)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reader = UserReader(connection, time.sleep)
        self._profile = UserProfile(connection, time.monotonic)
        self._realm_check = RealmCheck(connection, time.monotonic)

    def take(
        self, idp_user_id: str, account_id: str, *, username: str, email: str, instead_of: str | None = None
    ) -> None:
        user = self._admitted(idp_user_id, account_id, instead_of)
        found = (user["username"], user.get("email") or "")
        if found != (username, email):
            raise Conflict(
                f"Keycloak user {idp_user_id} was reviewed as {username!r} with {email!r} and is {found[0]!r} "
                f"with {found[1]!r} now; review it again",
                code=FailureCode.CHANGED_SINCE,
            )
        if account_id_of(user) != account_id:
            self._write(idp_user_id, user, {ACCOUNT_ID: account_id})

    def release(self, idp_user_id: str, account_id: str) -> None:
        user = self._admitted(idp_user_id, account_id)
        if account_id_of(user) is not None:
            self._write(idp_user_id, user, dict.fromkeys(OWNED_ATTRIBUTES))

    def _admitted(self, idp_user_id: str, *marks: str | None) -> Json:
        """The user, if it carries none but these marks."""
        self._realm_check.check_owner()
        self._profile.check()
        user = self._reader.user(idp_user_id)
        ownership = self._reader.ownership(idp_user_id)
        if user is None or ownership is None:
            raise gone(idp_user_id)
        if ownership.administers_realm:
            raise Unsafe(
                f"Keycloak user {ownership.username!r} holds a realm-management role; fsm-identity does not touch "
                "administrators of the realm",
                code=FailureCode.REALM_ADMINISTRATOR,
            )
        if user.get("attributes", {}).get(ACCOUNT_ID) not in (None, [], *([mark] for mark in marks)):
            raise Conflict(
                f"Keycloak user {ownership.username!r} carries the mark of another account",
                code=FailureCode.USER_NOT_OURS,
            )
        return user

    def _write(self, idp_user_id: str, user: Json, attributes: Mapping[str, str | None]) -> None:
        self._connection.put(f"users/{segment(idp_user_id)}", changed(user, attributes))
