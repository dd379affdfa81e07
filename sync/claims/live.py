"""`LiveCheck`: asks Keycloak whether the session behind a token still lives (RFC 7662), for sensitive routes.

A verified token stays good until it expires, also after a deactivation (D6). Where minutes matter, an
application asks here as well. It costs a request, so it is no replacement for `ClaimsReader`.
"""

from __future__ import annotations

from typing import Self

import httpx

from sync.claims.errors import LiveCheckUnavailable, SessionEnded


class LiveCheck:
    """Introspection by a confidential client, `client_id` with `client_secret`. Safe to share between threads.

    The token must carry that client in its audience: Keycloak calls any other token inactive
    (fact: introspection-wants-the-audience).
    """

    def __init__(
        self, introspection_url: str, client_id: str, client_secret: str, *, http: httpx.Client | None = None
    ) -> None:
        self._url = introspection_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._http = http or httpx.Client(timeout=5)

    @classmethod
    def for_keycloak(cls, issuer: str, client_id: str, client_secret: str) -> Self:
        """A check at a realm, as in `https://login.example.com/realms/fsm`."""
        return cls(f"{issuer}/protocol/openid-connect/token/introspect", client_id, client_secret)

    def check(self, token: str) -> None:
        """Return only if Keycloak says now that the token is active.

        Raises SessionEnded when it says it is not, LiveCheckUnavailable when it gives no usable answer: no
        answer is no access.
        """
        try:
            answer = self._http.post(self._url, data={"token": token}, auth=(self._client_id, self._client_secret))
            verdict = answer.json() if answer.status_code == httpx.codes.OK else None
        except (httpx.HTTPError, ValueError):
            raise LiveCheckUnavailable("Keycloak could not be asked whether the session lives") from None
        if not isinstance(verdict, dict) or not isinstance(verdict.get("active"), bool):
            raise LiveCheckUnavailable(
                f"Keycloak did not say whether the session lives (HTTP {answer.status_code})"
            )
        if not verdict["active"]:
            raise SessionEnded("the session has ended or the person has been disabled")
