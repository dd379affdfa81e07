"""The password of a new account: generated, never chosen, and never stored in the open (B1, rule 12)."""

from __future__ import annotations

import secrets

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 signs without those that look alike in print (l, 1, o, 0): five bits each."""

GROUPS, GROUP_LENGTH = 6, 4


def generate() -> str:
    """Six groups of four signs, 120 bits: strong enough to need no slow hash (Keycloak replaces it anyway)."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))
