"""What could not be made of an account, in words for whoever mends it: what was wanted, what was found (H2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from sync.domain.errors import Difference, Failure
from sync.domain.provisioning.change import (
    Change,
    Disable,
    Enable,
    EndSessions,
    JoinGroup,
    LeaveGroup,
    TakeRole,
    UpdateDetails,
)
from sync.domain.provisioning.desired import DesiredState
from sync.domain.provisioning.observed import Observed

NOTHING = "nothing"


@contextmanager
def with_difference(of: Callable[[], tuple[Difference, ...]]) -> Iterator[None]:
    """A failure that comes out of here carries what could not be made, unless it says more itself."""
    try:
        yield
    except Failure as failure:
        failure.differences = failure.differences or of()
        raise


def unmade(changes: Iterable[Change]) -> tuple[Difference, ...]:
    """The differences that these changes would have ended."""
    return tuple(difference for change in changes for difference in _of(change))


def no_user(desired: DesiredState) -> tuple[Difference, ...]:
    """The user is not there, and could not be made or must not be made anew."""
    return (
        Difference("user", desired.username, NOTHING),
        Difference("email", desired.email, NOTHING),
        Difference("groups", ", ".join(sorted(desired.groups)), NOTHING),
    )


def not_ours(desired: DesiredState, observed: Observed) -> tuple[Difference, ...]:
    """There is a user, of somebody else."""
    owner = f"account {observed.account_id}" if observed.account_id else "nobody of ours"
    return (
        Difference("user", desired.username, f"{observed.username} ({observed.idp_user_id})"),
        Difference("owner", f"account {desired.account_id}", owner),
    )


def _of(change: Change) -> Iterator[Difference]:
    match change:
        case Disable():
            yield Difference("enabled", "no", "yes")
        case Enable():
            yield Difference("enabled", "yes", "no")
        case EndSessions():
            yield Difference("sessions and offline tokens", "none", "perhaps some")
        case TakeRole(role=role):
            yield Difference(f"role {role}", "through groups only", "given directly")
        case LeaveGroup(path=path):
            yield Difference(path, "no member", "member")
        case JoinGroup(path=path):
            yield Difference(path, "member", "no member")
        case UpdateDetails(existing=existing, new=new):
            for key in sorted(new):
                yield Difference(key, new[key] or NOTHING, existing[key] or NOTHING)
