"""The listing of the fake accounts: the same users and groups, in small pages.

The contract suite in tests/contract holds it to the real one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sync.domain.access import vocabulary
from sync.domain.drift.listed_user import ListedUser
from sync.domain.errors import Failure
from sync.ports.lease import before_request
from sync.ports.listing import HoldersPage, MembersPage, OurGroups, Page, UserAttributes
from tests.fakes.accounts import FakeAccounts, FakeUser

PAGE = 3


class FakeListing:
    """`sync.ports.listing.Listing`. `failure`, once set, is raised after the first page, or in `groups`."""

    def __init__(self, accounts: FakeAccounts) -> None:
        self._accounts = accounts
        self.failure: Failure | None = None
        self.fail_groups: Failure | None = None

    def groups(self) -> OurGroups:
        before_request()
        if self.fail_groups is not None:
            raise self.fail_groups
        ours = {path: roles for path, roles in self._accounts.groups.items() if vocabulary.owns_group(path)}
        extra = {path: frozenset(roles - self._accounts.expected.get(path, set())) for path, roles in ours.items()}
        known = {role for roles in self._accounts.expected.values() for role in roles}
        return OurGroups(frozenset(ours), {path: each for path, each in extra.items() if each}, frozenset(known))

    def pages(self, groups: Collection[str], roles: Collection[str]) -> Iterator[Page]:
        for number, page in enumerate(self._pages(groups, roles)):
            if number == 1 and self.failure is not None:
                raise self.failure
            yield page

    def count(self) -> int:
        before_request()
        return len(self._accounts.users)

    def users(self) -> Iterator[tuple[ListedUser, ...]]:
        for some in self._paged(list(self._accounts.users.values())):
            yield tuple(_listed(user) for user in some)

    def attributes(self, first: int = 0) -> Iterator[tuple[UserAttributes, ...]]:
        ordered = sorted(self._accounts.users.values(), key=lambda user: user.username)
        for some in self._paged(ordered[first:]):
            yield tuple(UserAttributes(user.id, user.username, user.email, dict(user.attributes)) for user in some)

    def _pages(self, groups: Collection[str], roles: Collection[str]) -> Iterator[Page]:
        for path in sorted(groups, key=lambda path: (not vocabulary.is_profile_group(path), path)):
            for some in self._paged([user for user in self._accounts.users.values() if path in user.groups]):
                yield MembersPage(path, tuple(_listed(user) for user in some))
        for role in sorted(roles):
            for some in self._paged([user for user in self._accounts.users.values() if role in user.roles]):
                yield HoldersPage(role, {user.id: user.username for user in some})

    def _paged(self, users: list[FakeUser]) -> Iterator[list[FakeUser]]:
        ordered = sorted(users, key=lambda user: user.username)
        for at in range(0, len(ordered), PAGE):
            before_request()
            yield ordered[at : at + PAGE]


def _listed(user: FakeUser) -> ListedUser:
    return ListedUser(user.id, user.username, user.email, user.given_name, user.family_name, user.enabled)
