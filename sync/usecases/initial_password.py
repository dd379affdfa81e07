"""The password of a new account: generated, never chosen, and never stored in the open (B1, rule 12)."""

from __future__ import annotations

import secrets

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 signs without those that look alike in print (l, 1, o, 0): five bits each."""

BITS = 5
GROUPS, GROUP_LENGTH = 6, 4


def generate() -> str:
    """Six groups of four signs, 120 bits: strong enough to need no slow hash (Keycloak replaces it anyway)."""
    signs = GROUPS * GROUP_LENGTH
    number = int.from_bytes(secrets.token_bytes(signs * BITS // 8))
    drawn = "".join(ALPHABET[(number >> BITS * place) % len(ALPHABET)] for place in range(signs))
    return "-".join(drawn[start : start + GROUP_LENGTH] for start in range(0, signs, GROUP_LENGTH))
