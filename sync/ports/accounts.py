"""Keycloak as the place where accounts become users. One implementation talks to Keycloak, one is the fake
of the tests; the contract suite in tests/contract runs on both.

Every method raises a `Failure` of `sync.domain.errors`; a look-up that failed is never reported as absent.
None of them deletes a user.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sync.domain.errors import Failure
from sync.domain.provisioning.change import Change
from sync.domain.provisioning.desired import DesiredState
from sync.domain.provisioning.observed import Observed


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to create. `temporary_password` is a generated secret of at least 100 bits or None; the user is
    made to change it at the first login (B1). It is never logged and never part of a repr. `language` is that of
    the first login pages; from then on it is the user's own affair, and never compared. None: the realm's."""

    desired: DesiredState
    temporary_password: str | None = field(default=None, repr=False)
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """`existed` is true when the user was there already and carries our account id: an earlier try landed."""

    idp_user_id: str
    existed: bool


class Accounts(Protocol):
    """Reading and writing the users that fsm-identity owns."""

    def create(self, users: Sequence[NewUser]) -> Mapping[str, Created | Failure]:
        """Create each user with its groups, attributes and password, enabled or not as desired.
        Once the lease is lost, that is the outcome of whoever was not sent yet.

        Returns one outcome per account id; one bad row does not stop the others. A user that exists and
        carries the same account id is `Created(existed=True)`, whatever else it looks like; a username or
        e-mail address that somebody else has is NameHeld, and Misconfigured it is where the realm demands an
        attribute that the account has no value for. Raises a Failure only when nothing was done.
        """
        ...

    def observe(self, idp_user_id: str, *, sessions: bool) -> Observed | None:
        """Read one user with groups, roles, lockout and, if asked, sessions and offline tokens. None: absent,
        as Keycloak itself said so (404 for the user, not for the realm)."""
        ...

    def observe_many(self, idp_user_ids: Sequence[str]) -> Mapping[str, Observed | None]:
        """`observe` without sessions for many, by id, with fewer requests. The lockout of an enabled user is
        NOT_LOOKED_AT, unless the user had to be read by itself."""
        ...

    def apply(self, idp_user_id: str, change: Change) -> Change:
        """Carry out one change. Idempotent. Refuses with Unsafe what is not ours: a group outside `/fsm`, a
        user without our account id. Raises NeedsPerson if the user is gone, Misconfigured with the code
        `ATTRIBUTE_DEMANDED` where the realm demands an attribute that the user lacks of whoever is written.

        Returns the change as it was made: a user who lacks such an attribute is disabled with a value made up for
        it, if there is one that Keycloak takes (fact: a-demanded-attribute-stops-every-write).
        """
        ...

    def extra_roles(self, groups: Collection[str]) -> Mapping[str, frozenset[str]]:
        """For each of these group paths of ours, the roles it carries too many (realm roles and client roles,
        the latter as `client/role`), compared with the policy. Only groups with extra roles are answered.
        Raises Misconfigured for a group that does not exist."""
        ...
