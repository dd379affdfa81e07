"""Sealing of what must be kept for a while and read by nobody else: passwords that wait for delivery
(rule: secrets-go)."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from sync.domain.errors import Misconfigured


class Sealer:
    """Encrypts with the first of the Fernet keys, opens with any of them, so that keys can be rotated.

    Raises Misconfigured when there is no key or one is not a Fernet key. Neither keys nor contents appear in
    a repr or an error.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise Misconfigured("FSM_SECRET_KEYS: at least one Fernet key is needed")
        ring: list[Fernet] = []
        for place, key in enumerate(keys, start=1):
            try:
                ring.append(Fernet(key.strip()))
            except ValueError:
                raise Misconfigured(
                    f"FSM_SECRET_KEYS: key {place} is not a Fernet key (32 bytes, url-safe base64)"
                ) from None
        self._fernet = MultiFernet(ring)

    def __repr__(self) -> str:
        return "Sealer(…)"

    def seal(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Raises Misconfigured when none of the keys opens it."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise Misconfigured(
                "FSM_SECRET_KEYS: none of the keys opens a stored secret; the key it was sealed with is missing"
            ) from None
