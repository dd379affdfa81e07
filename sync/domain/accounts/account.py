"""The account: who may log in, with which profile, branch, team, data access and technician record (A1).

Values only. Rules that need the policy (A3-A5) stand in `rules`, those of names in `user_names`; what Keycloak
must hold for an account is decided in `desired`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Life(StrEnum):
    """What is wanted of an account. Nobody deletes one (D6). EXPECTED: its first day is to come, and nobody logs
    in with it before (E4)."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    EXPECTED = "expected"


@dataclass(frozen=True, slots=True)
class Account:
    """One person's account as it is wanted. Times are aware datetimes in UTC; dates are local to the branch.

    `id` is ours (UUIDv7). `idp_user_id` is the id Keycloak knows the user by, None until it is known.
    `data_access` None means the profile's default level. `profile`, `branch`, `team` and `data_access` hold
    keys of the mapping files. `attributes` are the company's own (`attributes.toml`), each as its canonical text.
    """

    id: str
    username: str
    email: str
    given_name: str
    family_name: str
    profile: str
    branch: str | None
    team: str | None
    data_access: str | None
    technician_id: str | None
    employee_number: str | None
    life: Life
    created_at: datetime
    idp_user_id: str | None = None
    hr_source: str | None = None
    hr_id: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


def login_key(name: str) -> str:
    """The key under which a username or e-mail address is unique: NFC, lower case, no outer blanks (A2).

    Keycloak has one namespace for usernames and e-mail addresses; this function is the only place that
    says when two of them are the same.
    """
    if name.isascii():
        return name.strip().lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name.strip()).lower())
