"""What the contract suite does to Keycloak beside the port: strangers, logins, lockouts, tampering.

Two of a kind, one on the fake and one on a real realm, so that each test is written once.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from rstr import Rstr

from sync.domain.acts import PASSWORD_HISTORY
from sync.domain.provisioning.observed import LockState
from sync.ports.accounts import Accounts
from tests.contract.realm_setup import LOGIN_CLIENT, RealmAdmin
from tests.fakes.accounts import FakeAccounts, FakeUser
from tests.waiting import wait_until


class World(Protocol):
    accounts: Accounts

    def later(self) -> None:
        """So much later that nothing is remembered from earlier looks."""

    def stranger(self, username: str, email: str) -> str:
        """A user that is not ours, with the group `/elsewhere`. Returns its id."""

    def delete_user(self, idp_user_id: str) -> None: ...

    def set_attribute(self, idp_user_id: str, name: str, value: str) -> None: ...

    def verify_email(self, idp_user_id: str) -> None: ...

    def email_is_verified(self, idp_user_id: str) -> bool: ...

    def holders(self, name: str) -> list[str]:
        """The ids of the users that have exactly this username or e-mail address."""

    def map_role(self, idp_user_id: str, role: str) -> None:
        """Map a realm role, or a client role written `client/role`, to the user itself."""

    def log_in(self, idp_user_id: str, *, offline: bool) -> str:
        """The user sets a password and logs in; answers the refresh token."""

    def refreshes(self, token: str) -> bool: ...

    def credentials_of(self, idp_user_id: str) -> list[str]:
        """The types of what the user can log in with."""

    def password_is(self, idp_user_id: str, password: str) -> bool:
        """True when the login takes the password, even if it then asks for something else."""

    def lock(self, idp_user_id: str, *, for_good: bool) -> None:
        """Wrong passwords until Keycloak locks the user."""

    def carrying(self, path: str, role: str) -> AbstractContextManager[None]:
        """Meanwhile the group carries a role too many (`client/role` for a client role)."""

    def inside(self, role: str, inner: str) -> AbstractContextManager[None]:
        """Meanwhile whoever has the realm role also gets the inner one."""

    def without_group(self, path: str) -> AbstractContextManager[None]:
        """Meanwhile the group is missing; afterwards there is one of that path again, with another id."""

    def demanding(self, name: str, *, fits: str | None) -> AbstractContextManager[None]:
        """Meanwhile the user profile demands the attribute, with values that this pattern fits; None: such that
        nobody can make one up."""


class FakeWorld:
    def __init__(self, accounts: FakeAccounts) -> None:
        self.accounts = accounts
        accounts.groups["/elsewhere"] = set()

    def later(self) -> None:
        """The fake remembers nothing."""

    def stranger(self, username: str, email: str) -> str:
        user = FakeUser(str(uuid.uuid4()), username, email, groups={"/elsewhere"})
        self.accounts.users[user.id] = user
        return user.id

    def delete_user(self, idp_user_id: str) -> None:
        del self.accounts.users[idp_user_id]

    def set_attribute(self, idp_user_id: str, name: str, value: str) -> None:
        self.accounts.users[idp_user_id].attributes[name] = (value,)

    def verify_email(self, idp_user_id: str) -> None:
        self.accounts.users[idp_user_id].email_verified = True

    def email_is_verified(self, idp_user_id: str) -> bool:
        return self.accounts.users[idp_user_id].email_verified

    def holders(self, name: str) -> list[str]:
        return [user.id for user in self.accounts.users.values() if name in (user.username, user.email)]

    def map_role(self, idp_user_id: str, role: str) -> None:
        self.accounts.users[idp_user_id].roles.add(role)

    def log_in(self, idp_user_id: str, *, offline: bool) -> str:
        user, token = self.accounts.users[idp_user_id], uuid.uuid4().hex
        user.required_actions.discard("UPDATE_PASSWORD")
        user.password = None
        user.tokens[token] = LOGIN_CLIENT if offline else None
        return token

    def refreshes(self, token: str) -> bool:
        return any(token in user.tokens and user.enabled for user in self.accounts.users.values())

    def credentials_of(self, idp_user_id: str) -> list[str]:
        return [
            each.type for each in self.accounts.users[idp_user_id].credentials if each.type != PASSWORD_HISTORY
        ]

    def password_is(self, idp_user_id: str, password: str) -> bool:
        return self.accounts.users[idp_user_id].password == password

    def lock(self, idp_user_id: str, *, for_good: bool) -> None:
        user = self.accounts.users[idp_user_id]
        user.lock = LockState(temporary=not for_good, permanent=for_good, failures=2)
        user.enabled = not for_good

    @contextmanager
    def carrying(self, path: str, role: str) -> Iterator[None]:
        self.accounts.groups[path].add(role)
        yield
        self.accounts.groups[path].discard(role)

    @contextmanager
    def inside(self, role: str, inner: str) -> Iterator[None]:
        mapped = [user.roles for user in self.accounts.users.values()]
        carriers = [roles for roles in (*self.accounts.groups.values(), *mapped) if role in roles]
        for roles in carriers:
            roles.add(inner)
        yield
        for roles in carriers:
            roles.discard(inner)

    @contextmanager
    def without_group(self, path: str) -> Iterator[None]:
        roles = self.accounts.groups.pop(path)
        for user in self.accounts.users.values():
            user.groups.discard(path)
        yield
        self.accounts.groups[path] = roles

    @contextmanager
    def demanding(self, name: str, *, fits: str | None) -> Iterator[None]:
        self.accounts.demanded[name] = None if fits is None else Rstr(random.Random(1)).xeger(fits)
        yield
        del self.accounts.demanded[name]


@dataclass
class Seconds:
    """A clock that a test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class KeycloakWorld:
    accounts: Accounts
    admin: RealmAdmin
    clock: Seconds

    def later(self) -> None:
        self.clock.now += 3600

    def stranger(self, username: str, email: str) -> str:
        body = {
            "username": username,
            "email": email,
            "firstName": "Some",
            "lastName": "Body",
            "enabled": True,
            "groups": ["/elsewhere"],
        }
        return self.admin.call("POST", "users", body).headers["Location"].rpartition("/")[2]

    def delete_user(self, idp_user_id: str) -> None:
        self.admin.call("DELETE", f"users/{idp_user_id}")

    def set_attribute(self, idp_user_id: str, name: str, value: str) -> None:
        user = self.admin.read(f"users/{idp_user_id}")
        user["attributes"] = {**user.get("attributes", {}), name: [value]}
        self.admin.call("PUT", f"users/{idp_user_id}", user)

    def verify_email(self, idp_user_id: str) -> None:
        self.admin.call("PUT", f"users/{idp_user_id}", {"emailVerified": True})

    def email_is_verified(self, idp_user_id: str) -> bool:
        return bool(self.admin.read(f"users/{idp_user_id}")["emailVerified"])

    def holders(self, name: str) -> list[str]:
        found = [self.admin.read(f"users?{key}={name}&exact=true") for key in ("username", "email")]
        return sorted({user["id"] for users in found for user in users})

    def map_role(self, idp_user_id: str, role: str) -> None:
        self.admin.call("POST", f"users/{idp_user_id}/role-mappings/{self._mappings(role)}", [self._role(role)])

    def log_in(self, idp_user_id: str, *, offline: bool) -> str:
        form = {
            "username": self._username(idp_user_id),
            "password": self._give_password(idp_user_id),
            "scope": "openid offline_access" if offline else "openid",
        }
        answer = self.admin.token(grant_type="password", **form)
        answer.raise_for_status()
        return str(answer.json()["refresh_token"])

    def refreshes(self, token: str) -> bool:
        return self.admin.token(grant_type="refresh_token", refresh_token=token).ok

    def credentials_of(self, idp_user_id: str) -> list[str]:
        found = self.admin.read(f"users/{idp_user_id}/credentials")
        return [each["type"] for each in found if each["type"] != PASSWORD_HISTORY]

    def password_is(self, idp_user_id: str, password: str) -> bool:
        answer = self.admin.token(grant_type="password", username=self._username(idp_user_id), password=password)
        return answer.ok or "not fully set up" in answer.text

    def lock(self, idp_user_id: str, *, for_good: bool) -> None:
        self._give_password(idp_user_id)
        username = self._username(idp_user_id)

        def locked() -> bool:
            self.admin.token(grant_type="password", username=username, password="wrong")
            return bool(self.admin.read(f"attack-detection/brute-force/users/{idp_user_id}")["disabled"])

        with self.admin.with_settings(permanentLockout=for_good, maxTemporaryLockouts=0):
            wait_until(locked, 20, "nobody is locked out")

    @contextmanager
    def carrying(self, path: str, role: str) -> Iterator[None]:
        at = f"groups/{self.admin.group_id(path)}/role-mappings/{self._mappings(role)}"
        self.admin.call("POST", at, [self._role(role)])
        try:
            yield
        finally:
            self.admin.call("DELETE", at, [self._role(role)])

    @contextmanager
    def inside(self, role: str, inner: str) -> Iterator[None]:
        self.admin.call("POST", f"roles/{role}/composites", [self._role(inner)])
        try:
            yield
        finally:
            self.admin.call("DELETE", f"roles/{role}/composites", [self._role(inner)])

    @contextmanager
    def without_group(self, path: str) -> Iterator[None]:
        parent, _, name = path.rpartition("/")
        group = self.admin.read(f"group-by-path{path}")
        mappings = self.admin.read(f"groups/{group['id']}/role-mappings")
        self.admin.call("DELETE", f"groups/{group['id']}")
        try:
            yield
        finally:
            below = f"groups/{self.admin.group_id(parent)}/children"
            self.admin.call("POST", below, {"name": name, "attributes": group["attributes"]})
            new = f"groups/{self.admin.group_id(path)}/role-mappings"
            self.admin.call("POST", f"{new}/realm", mappings.get("realmMappings", []))
            for client in mappings.get("clientMappings", {}).values():
                self.admin.call("POST", f"{new}/clients/{client['id']}", client["mappings"])

    @contextmanager
    def demanding(self, name: str, *, fits: str | None) -> Iterator[None]:
        before = self.admin.read("users/profile")
        asked = {
            "name": name,
            "permissions": {"view": ["admin"], "edit": ["admin"]},
            "required": {"roles": ["admin"]},
            "validations": {"pattern": {"pattern": fits or r"\d{3}(?<=12[0-9])\p{Lu}"}},
        }
        self.admin.call("PUT", "users/profile", {**before, "attributes": [*before["attributes"], asked]})
        self.later()
        try:
            yield
        finally:
            self.admin.call("PUT", "users/profile", before)
            self.later()

    def _give_password(self, idp_user_id: str) -> str:
        """One of a person's own; a new one each time, for the policy remembers old ones."""
        self.admin.call("PUT", f"users/{idp_user_id}", {"requiredActions": []})
        password = f"A-person's-own-1-{uuid.uuid4().hex[:8]}"
        credential = {"type": "password", "value": password, "temporary": False}
        self.admin.call("PUT", f"users/{idp_user_id}/reset-password", credential)
        return password

    def _username(self, idp_user_id: str) -> str:
        return str(self.admin.read(f"users/{idp_user_id}")["username"])

    def _mappings(self, role: str) -> str:
        client, slash, _ = role.rpartition("/")
        return f"clients/{self.admin.client_id(client)}" if slash else "realm"

    def _role(self, role: str) -> object:
        client, slash, name = role.rpartition("/")
        return self.admin.read(
            f"clients/{self.admin.client_id(client)}/roles/{name}" if slash else f"roles/{name}"
        )
