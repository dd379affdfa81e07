"""A name that is held by a user whose account our database lost: what Keycloak says of it names an account that
nobody finds. `provision` asks before it records such a conflict."""

from __future__ import annotations

from sync.domain.drift.anomaly import GIVE_ACCOUNT_BACK
from sync.domain.errors import Conflict, Failure, FailureCode, NameHeld
from sync.jobs.systems import Systems
from sync.store.accounts import accounts


def explained(systems: Systems, failure: Failure) -> Failure:
    """The failure, or in its place one that says what gives the user to the account that wants its name."""
    if not isinstance(failure, NameHeld) or not failure.marks:
        return failure
    with systems.db.read() as tx:
        lost = failure.marks - accounts.known_ids(tx, failure.marks)
    if not lost:
        return failure
    told = Conflict(
        f"{failure}. Our database does not have account {', '.join(sorted(lost))}: it lost it, as after a restore "
        f"from a backup. This account gets the user by {GIVE_ACCOUNT_BACK}",
        code=FailureCode.ACCOUNT_LOST,
    )
    told.differences = failure.differences
    return told
