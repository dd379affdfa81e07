"""What the realm itself says that bears on every write: whose it is, and whether it answers yes to a name and
keeps another. `realm apply` sets both, and somebody with the console, or another database, may set them anew while
workers run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sync.adapters.keycloak.connection import Connection
from sync.domain.errors import FailureCode, Misconfigured
from sync.domain.realm.settings import INSTALLATION
from sync.realm.installation import refuse_another

KEPT_SECONDS = 10.0
"""A drain of a lane takes no longer, so it reads them once."""


@dataclass(frozen=True, slots=True)
class _Seen:
    at: float
    names_follow: bool
    installation: str | None


class RealmCheck:
    """`now` returns seconds on a clock that never goes back. Only a good look is remembered."""

    def __init__(self, connection: Connection, now: Callable[[], float]) -> None:
        self._connection = connection
        self._now = now
        self._kept: _Seen | None = None

    def check_names(self) -> None:
        """For whoever writes a username or an e-mail address. Raises Misconfigured like `check_owner`, and while
        the realm makes one of the other (fact: usernames-may-follow-addresses)."""
        self.check_owner()
        if self._look().names_follow:
            self._kept = None
            raise Misconfigured(
                f"the realm {self._connection.realm!r} takes e-mail addresses for usernames, whatever is sent; "
                'switch "Email as username" off (Realm settings, Login) or run `fsm-identity realm apply`',
                code=FailureCode.REALM_BEHIND,
            )

    def check_owner(self) -> None:
        """For whoever writes anything to a user. Raises Misconfigured while the realm is another installation's
        than this connection's."""
        ours = self._connection.installation
        if ours is None:
            return
        try:
            refuse_another(self._look().installation, ours)
        except Misconfigured:
            self._kept = None
            raise

    def _look(self) -> _Seen:
        if self._kept is None or self._now() - self._kept.at >= KEPT_SECONDS:
            self._kept = None
            realm = self._connection.get("")
            carried = (realm.get("attributes") or {}).get(INSTALLATION.removeprefix("attributes:"))
            self._kept = _Seen(self._now(), bool(realm.get("registrationEmailAsUsername")), carried or None)
        return self._kept
