"""That a worker still holds what it claimed, as a value that only `sync.store` makes: `Granted` for workers.

Functions of the store that record what a worker did take one, so that nobody who has lost the lease can write it.
The class is abstract: neither the type checker nor Python lets anybody make one here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class Held(ABC):
    """The claimed row (an account's, a mail's, a reassignment's, a job's or a run's) is ours, and nobody takes it
    away before the transaction ends in which this was made. `row` is the id, or the job's name."""

    row: str

    @property
    @abstractmethod
    def from_lock(self) -> bool: ...
