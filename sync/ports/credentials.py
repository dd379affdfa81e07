"""Passwords, second factors and lockouts of Keycloak's users: what one-shot acts read and change (C1-C3, C6).

One implementation talks to Keycloak, one is the fake of the tests; the contract suite in tests/contract runs on
both. Every method raises a `Failure`: NeedsPerson if the user is gone, Unsafe for one that is not ours or
administers the realm. Sessions are ended through `Accounts`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from sync.domain.acts import Credential
from sync.domain.errors import FailureCode, NeedsPerson


class MayHaveBeenSent(NeedsPerson):
    """The mail was asked for and no answer came: it may have left. It is not asked for again."""

    code = FailureCode.MAY_HAVE_LEFT


class Credentials(Protocol):
    def of_user(self, idp_user_id: str) -> tuple[Credential, ...]:
        """What the user logs in with: the password, its history, the second factors."""
        ...

    def give_temporary_password(self, idp_user_id: str, password: str, created_at: datetime) -> None:
        """Replace the password by a generated one, of at least 100 bits, that must be changed at the next login.
        `created_at`, of which Keycloak keeps the milliseconds, is when it counts as made: by it a later look knows
        it. Idempotent. The password policy is not asked: nobody chose this password."""
        ...

    def take(self, idp_user_id: str, credential_id: str) -> None:
        """Take one credential away. Idempotent."""
        ...

    def require_password_change(self, idp_user_id: str) -> None:
        """From the next login on the user has to choose another password. Idempotent; ends no session."""
        ...

    def unlock(self, idp_user_id: str, *, enable: bool) -> None:
        """Forget the failed logins, which ends a temporary lockout. `enable` also ends a permanent one: Keycloak
        knows no other way than to switch the user on, so it is for accounts that are wanted active. Idempotent.
        Raises Transient if the user is still locked afterwards."""
        ...

    def send_password_mail(self, idp_user_id: str, lifetime: timedelta) -> None:
        """Let Keycloak mail the user a link that is good for so long and asks for a new password.

        Not idempotent. Raises Transient if the mail was certainly not sent and may be sent later,
        MayHaveBeenSent if nobody knows, Misconfigured if the realm cannot send mails, NeedsPerson if the user
        has no address or is disabled."""
        ...
