"""Who asks over HTTP: the person of a bearer token, judged by their own account at every request (I2, I4).

Keycloak is not asked: the token is verified with its published keys, and one indexed row of our database says what
the person is now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from mappings.policy import Policy
from sync.claims import ClaimsReader, InvalidToken, KeysUnavailable, NoAccess, TokenExpired, parse
from sync.domain.access.admission import Admitted, Denied, Said, admit
from sync.domain.access.scope import Scope
from sync.domain.errors import NotAllowed, Problem
from sync.entrypoints.web.problems import RETRY_SECONDS, ApiProblem, Code
from sync.store.database.transactions import Database
from sync.views.accounts.account import account_of_user

_BEARER = HTTPBearer(auto_error=False, description="An access token of Keycloak with the audience fsm-identity.")


class Callers:
    """A dependency of every route of the API. `policy` returns the one in force."""

    def __init__(self, reader: ClaimsReader, database: Database, policy: Callable[[], Policy]) -> None:
        self._reader = reader
        self._database = database
        self._policy = policy

    def of(self, token: str) -> Admitted:
        """Raises ApiProblem."""
        payload = self._verified(token)
        with self._database.read() as tx:
            own = account_of_user(tx, str(payload.get("sub", "")))
        found = admit(_said(payload), own, self._policy())
        if isinstance(found, Admitted):
            return found
        raise _refusal(found)

    def _verified(self, token: str) -> Mapping[str, object]:
        try:
            return self._reader.verify(token)
        except TokenExpired:
            raise _unauthenticated(Code.TOKEN_REFUSED, "it has expired") from None
        except InvalidToken as error:
            raise _unauthenticated(Code.TOKEN_REFUSED, str(error)) from None
        except KeysUnavailable:
            raise ApiProblem(
                Code.AWAY, "Keycloak's signing keys cannot be read", headers={"Retry-After": str(RETRY_SECONDS)}
            ) from None


def bearer(found: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> str:
    """The token of the request. Raises ApiProblem."""
    if found is None:
        raise ApiProblem(Code.TOKEN_MISSING, headers={"WWW-Authenticate": "Bearer"})
    return found.credentials


def administered(admitted: Admitted) -> Scope:
    """What the caller may see of accounts. Raises NotAllowed for who administers none."""
    if admitted.administers is None:
        raise NotAllowed([Problem("", "accounts are for who administers them", "your own is under /me")])
    return admitted.administers


def _said(payload: Mapping[str, object]) -> Said:
    """A token that names no access, or more than one profile, gives none."""
    username = str(payload.get("preferred_username", ""))
    try:
        claims = parse(payload)
    except NoAccess:
        return Said(username, None, None, None, None)
    return Said(username, claims.profile, claims.data_access, claims.branch, claims.team)


def _refusal(denied: Denied) -> ApiProblem:
    detail = f"{denied.reason}: {denied.remedy}"
    return _unauthenticated(Code.CHANGED_SINCE, detail) if denied.renew else ApiProblem(Code.NO_ACCOUNT, detail)


def _unauthenticated(code: Code, detail: str) -> ApiProblem:
    """RFC 6750, section 3."""
    return ApiProblem(code, detail, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
