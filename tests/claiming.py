"""What is still claimed, for tests of the functions of the store that take it: as if a lease was looked at."""

from __future__ import annotations

from sync.domain.work.claimed import ClaimedAccount, ClaimedJob, ClaimedMail, ClaimedReassignment


class _InATest(ClaimedAccount, ClaimedMail, ClaimedReassignment, ClaimedJob):
    @property
    def from_lock(self) -> bool:
        return True


def still_claimed(row: str = "a job") -> _InATest:
    """Of any kind."""
    return _InATest(row)


JOB = still_claimed()
