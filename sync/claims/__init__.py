"""The verified reader of fsm-identity's token claims, for Python applications of the FSM system (A6).

It stands alone: it needs joserfc and httpx and imports nothing else of this project. `docs/claims.md` specifies
the claim it reads; applications in other languages follow that page.
"""

from sync.claims.errors import (
    ClaimsError,
    InvalidToken,
    KeysUnavailable,
    LiveCheckUnavailable,
    NoAccess,
    SessionEnded,
    TokenExpired,
)
from sync.claims.keys import Keys, PublishedKeys
from sync.claims.live import LiveCheck
from sync.claims.parse import FsmClaims, parse
from sync.claims.reader import ClaimsReader

__all__ = [
    "ClaimsError",
    "ClaimsReader",
    "FsmClaims",
    "InvalidToken",
    "Keys",
    "KeysUnavailable",
    "LiveCheck",
    "LiveCheckUnavailable",
    "NoAccess",
    "PublishedKeys",
    "SessionEnded",
    "TokenExpired",
    "parse",
]
