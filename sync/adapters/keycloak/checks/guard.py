"""The gateway's own limits: what it refuses to write to, whoever asks (rule: only-what-is-ours).

The right manage-users alone could join anybody to any group and take over an administrator of the realm
(fact: manage-users-reaches-administrators), so each write passes here first. It leaves to
`sync.domain.provisioning.plan` whether a change is wanted.
"""

from __future__ import annotations

from collections.abc import Callable

from sync.adapters.keycloak.checks.realm import RealmCheck
from sync.adapters.keycloak.reading import UserReader
from sync.domain.access import vocabulary
from sync.domain.errors import FailureCode, NeedsPerson, Unsafe
from sync.domain.provisioning.observed import Observed

REMEMBERED_SECONDS = 10.0
"""How long a look at a user counts for the writes that follow it: a plan is applied right after its look."""

MOST_REMEMBERED = 1000


class Guard:
    """Remembers, for a few seconds, which users were seen to be ours; looks again at any other.

    `now` returns seconds on a clock that never goes back. Only a good look is remembered.
    """

    def __init__(self, reader: UserReader, realm_check: RealmCheck, now: Callable[[], float]) -> None:
        self._reader = reader
        self._realm_check = realm_check
        self._now = now
        self._seen: dict[str, float] = {}

    def saw(self, observed: Observed) -> None:
        """Note the outcome of a full look, so that the writes after it need no look of their own."""
        if observed.account_id is None or observed.administers_realm:
            self._seen.pop(observed.idp_user_id, None)
        else:
            self._remember(observed.idp_user_id)

    def admit(self, idp_user_id: str) -> None:
        """Raises Unsafe for a user that is not ours or administers the realm, NeedsPerson for one that is gone,
        Misconfigured for a realm that is another installation's. Two requests, none if the user was seen in the
        last seconds; now and then one more, for the realm."""
        self._realm_check.check_owner()
        seen = self._seen.get(idp_user_id)
        if seen is not None and self._now() - seen < REMEMBERED_SECONDS:
            return
        self._seen.pop(idp_user_id, None)
        ownership = self._reader.ownership(idp_user_id)
        if ownership is None:
            raise gone(idp_user_id)
        if ownership.account_id is None:
            raise Unsafe(
                f"Keycloak user {ownership.username!r} ({idp_user_id}) carries no account id of ours; "
                "nothing is written to it",
                code=FailureCode.USER_NOT_OURS,
            )
        if ownership.administers_realm:
            raise Unsafe(
                f"Keycloak user {ownership.username!r} ({idp_user_id}) holds a realm-management role; "
                "nothing is written to it",
                code=FailureCode.REALM_ADMINISTRATOR,
            )
        self._remember(idp_user_id)

    def _remember(self, idp_user_id: str) -> None:
        now = self._now()
        if len(self._seen) >= MOST_REMEMBERED:
            self._seen = {key: at for key, at in tuple(self._seen.items()) if now - at < REMEMBERED_SECONDS}
        self._seen[idp_user_id] = now


def gone(idp_user_id: str) -> NeedsPerson:
    return NeedsPerson(
        f"Keycloak has no user {idp_user_id}: it was deleted there, and fsm-identity makes none anew by itself",
        code=FailureCode.USER_DELETED,
    )


def refuse_foreign_group(path: str) -> None:
    """Raises Unsafe for a group outside `/fsm`."""
    if not vocabulary.owns_group(path):
        raise Unsafe(
            f"the group {path} is not below {vocabulary.ROOT}; fsm-identity does not touch it",
            code=FailureCode.OUTSIDE_OURS,
        )


def refuse_foreign_role(role: str) -> None:
    """Raises Unsafe for a role that does not begin with `fsm-`."""
    if not vocabulary.owns_role(role):
        raise Unsafe(
            f"the role {role} does not begin with {vocabulary.ROLE_PREFIX}; fsm-identity does not touch it",
            code=FailureCode.OUTSIDE_OURS,
        )
