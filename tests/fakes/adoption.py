"""Adoption on the fake accounts; the contract suite holds it to the real one."""

from __future__ import annotations

from sync.domain.errors import Conflict, NeedsPerson, Unsafe
from sync.domain.provisioning.observed import ACCOUNT_ID, OWNED_ATTRIBUTES
from sync.ports.lease import before_request
from tests.fakes.accounts import FakeAccounts, FakeUser


class FakeAdoption:
    """`sync.ports.adoption.Adoption`."""

    def __init__(self, accounts: FakeAccounts) -> None:
        self._accounts = accounts

    def take(
        self, idp_user_id: str, account_id: str, *, username: str, email: str, instead_of: str | None = None
    ) -> None:
        user = self._admitted(idp_user_id, account_id, instead_of)
        if (user.username, user.email) != (username, email):
            raise Conflict(f"{user.username!r} is not as it was reviewed")
        user.attributes[ACCOUNT_ID] = (account_id,)

    def release(self, idp_user_id: str, account_id: str) -> None:
        user = self._admitted(idp_user_id, account_id)
        if ACCOUNT_ID in user.attributes:
            for name in OWNED_ATTRIBUTES:
                user.attributes.pop(name, None)

    def _admitted(self, idp_user_id: str, *marks: str | None) -> FakeUser:
        before_request()
        user = self._accounts.users.get(idp_user_id)
        if user is None:
            raise NeedsPerson(f"Keycloak has no user {idp_user_id}")
        if self._accounts.administers_realm(user):
            raise Unsafe(f"{user.username!r} administers the realm")
        if user.attributes.get(ACCOUNT_ID) not in (None, *((mark,) for mark in marks)):
            raise Conflict(f"{user.username!r} carries the mark of another account")
        return user
