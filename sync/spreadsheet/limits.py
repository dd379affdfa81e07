"""How much of a file is read, and the refusal when it wants more (F8). The numbers are far above any real
staff list and far below what would hurt the machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from sync.domain.errors import Problem, Refused


class FileRefused(Refused):
    """The file as a whole cannot be imported; nothing of it was stored."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        self.reason, self.remedy = reason, remedy
        super().__init__((Problem("file", reason, remedy),))


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds. `ratio` is unpacked to packed size of one ZIP entry and is looked at
    only above `ratio_from` bytes unpacked, because small entries of equal rows pack well. `cells` bounds our own
    memory: 200 bytes each, however little stands in them (fact: a-cell-costs-200-bytes)."""

    file_size: int = 50 * 2**20
    unpacked_size: int = 400 * 2**20
    zip_entries: int = 2_000
    ratio: int = 200
    ratio_from: int = 20 * 2**20
    rows: int = 100_000
    columns: int = 200
    cells: int = 2_000_000
    shared_strings: int = 2_000_000
    merged_cells: int = 100_000
    text: int = 4_000
    memory: int = 2**30
    cpu_seconds: int = 60
    wall_seconds: float = 120.0
    output: int = 512 * 2**20


LIMITS = Limits()
