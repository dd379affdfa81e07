"""The one write to a user that is not ours yet: the mark that makes it ours, put on after a review and taken off
again (G4). Everything else writes only to users that carry the mark."""

from __future__ import annotations

from typing import Protocol


class Adoption(Protocol):
    """Every method raises a `Failure` and writes nothing then: Unsafe for a user that administers the realm,
    Conflict for one that carries another account's mark or is not as reviewed, NeedsPerson if it is gone,
    Misconfigured if Keycloak would neither keep nor show the mark."""

    def take(
        self, idp_user_id: str, account_id: str, *, username: str, email: str, instead_of: str | None = None
    ) -> None:
        """Put the mark of the account on the user that was reviewed under these names. Idempotent. `instead_of`:
        the mark that it may carry till then, of an account that our database lost."""
        ...

    def release(self, idp_user_id: str, account_id: str) -> None:
        """Take the mark off, if it is this account's, and with it the other attributes of ours. Idempotent."""
        ...
