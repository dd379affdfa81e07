"""A generated password as a finished Keycloak credential, so that Keycloak need not hash it slowly.

A secret of 100 bits or more needs no slow hash; Keycloak replaces this one by its own at the first good check
(fact: prehashed-passwords-are-taken). A password that a person chose never goes this way: it would skip the
password policy too (fact: only-open-passwords-are-judged).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets

from sync.domain.errors import FailureCode, Unsafe

SHORTEST = 20
"""Characters: 20 of an alphabet of 32 are 100 bits."""

ALGORITHM = "pbkdf2-sha512"
ITERATIONS = 1
HASH_BYTES = 64
SALT_BYTES = 16


def temporary_credential(password: str) -> dict[str, object]:
    """The credential representation for `POST users` and `partialImport`.

    `temporary` alone makes nobody change a pre-hashed password: UPDATE_PASSWORD belongs into the required actions
    as well (fact: temporary-alone-asks-nobody). Raises Unsafe for a password too short to be a generated one.
    """
    if len(password) < SHORTEST:
        raise Unsafe(
            f"a temporary password has at least {SHORTEST} generated characters; this one is shorter",
            code=FailureCode.UNSAFE,
        )
    salt = secrets.token_bytes(SALT_BYTES)
    hashed = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, HASH_BYTES)
    return {
        "type": "password",
        "temporary": True,
        "credentialData": json.dumps(
            {"hashIterations": ITERATIONS, "algorithm": ALGORITHM, "additionalParameters": {}}
        ),
        "secretData": json.dumps({"value": _text(hashed), "salt": _text(salt), "additionalParameters": {}}),
    }


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
