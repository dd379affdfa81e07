"""What profiles and data access levels are by mapping files that are kept as texts, and nothing of the rest.

Whoever asks what a profile meant a year ago reads the files of then: other files beside them may have forms that
this version does not know any more, and the files of today have no word in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mappings import data_access, profiles
from mappings.data_access import DataAccessLevel
from mappings.problems import MappingErrors
from mappings.profiles import Profile
from mappings.reading import Document


@dataclass(frozen=True, slots=True)
class AccessFiles:
    """Profiles and levels by key."""

    profiles: Mapping[str, Profile]
    levels: Mapping[str, DataAccessLevel]


def read_access(texts: Mapping[str, str]) -> AccessFiles | None:
    """None: one of the two files is not among them, or is not what this version reads."""
    try:
        levels_file, profiles_file = (
            Document(name, texts[name]) for name in ("data_access.toml", "profiles.toml")
        )
    except (KeyError, MappingErrors):
        return None
    levels = data_access.read(levels_file)
    found, _ = profiles.read(profiles_file, levels)
    if levels_file.problems or profiles_file.problems:
        return None
    return AccessFiles(found, levels)
