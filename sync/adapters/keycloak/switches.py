"""Switches of the realm under which Keycloak answers yes to a name and keeps another.

`realm apply` sets them, and somebody with the console may set them back while workers run.
"""

from __future__ import annotations

from collections.abc import Callable

from sync.adapters.keycloak.connection import Connection
from sync.domain.errors import FailureCode, Misconfigured

KEPT_SECONDS = 10.0
"""A drain of a lane takes no longer, so it reads them once."""


class Switches:
    """`now` returns seconds on a clock that never goes back."""

    def __init__(self, connection: Connection, now: Callable[[], float]) -> None:
        self._connection = connection
        self._now = now
        self._good_at: float | None = None

    def check(self) -> None:
        """For whoever writes a username or an e-mail address. Raises Misconfigured while the realm makes one of
        the other (fact: usernames-may-follow-addresses). Only a good look is remembered."""
        if self._good_at is not None and self._now() - self._good_at < KEPT_SECONDS:
            return
        self._good_at = None
        if self._connection.get("").get("registrationEmailAsUsername"):
            raise Misconfigured(
                f"the realm {self._connection.realm!r} takes e-mail addresses for usernames, whatever is sent; "
                'switch "Email as username" off (Realm settings, Login) or run `fsm-identity realm apply`',
                code=FailureCode.REALM_BEHIND,
            )
        self._good_at = self._now()
