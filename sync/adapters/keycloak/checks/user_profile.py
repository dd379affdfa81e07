"""Which attributes the realm's user profile keeps: one that is not declared is dropped without a word (fact:
undeclared-attributes-are-dropped), so that is checked before anything is sent. Which names it takes is a rule of
every door: `sync.domain.accounts.user_names`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.demanded import demanded
from sync.adapters.keycloak.failures import AttributeDemanded
from sync.domain.errors import FailureCode, Misconfigured
from sync.domain.provisioning.observed import ACCOUNT_ID, TECHNICIAN_ID

ALWAYS = frozenset({ACCOUNT_ID, TECHNICIAN_ID})
KEPT_SECONDS = 10.0
NO_COUNTS_SECONDS = 1.0


class AttributeUndeclared(Misconfigured):
    """The realm has not followed attributes.toml yet: of those who have a value, nothing is written that it would
    drop. Everybody else goes on."""


class UserProfile:
    """Which attributes the realm's user profile declares and demands. An answer counts for `KEPT_SECONDS`:
    somebody
    may edit the profile while a worker runs. `now` returns seconds on a clock that never goes back."""

    def __init__(self, connection: Connection, now: Callable[[], float]) -> None:
        self._connection = connection
        self._now = now
        self._declared: frozenset[str] = frozenset()
        self._demanded: frozenset[str] = frozenset()
        self._read_at: float | None = None

    def check(self, written: Iterable[str] = ()) -> None:
        """Raises AttributeUndeclared if one of those to be written is missing, Misconfigured if one without which
        no user of ours can be: it would not say whose it is."""
        wanted = frozenset(written) | ALWAYS
        if not self._knows(wanted):
            self._read()
        always = sorted(ALWAYS - self._declared)
        if always:
            self._read_at = None
            raise Misconfigured(self._lacks(always), code=FailureCode.REALM_BEHIND)
        missing = sorted(wanted - self._declared)
        if missing:
            raise AttributeUndeclared(
                f"the realm has not followed: {self._lacks(missing)}", code=FailureCode.REALM_BEHIND
            )

    def check_whole(self, attributes: Iterable[str]) -> None:
        """`check` for all that a user to be made will have. Raises AttributeDemanded if the realm demands more:
        `POST users` would refuse the user, and `partialImport` make one that nobody can disable."""
        given = frozenset(attributes)
        self.check(given)
        if not self._demanded <= given and not self._fresh(NO_COUNTS_SECONDS):
            self._read()
        if not self._demanded <= given:
            raise AttributeDemanded(self._connection.realm, self._demanded - given)

    def _knows(self, wanted: frozenset[str]) -> bool:
        """A yes counts for a while, a no hardly: `realm apply` may just have run."""
        return self._fresh(KEPT_SECONDS if wanted <= self._declared else NO_COUNTS_SECONDS)

    def _fresh(self, seconds: float) -> bool:
        return self._read_at is not None and self._now() - self._read_at < seconds

    def _read(self) -> None:
        at = self._now()
        profile = self._connection.get("users/profile")
        self._declared = frozenset(attribute["name"] for attribute in profile.get("attributes", ()))
        self._demanded = demanded(profile)
        self._read_at = at

    def _lacks(self, names: list[str]) -> str:
        return (
            f"the user profile of the realm {self._connection.realm!r} does not declare {', '.join(names)}; "
            "run `fsm-identity realm apply`"
        )
