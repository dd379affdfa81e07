"""A passkey without a device: makes and uses one P-256 key the way a browser would (W3C WebAuthn Level 2)."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import struct
from base64 import urlsafe_b64encode
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from examples.browser import Page

PRESENT, VERIFIED, NEW_CREDENTIAL = 0x01, 0x04, 0x40


class Passkey:
    """One key, for one user of one site. `user_id` is what the site calls the user."""

    def __init__(self, user_id: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._id = secrets.token_bytes(16)
        self._user_id = user_id

    def registration(self, page: Page) -> dict[str, str]:
        """The fields of Keycloak's registration form."""
        numbers = self._key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        key = cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        credential = bytes(16) + struct.pack(">H", len(self._id)) + self._id + key
        data = self._authenticator_data(page, PRESENT | VERIFIED | NEW_CREDENTIAL) + credential
        return {
            "clientDataJSON": encoded(self._client_data(page, "webauthn.create")),
            "attestationObject": encoded(cbor({"fmt": "none", "attStmt": {}, "authData": data})),
            "publicKeyCredentialId": encoded(self._id),
            "authenticatorLabel": "laptop",
            "transports": "internal",
        }

    def assertion(self, page: Page) -> dict[str, str]:
        """The fields of Keycloak's login form."""
        client_data = self._client_data(page, "webauthn.get")
        data = self._authenticator_data(page, PRESENT | VERIFIED)
        signature = self._key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        return {
            "clientDataJSON": encoded(client_data),
            "authenticatorData": encoded(data),
            "signature": encoded(signature),
            "credentialId": encoded(self._id),
            "userHandle": encoded(self._user_id.encode()),
        }

    def _client_data(self, page: Page, kind: str) -> bytes:
        found = re.search(r'challenge\s*:\s*"([^"]+)"', page.document.text_content())
        assert found is not None, "the page offers no passkey"
        systems = urlsplit(page.url)
        data = {"type": kind, "challenge": found.group(1), "origin": f"{systems.scheme}://{systems.netloc}"}
        return json.dumps(data | {"crossOrigin": False}).encode()

    def _authenticator_data(self, page: Page, flags: int) -> bytes:
        host = urlsplit(page.url).hostname or ""
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + bytes(4)


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def cbor(value: int | str | bytes | dict[int, int | bytes] | dict[str, object]) -> bytes:
    """As much of RFC 8949 as a credential needs."""
    match value:
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value)) + value.encode()
        case dict():
            entries = b"".join(cbor(key) + cbor(entry) for key, entry in value.items())  # type: ignore[arg-type]
            return _head(5, len(value)) + entries


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    return bytes([major << 5 | 24, number]) if number < 256 else struct.pack(">BH", major << 5 | 25, number)
