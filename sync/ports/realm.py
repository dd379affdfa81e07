"""Keycloak's realm as something that can be read and brought to a wanted state (C8)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from sync.domain.realm.difference import RealmDifference
from sync.domain.realm.item import ItemKind, RealmState
from sync.domain.realm.surroundings import Surroundings


class Realm(Protocol):
    """One realm. Every method raises a `Failure` of `sync.domain.errors`: Misconfigured if the realm does not
    exist or the credentials do not allow it."""

    def create_if_missing(self) -> None:
        """Make the realm, empty and enabled, unless it exists. Needs an administrator of the master realm."""
        ...

    def observe(self, kinds: Collection[ItemKind] | None = None) -> RealmState:
        """Read the items of these kinds, None: of all. Of groups, flows, features, claims and realm roles only
        those that are ours."""
        ...

    def demanded_attributes(self) -> frozenset[str]:
        """Those that the user profile asks of every user, beside the names of a person. One request, with the
        rights of any of our clients."""
        ...

    def surroundings(self) -> Surroundings:
        """Read what is not ours and bears on the login."""
        ...

    def members(self, group: str) -> int:
        """How many users are directly in the group of this path; a group that does not exist has none."""
        ...

    def apply(self, difference: RealmDifference) -> None:
        """Carry out one difference. Repeated after a crash it does no harm. Raises NeedsPerson rather than remove
        a group that somebody is in. Does not check that a flow is safe to bind: that is the caller's."""
        ...
