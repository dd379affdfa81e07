"""Why a token was not accepted, sorted by what the application answers. Every one of them means no access.

No message holds the token or a part of it.
"""

from __future__ import annotations


class ClaimsError(Exception):
    """No access. Catch this one to refuse a request whatever the reason; `reason` is for the log."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class InvalidToken(ClaimsError):
    """The token proves nothing: wrong signature, issuer, audience or shape. Answer 401 (RFC 6750, 3.1)."""


class TokenExpired(InvalidToken):
    """The token was good once. Answer 401; the client refreshes it."""


class NoAccess(ClaimsError):
    """The token is genuine, but its person has no access here: not exactly one profile (A4). Answer 403."""


class SessionEnded(ClaimsError):
    """Keycloak says the session behind a genuine token is over, or the person is disabled (D6). Answer 401."""


class KeysUnavailable(ClaimsError):
    """The signing keys cannot be had, so nothing can be verified. Answer 503."""


class LiveCheckUnavailable(ClaimsError):
    """Keycloak gave no usable answer whether the session lives, so the route stays closed. Answer 503."""
