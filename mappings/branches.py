"""Branches and their teams, as `branches.toml` says it: keys, titles, time zones, aliases."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Team:
    """A team belongs to exactly one branch; its key is unique over all branches."""

    key: str
    title: str
    branch: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """`time_zone` is an IANA name: dates of a joiner or leaver take effect there (E4)."""

    key: str
    title: str
    time_zone: str
    teams: tuple[Team, ...] = ()
    aliases: tuple[str, ...] = ()
