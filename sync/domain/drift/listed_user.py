"""A user as a listing shows it: less than a look at it (`observed`), and thousands of them a second."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListedUser:
    """What a listing shows of a user. `enabled` is false for a permanent lockout too."""

    idp_user_id: str
    username: str
    email: str
    given_name: str
    family_name: str
    enabled: bool
