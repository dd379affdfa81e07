"""What is held, for the tests of functions of the store that take it: as if a lease had been looked at."""

from __future__ import annotations

from dataclasses import dataclass

from sync.domain.work.held import Held


@dataclass(frozen=True)
class _HeldInATest(Held):
    @property
    def from_lock(self) -> bool:
        return True


def held(row: str = "a job") -> Held:
    return _HeldInATest(row)


JOB = held()
