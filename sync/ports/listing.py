"""Keycloak's users as a whole: the pages of a full comparison (H4). Reads only; single users are `accounts`.

Listings are not a moment in time: who comes or goes while they are read may be missed or seen twice. Whatever is
concluded from them is confirmed by a look at the one user.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sync.domain.drift.listed_user import ListedUser


@dataclass(frozen=True, slots=True)
class MembersPage:
    """Users who are in the group itself, not in one below it. Only of a profile group
    (`vocabulary.is_profile_group`) can `enabled` be believed."""

    group: str
    users: tuple[ListedUser, ...]


@dataclass(frozen=True, slots=True)
class HoldersPage:
    """`users`: id to username of users to whom the role is mapped directly; a client role is `client/role`."""

    role: str
    users: Mapping[str, str]


Page: TypeAlias = MembersPage | HoldersPage


@dataclass(frozen=True, slots=True)
class OurGroups:
    """The groups at and below `/fsm` that exist, and the roles each carries too many (see `Accounts.extra_roles`;
    here each group answers for itself, not for those above it). `roles` are all direct roles of ours to look for:
    realm roles that begin `fsm-` and the roles of the client `fsm`."""

    paths: frozenset[str]
    extra_roles: Mapping[str, frozenset[str]]
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class UserAttributes:
    idp_user_id: str
    username: str
    email: str
    attributes: Mapping[str, tuple[str, ...]]


class Listing(Protocol):
    """Every method raises a `Failure`; an iterator may raise one after some pages."""

    def groups(self) -> OurGroups: ...

    def pages(self, groups: Collection[str], roles: Collection[str]) -> Iterator[Page]:
        """Every member of these groups and every holder of these roles, page by page: the profile groups first,
        the rest in no order. A group or role that does not exist has nobody."""
        ...

    def count(self) -> int:
        """How many users the realm has. Service accounts are not among them, here and in `users`."""
        ...

    def users(self) -> Iterator[tuple[ListedUser, ...]]:
        """Every user of the realm, by username."""
        ...

    def attributes(self, first: int = 0) -> Iterator[tuple[UserAttributes, ...]]:
        """Every user with all attributes, by username, beginning with number `first`: ten times slower."""
        ...
