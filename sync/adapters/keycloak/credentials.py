"""The credentials gateway: passwords, second factors and lockouts of users that are ours, on the client
`fsm-worker`.

What is wanted is decided in `sync.domain.acts`; the limits are those of every write, in `guard`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sync.adapters.keycloak.checks import guard
from sync.adapters.keycloak.checks.realm import RealmCheck
from sync.adapters.keycloak.connection import Connection, Json, segment
from sync.adapters.keycloak.creation.password_hash import temporary_credential
from sync.adapters.keycloak.failures import Gone, Invalid, Unreachable, Unwell
from sync.adapters.keycloak.reading import UserReader
from sync.domain.acts import Credential
from sync.domain.errors import FailureCode, Misconfigured, NeedsPerson, System, Transient
from sync.domain.provisioning.observed import UPDATE_PASSWORD
from sync.ports.credentials import MayHaveBeenSent

NOT_SENT = "Failed to send"
"""How Keycloak begins when its mail server did not take a mail; any other 5xx leaves it open
(fact: a-mail-not-sent-is-said)."""

NO_SENDER = "Invalid sender address"
MAIL: System = "mail"


class KeycloakCredentials:
    """`sync.ports.credentials.Credentials`. `now` returns seconds on a clock that never goes back; `pause` waits
    some seconds, below one in all, while Keycloak shows a user as locked that may not be."""

    def __init__(
        self,
        connection: Connection,
        *,
        now: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._reader = UserReader(connection, pause)
        self._guard = guard.Guard(self._reader, RealmCheck(connection, now), now)

    def of_user(self, idp_user_id: str) -> tuple[Credential, ...]:
        with self._present(idp_user_id):
            listed = self._connection.get(f"{_at(idp_user_id)}/credentials")
        return tuple(Credential(each["id"], each["type"], _time(each["createdDate"])) for each in listed)

    def give_temporary_password(self, idp_user_id: str, password: str, created_at: datetime) -> None:
        """As the port says. One request makes both, the password and the duty to change it: `temporary` alone does
        not (fact: temporary-alone-asks-nobody). Keycloak takes the creation time as it is sent and keeps it
        (fact: passwords-keep-their-creation-time)."""
        self._guard.admit(idp_user_id)
        credential = temporary_credential(password) | {"createdDate": _milliseconds(created_at)}
        required = sorted({*self._required_actions(idp_user_id), UPDATE_PASSWORD})
        with self._present(idp_user_id):
            self._connection.put(_at(idp_user_id), {"credentials": [credential], "requiredActions": required})

    def take(self, idp_user_id: str, credential_id: str) -> None:
        self._guard.admit(idp_user_id)
        try:
            self._connection.delete(f"{_at(idp_user_id)}/credentials/{segment(credential_id)}")
        except Gone:
            self._existing(idp_user_id)

    def require_password_change(self, idp_user_id: str) -> None:
        self._guard.admit(idp_user_id)
        required = self._required_actions(idp_user_id)
        if UPDATE_PASSWORD in required:
            return
        with self._present(idp_user_id):
            self._connection.put(_at(idp_user_id), {"requiredActions": sorted({*required, UPDATE_PASSWORD})})

    def unlock(self, idp_user_id: str, *, enable: bool) -> None:
        """As the port says. Forgetting the failures does not end a permanent lockout; `enabled: true` does, and
        it is sent with nothing else (fact: enabling-lifts-a-lockout)."""
        self._guard.admit(idp_user_id)
        with self._present(idp_user_id):
            self._connection.delete(f"attack-detection/brute-force/users/{segment(idp_user_id)}")
            if enable:
                self._connection.put(_at(idp_user_id), {"enabled": True})
        lock = self._reader.lock(idp_user_id)
        if lock is None:
            raise guard.gone(idp_user_id)
        if lock.temporary or (enable and lock.permanent):
            raise Transient(
                f"Keycloak user {idp_user_id} is still locked after it was unlocked", code=FailureCode.NO_EFFECT
            )

    def send_password_mail(self, idp_user_id: str, lifetime: timedelta) -> None:
        self._guard.admit(idp_user_id)
        seconds = int(lifetime.total_seconds())
        doing = f"{_at(idp_user_id)}/execute-actions-email?lifespan={seconds}"
        try:
            with self._present(idp_user_id):
                self._connection.put(doing, [UPDATE_PASSWORD])
        except Invalid as error:
            raise NeedsPerson(f"Keycloak sends no mail: {error.text}", code=FailureCode.ADDRESS_REFUSED) from None
        except Unwell as error:
            raise _not_sent(error) from None
        except Unreachable as error:
            raise MayHaveBeenSent(f"the mail may have been sent; it is not sent again. {error}") from None

    def _required_actions(self, idp_user_id: str) -> list[str]:
        """Sent along with one more (fact: required-actions-are-replaced)."""
        return list(self._existing(idp_user_id).get("requiredActions") or ())

    def _existing(self, idp_user_id: str) -> Json:
        user = self._reader.user(idp_user_id)
        if user is None:
            raise guard.gone(idp_user_id)
        return user

    @contextmanager
    def _present(self, idp_user_id: str) -> Iterator[None]:
        """A 404 inside is told as what it is, where the user itself is gone."""
        try:
            yield
        except Gone:
            self._existing(idp_user_id)
            raise


def _at(idp_user_id: str) -> str:
    return f"users/{segment(idp_user_id)}"


def _not_sent(error: Unwell) -> Exception:
    if not error.text.startswith(NOT_SENT):
        return MayHaveBeenSent(f"the mail may have been sent; it is not sent again. {error}")
    if NO_SENDER in error.text:
        return Misconfigured(
            "the realm cannot send mails: it has no mail server; set FSM_MAIL__HOST and FSM_MAIL__SENDER and run "
            "`fsm-identity realm apply`",
            code=FailureCode.SETTING_WRONG,
            about=MAIL,
        )
    return Transient(f"Keycloak could not send the mail: {error.text}", code=FailureCode.UNAVAILABLE, about=MAIL)


def _milliseconds(at: datetime) -> int:
    """Whole milliseconds since 1970, as Keycloak counts, without the rounding of fractions."""
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(milliseconds=1)


def _time(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
