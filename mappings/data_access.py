"""Data access levels, as `data_access.toml` says it (A5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mappings.files.reading import Document, refuse_repeated, refuse_shared_names

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


NEEDS: dict[str, Need | None] = {"nothing": None, "branch": "branch", "team": "team", "person": "person"}
"""What the file writes for each need; `nothing` is spelled out because TOML has no null."""


def read(document: Document) -> dict[str, DataAccessLevel]:
    """The levels by key. Widths are unique: a ceiling must say exactly what is below it."""
    tables = document.root.entries("levels")
    levels = {
        key: DataAccessLevel(
            key=key,
            title=table.text("title"),
            width=table.integer("width", 1, 1000),
            needs=NEEDS.get(table.choice("needs", NEEDS, "need")),
            aliases=table.texts("aliases", optional=True),
        )
        for key, table in tables.items()
    }
    refuse_repeated(tables, "width", lambda key: levels[key].width)
    refuse_shared_names(tables, levels, "data access level")
    if not levels:
        document.root.report("levels", "must hold at least one level")
    return levels
