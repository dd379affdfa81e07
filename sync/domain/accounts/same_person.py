"""When two accounts may be the same person although nothing they are known by is the same (A2).

A warning for a person to look at, never a reason to merge. The store keeps these keys beside each account.
"""

from __future__ import annotations

import unicodedata

from sync.domain.accounts.account import login_key


def fold(text: str) -> str:
    """For comparing without regard to case: NFC, case-folded, one blank between words."""
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).split())


def name_key(given_name: str, family_name: str) -> str:
    """The words of a full name in alphabetical order: files often swap given and family name."""
    return " ".join(sorted(fold(f"{given_name} {family_name}").split()))


def email_local(email: str) -> str:
    """What stands before the last @."""
    return login_key(email).rpartition("@")[0]
