"""That a worker still has what it claimed, as a value that only `sync.store` makes: `Granted` for workers.

Functions of the store that record what a worker did take one, so that nobody who has lost the lease can write it.
The classes are abstract: neither the type checker nor Python lets anybody make one here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class StillClaimed(ABC):
    """Nobody takes the row away before the transaction ends in which this was made. `row` is its id, or the job's
    name."""

    row: str

    @property
    @abstractmethod
    def from_lock(self) -> bool: ...


class ClaimedAccount(StillClaimed, ABC):
    """The work on an account."""


class ClaimedMail(StillClaimed, ABC):
    """A mail that is being sent."""


class ClaimedReassignment(StillClaimed, ABC):
    """A wish to move work orders."""


class ClaimedJob(StillClaimed, ABC):
    """A periodic job, by its name."""


class ClaimedRun(StillClaimed, ABC):
    """A run that is being applied."""
