"""What applying a row means for each kind of run: the one place that knows all kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sync.domain.access.cause import Origin
from sync.jobs.drift.repair_rows import apply_repair_rows
from sync.jobs.imports import apply_import_rows
from sync.jobs.mappings import apply_mappings_rows
from sync.jobs.runs import apply_runs
from sync.jobs.runs.apply_runs import CHUNK
from sync.jobs.runs.applying import KindOfRun
from sync.jobs.systems import Systems
from sync.store.database.tables import RunKind

KINDS: Final[Mapping[RunKind, KindOfRun]] = {
    "import": KindOfRun(apply_import_rows, Origin.IMPORT),
    "mappings": KindOfRun(apply_mappings_rows, Origin.MAPPING_FILES),
    "repair": KindOfRun(apply_repair_rows, Origin.DRIFT),
}
"""A run of a kind that is not here waits for a worker that knows it."""


def apply_chunk(systems: Systems, limit: int = CHUNK) -> int:
    """Apply the next rows of the run whose turn it is. Returns how many were looked at."""
    return apply_runs.apply_chunk(systems, KINDS, limit)
