"""`ClaimsReader`: from an access token as it arrived to `FsmClaims`, or to an error that means no access.

Nothing in a token is believed before its signature has been verified with a key of the configured issuer and an
algorithm of the configured list (RFC 8725). Whether the session still lives is the question of `live`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Self

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jws import JWSRegistry, extract_compact

from sync.claims.errors import InvalidToken, TokenExpired
from sync.claims.keys import Keys, PublishedKeys
from sync.claims.parse import FsmClaims, parse

ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"}
)
LONGEST_TOKEN = 16 * 1024


class ClaimsReader:
    """Verifies access tokens of one issuer. Safe to share between threads.

    A token must be meant for this application: `audience` must be among its `aud`, and its `azp` (the client
    it was made for) among `authorized_parties`; at least one of the two is to be given, else a token
    made for any other application would do. `leeway_seconds` allows for clocks that differ; `clock`
    returns seconds since 1970. Raises ValueError for a configuration that would accept too much.
    """

    def __init__(
        self,
        issuer: str,
        keys: Keys,
        *,
        audience: str | None = None,
        authorized_parties: Collection[str] = (),
        algorithms: Collection[str] = ("RS256", "ES256", "PS256"),
        leeway_seconds: float = 10,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not audience and not authorized_parties:
            raise ValueError("give an audience or authorized_parties: a token for another application must not do")
        unsafe = sorted(set(algorithms) - ASYMMETRIC)
        if unsafe or not algorithms:
            raise ValueError(f"only asymmetric algorithms can be verified with public keys, not {unsafe}")
        if isinstance(authorized_parties, str):
            raise TypeError("authorized_parties is a collection of client ids, not a string")
        self._issuer = issuer
        self._keys = keys
        self._audience = audience
        self._parties = frozenset(authorized_parties)
        self._algorithms = frozenset(algorithms)
        self._leeway = leeway_seconds
        self._clock = clock

    @classmethod
    def for_keycloak(
        cls, issuer: str, *, audience: str | None = None, authorized_parties: Collection[str] = ()
    ) -> Self:
        """A reader for a realm, as in `https://login.example.com/realms/fsm`. Fetches nothing yet."""
        keys = PublishedKeys(f"{issuer}/protocol/openid-connect/certs")
        return cls(issuer, keys, audience=audience, authorized_parties=authorized_parties)

    def read(self, token: str) -> FsmClaims:
        """Verify an access token and return its claims.

        Raises TokenExpired, InvalidToken (not genuine or not for us), NoAccess (genuine, but not exactly one
        profile), KeysUnavailable; all are ClaimsError.
        """
        return parse(self.verify(token))

    def verify(self, token: str) -> Mapping[str, object]:
        """The payload of an access token that is genuine and for us, whatever access it gives: for who asks more
        of it than the claim. Raises like `read`, but for NoAccess."""
        payload = self._verified(token)
        self._check_meant_for_us(payload)
        self._check_times(payload)
        return payload

    def _verified(self, token: str) -> Mapping[str, object]:
        if len(token) > LONGEST_TOKEN:
            raise InvalidToken(f"the token is longer than {LONGEST_TOKEN} characters")
        algorithm, key_id = self._header(token)
        key = self._keys.key(key_id)
        if key.alg not in (None, algorithm):
            raise InvalidToken("the token's algorithm is not the one its key is for")
        try:
            return jwt.decode(token, key, registry=JWSRegistry(algorithms=[algorithm])).claims
        except BadSignatureError:
            raise InvalidToken("the token's signature is wrong") from None
        except (JoseError, ValueError, TypeError):
            raise InvalidToken("the token cannot be verified") from None

    def _header(self, token: str) -> tuple[str, str]:
        """The algorithm and the key id the token names; both are only a choice among what we allow."""
        try:
            header = extract_compact(token.encode()).headers()
        except (JoseError, ValueError, TypeError):
            raise InvalidToken("this is not a signed token (JWS, RFC 7515)") from None
        algorithm, key_id = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise InvalidToken("the token's algorithm is not allowed")
        if not isinstance(key_id, str):
            raise InvalidToken("the token names no key (kid)")
        if "crit" in header:
            raise InvalidToken("the token asks for extensions this reader does not have (crit)")
        return algorithm, key_id

    def _check_meant_for_us(self, payload: Mapping[str, object]) -> None:
        if payload.get("iss") != self._issuer:
            raise InvalidToken("the token is from another issuer")
        if payload.get("typ") != "Bearer":
            raise InvalidToken("this is not a bearer access token (an ID token, perhaps)")
        audience = payload.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if self._audience and self._audience not in audiences:
            raise InvalidToken("the token is for another application (aud)")
        if self._parties and payload.get("azp") not in self._parties:
            raise InvalidToken("the token was made for another client (azp)")

    def _check_times(self, payload: Mapping[str, object]) -> None:
        """RFC 7519, 4.1.4-4.1.6: `exp` is required; `nbf` and `iat`, if present, must not lie ahead."""
        now = self._clock()
        for name in ("exp", "nbf", "iat"):
            value = payload.get(name)
            if value is None and name != "exp":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InvalidToken(f"the token's {name} is not a time")
            if name == "exp" and value <= now - self._leeway:
                raise TokenExpired("the token has expired")
            if name != "exp" and value > now + self._leeway:
                raise InvalidToken(f"the token is not valid yet ({name})")
