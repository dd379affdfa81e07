"""The issuer's signing keys: fetched from its JWKS address (RFC 7517), kept, and renewed when it rotates them.

An unknown key id costs at most one request in `retry_seconds`, however many forged tokens come in.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from sync.claims.errors import InvalidToken, KeysUnavailable

PublicKey = RSAKey | ECKey | OKPKey
LARGEST_ANSWER = 256 * 1024


class Keys(Protocol):
    """Where the reader finds the key that a token names."""

    def key(self, key_id: str) -> PublicKey:
        """The key with that id. Raises InvalidToken when the issuer has none, KeysUnavailable when the
        issuer could not be asked."""
        ...


class PublishedKeys:
    """Keys from a JWKS address, safe to share between threads.

    Known keys are used for `fresh_seconds`, then fetched again; while that fails they serve for
    `stale_seconds` at most, so that an outage of the issuer does not lock everybody out at once. `clock`
    counts seconds and never runs backwards.
    """

    def __init__(
        self,
        url: str,
        *,
        http: httpx.Client | None = None,
        fresh_seconds: float = 600,
        stale_seconds: float = 3600,
        retry_seconds: float = 10,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._http = http or httpx.Client(timeout=5)
        self._fresh_seconds = fresh_seconds
        self._stale_seconds = stale_seconds
        self._retry_seconds = retry_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, PublicKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None

    def key(self, key_id: str) -> PublicKey:
        """Raises InvalidToken for a key the issuer does not publish, KeysUnavailable when it cannot be asked."""
        found = self._keys.get(key_id)
        if found is None or self._age() > self._fresh_seconds:
            self._renew(key_id, wait=found is None)
            found = self._keys.get(key_id)
        if self._age() > self._stale_seconds:
            raise KeysUnavailable("the issuer's signing keys cannot be fetched")
        if found is None:
            raise InvalidToken("the token is signed with a key that its issuer does not publish")
        return found

    def _renew(self, key_id: str, *, wait: bool) -> None:
        """One thread fetches; one that has a usable key goes on with it meanwhile."""
        if not self._lock.acquire(blocking=wait):
            return
        try:
            if self._may_fetch(known=key_id in self._keys):
                self._fetch()
        finally:
            self._lock.release()

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._clock() - self._fetched_at

    def _may_fetch(self, *, known: bool) -> bool:
        if known and self._age() <= self._fresh_seconds:
            return False
        return self._tried_at is None or self._clock() - self._tried_at >= self._retry_seconds

    def _fetch(self) -> None:
        """Replace the keys. A failure leaves those there are: `key` decides by their age."""
        self._tried_at = self._clock()
        try:
            answer = self._http.get(self._url)
            answer.raise_for_status()
            if len(answer.content) > LARGEST_ANSWER:
                return
            self._keys = _public_keys(answer.json())
        except (httpx.HTTPError, ValueError):
            return
        self._fetched_at = self._clock()


def _public_keys(document: object) -> Mapping[str, PublicKey]:
    """Signing keys by id. Raises ValueError if it is no key set; a single key not understood is left out
    (RFC 7517, section 5), and so is a symmetric one: nobody may sign with what everybody can read."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a JSON Web Key Set")  # noqa: TRY004 - a wrong answer, not a wrong call
    keys: dict[str, PublicKey] = {}
    for entry in listed:
        if (
            not isinstance(entry, dict)
            or entry.get("use", "sig") != "sig"
            or not isinstance(entry.get("kid"), str)
        ):
            continue
        try:
            key = JWKRegistry.import_key(entry)
        except (JoseError, ValueError, TypeError):
            continue
        if isinstance(key, RSAKey | ECKey | OKPKey):
            keys[entry["kid"]] = key
    return keys
