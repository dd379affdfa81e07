"""Branches and their teams, as `branches.toml` says it: keys, titles, time zones, languages, aliases."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from mappings.files.reading import Document, Table, refuse_shared_names


@dataclass(frozen=True, slots=True)
class Team:
    """A team belongs to exactly one branch; its key is unique over all branches."""

    key: str
    title: str
    branch: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """`time_zone` is an IANA name: dates of a joiner or leaver take effect there (E4). `language` is one of
    realm.toml's, in which mails to its people are written; None: the first of them (I7)."""

    key: str
    title: str
    time_zone: str
    teams: tuple[Team, ...] = ()
    aliases: tuple[str, ...] = ()
    language: str | None = None


UTC = "UTC"


def company_time_zone(document: Document) -> str:
    """Where dates of people without a branch take effect; UTC where the file does not say."""
    return _time_zone(document.root) if document.root.has("time_zone") else UTC


def read(document: Document, languages: Collection[str] | None) -> tuple[dict[str, Branch], dict[str, Team]]:
    """The branches and all their teams, each by key. Team names need only be unique within a branch. `languages`
    are those of realm.toml; None: it could not be read."""
    tables = document.root.entries("branches")
    branches: dict[str, Branch] = {}
    teams: dict[str, Team] = {}
    for key, table in tables.items():
        team_tables = table.entries("teams") if table.has("teams") else {}
        own = {
            team_key: Team(
                key=team_key,
                title=team_table.text("title"),
                branch=key,
                aliases=team_table.texts("aliases", optional=True),
            )
            for team_key, team_table in team_tables.items()
        }
        refuse_shared_names(team_tables, own, "team")
        for team_key in own.keys() & teams.keys():
            team_tables[team_key].report(None, f"branch {teams[team_key].branch} has a team of this key already")
        teams = own | teams
        branches[key] = Branch(
            key=key,
            title=table.text("title"),
            time_zone=_time_zone(table),
            teams=tuple(own.values()),
            aliases=table.texts("aliases", optional=True),
            language=_language(table, languages),
        )
    refuse_shared_names(tables, branches, "branch")
    if not branches:
        document.root.report("branches", "must hold at least one branch")
    return branches, teams


def _language(table: Table, languages: Collection[str] | None) -> str | None:
    return table.choice("language", languages, "language of realm.toml") if table.has("language") else None


def _time_zone(table: Table) -> str:
    what = "time zone of the IANA list, as in Europe/Berlin"
    zone = table.text("time_zone", what)
    return zone if _is_zone(zone) else table.choice("time_zone", available_timezones(), what)


@cache
def _is_zone(name: str) -> bool:
    """One file is looked for; to list them all takes longer than to read all mapping files."""
    try:
        return ZoneInfo(name).key == name
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return False
