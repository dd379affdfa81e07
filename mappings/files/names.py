"""When two spellings name the same thing: the only place that says so for profiles, branches, teams and levels.

People write "Read Only", "read-only", "MUENCHEN" and "München"; files and HR systems do too.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from mappings.files.problems import nearest

_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa"})


class Named(Protocol):
    """What has a key, a title and other names."""

    @property
    def key(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def aliases(self) -> tuple[str, ...]: ...


@lru_cache(maxsize=4096)  # a file says the same few names in every row
def name_key(text: str) -> str:
    """Two names are the same if their keys are equal: no case, umlauts spelled out, no accents, only letters
    and digits. Empty for a text without any."""
    spelled = unicodedata.normalize("NFC", text).lower().translate(_SPELLED_OUT)
    bare = unicodedata.normalize("NFKD", spelled).casefold()
    return "".join(character for character in bare if character.isalnum())


def names_of(entry: Named) -> tuple[str, ...]:
    """Every name by which an entry may be called, the title first."""
    return (entry.title, entry.key, *entry.aliases)


@dataclass(frozen=True, slots=True)
class NameIndex:
    """Finds an entry by any of its names. A name that two entries share finds neither."""

    entries: Mapping[str, str | None]
    spellings: Mapping[str, str]

    @classmethod
    def of(cls, entries: Iterable[Named]) -> NameIndex:
        found: dict[str, str | None] = {}
        spellings: dict[str, str] = {}
        for entry in entries:
            for name in names_of(entry):
                key = name_key(name)
                found[key] = entry.key if found.get(key, entry.key) == entry.key else None
                spellings.setdefault(key, name)
        return cls(found, spellings)

    def find(self, text: str) -> str | None:
        """The key of the entry with this name, or None."""
        return self.entries.get(name_key(text))

    def nearest(self, text: str) -> str | None:
        """The name that is spelled most like the text, as the file writes it; None if none is near."""
        near = nearest(name_key(text), self.spellings)
        return self.spellings[near] if near is not None else None
