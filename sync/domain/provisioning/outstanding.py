"""What could not be made of an account, carried by the failure that stopped it, for whoever mends it (H2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sync.domain.errors import Difference, Failure
from sync.domain.provisioning.desired import DesiredState
from sync.domain.provisioning.observed import Observed


@contextmanager
def with_outstanding(of: Callable[[], tuple[Difference, ...]]) -> Iterator[None]:
    """A failure that comes out of here carries what could not be made, unless it says more itself."""
    try:
        yield
    except Failure as failure:
        failure.differences = failure.differences or of()
        raise


def not_ours(desired: DesiredState, observed: Observed) -> tuple[Difference, ...]:
    """There is a user, of somebody else."""
    owner = f"account {observed.account_id}" if observed.account_id else "nobody of ours"
    return (
        Difference("user", desired.username, f"{observed.username} ({observed.idp_user_id})"),
        Difference("owner", f"account {desired.account_id}", owner),
    )
