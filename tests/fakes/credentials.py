"""The credentials of the fake Keycloak's users: passwords with their history, second factors, lockouts, mails.

The contract suite in tests/contract holds it to what the real one does.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sync.domain.acts import PASSWORD, PASSWORD_HISTORY, Credential, to_the_millisecond
from sync.domain.errors import NeedsPerson
from sync.domain.provisioning.observed import LockState
from sync.ports.lease import before_request
from tests.fakes.accounts import FakeAccounts, FakeUser

HISTORY = 4
"""How many old passwords are kept, as the shipped realm.toml says: five with the present one."""


@dataclass
class FakeCredentials:
    """`sync.ports.credentials.Credentials` over the users of a `FakeAccounts`. `mails` are the ids of the users
    who were sent one; `given` are the passwords that were given, in order."""

    accounts: FakeAccounts
    mails: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list, repr=False)
    _failures: list[tuple[BaseException, bool]] = field(default_factory=list)

    def fail_next(self, failure: BaseException, *, after_the_work: bool = False) -> None:
        """The next write raises this; `after_the_work`: it was carried out and the answer was lost."""
        self._failures.append((failure, after_the_work))

    def of_user(self, idp_user_id: str) -> tuple[Credential, ...]:
        before_request()
        user = self.accounts.users.get(idp_user_id)
        if user is None:
            raise NeedsPerson(f"Keycloak has no user {idp_user_id}")
        return tuple(user.credentials)

    def give_temporary_password(self, idp_user_id: str, password: str, created_at: datetime) -> None:
        with self._writing(idp_user_id) as user:
            set_password(user, password, created_at)
            user.required_actions.add("UPDATE_PASSWORD")
            self.given.append(password)

    def take(self, idp_user_id: str, credential_id: str) -> None:
        with self._writing(idp_user_id) as user:
            taken = [each for each in user.credentials if each.id == credential_id]
            user.credentials = [each for each in user.credentials if each.id != credential_id]
            if any(each.type == PASSWORD for each in taken):
                user.password = None

    def require_password_change(self, idp_user_id: str) -> None:
        with self._writing(idp_user_id) as user:
            user.required_actions.add("UPDATE_PASSWORD")

    def unlock(self, idp_user_id: str, *, enable: bool) -> None:
        with self._writing(idp_user_id) as user:
            if enable:
                user.enabled = True
            user.lock = LockState(permanent=user.lock.permanent and not enable)

    def send_password_mail(self, idp_user_id: str, lifetime: timedelta) -> None:
        assert lifetime > timedelta()
        with self._writing(idp_user_id) as user:
            if not user.enabled or not user.email:
                raise NeedsPerson("Keycloak sends no mail: it has no address or is disabled")
            self.mails.append(idp_user_id)

    @contextmanager
    def _writing(self, idp_user_id: str) -> Iterator[FakeUser]:
        before_request()
        failure, after_the_work = self._failures.pop(0) if self._failures else (None, False)
        if failure is not None and not after_the_work:
            raise failure
        yield self.accounts.admitted(idp_user_id)
        if failure is not None:
            raise failure


def set_password(user: FakeUser, password: str, created_at: datetime) -> None:
    """As Keycloak does: the old one moves to the history with its creation time, the credential keeps its id."""
    old = [each for each in user.credentials if each.type == PASSWORD]
    history = [each for each in user.credentials if each.type == PASSWORD_HISTORY]
    history += [Credential(str(uuid.uuid4()), PASSWORD_HISTORY, each.created_at) for each in old]
    others = [each for each in user.credentials if each.type not in (PASSWORD, PASSWORD_HISTORY)]
    new = Credential(old[0].id if old else str(uuid.uuid4()), PASSWORD, to_the_millisecond(created_at))
    user.credentials = [new, *others, *history[-HISTORY:]]
    user.password = password
