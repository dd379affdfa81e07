"""Column titles of staff files by language, as `import_columns.toml` says it (F1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportColumn:
    """One field of the import. `titles` maps a language code to the titles by which the column is known."""

    field: str
    required: bool
    titles: Mapping[str, tuple[str, ...]]
