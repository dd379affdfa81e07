"""Data access levels, as `data_access.toml` says it (A5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Need = Literal["branch", "team", "person"]


@dataclass(frozen=True, slots=True)
class DataAccessLevel:
    """`width` orders the levels: a profile's ceiling is the widest an account may have.

    `needs` names what the account must have for the level to mean anything: a branch, a team, or a
    person (a technician link or an employee number); None: nothing.
    """

    key: str
    title: str
    width: int
    needs: Need | None
    aliases: tuple[str, ...] = ()
