"""Carrying a plan out in Keycloak, change by change.

One change that fails does not keep the access that the others take: withdrawals go on, and nothing is given any
more. Where Keycloak refuses to switch off somebody who is wanted inactive, everything that can be taken is taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sync.domain.errors import Failure, FailureCode, Misconfigured, NeedsPerson
from sync.domain.provisioning.change import (
    DETAILS,
    Change,
    Disable,
    UpdateDetails,
    outstanding,
    result_of,
    takes_access,
)
from sync.domain.provisioning.desired import DesiredState
from sync.domain.provisioning.observed import Observed
from sync.domain.provisioning.plan import Plan, diff, withdrawal
from sync.ports.accounts import Accounts

REFUSED = (FailureCode.ATTRIBUTE_DEMANDED, FailureCode.VALUE_REFUSED)
"""Keycloak read the request and will not carry it out: to ask again helps only once somebody mended something."""


@dataclass(frozen=True, slots=True)
class Carried:
    """`changes` were made, in order, and left the user as `observed`. `failure` is the first one, of `failed`, and
    carries what is outstanding; None: all was made."""

    changes: tuple[Change, ...]
    observed: Observed
    failure: Failure | None = None
    failed: Change | None = None


def apply_plan(accounts: Accounts, observed: Observed, plan: Plan) -> Carried:
    """Everything, or after a failure what takes access; nothing more where no request would get through."""
    carried = _carry_out(accounts, observed, plan.changes)
    if not (isinstance(carried.failed, Disable) and carried.failure and carried.failure.code in REFUSED):
        return carried
    taken = _carry_out(accounts, carried.observed, withdrawal(carried.observed).changes)
    changes = (*carried.changes, *taken.changes)
    if taken.failure is not None:
        return Carried(changes, taken.observed, taken.failure, taken.failed)
    return Carried(changes, taken.observed, _not_disabled(carried.failure), carried.failed)


def read_back(accounts: Accounts, desired: DesiredState, carried: Carried) -> Carried:
    """Where names were changed, what Keycloak shows of them now: it may keep them in another way than they were
    sent, and answers yes. One look more, for one account at a time. Raises NeedsPerson if they are not as
    wanted."""
    if not any(isinstance(each, UpdateDetails) and set(DETAILS) & each.new.keys() for each in carried.changes):
        return carried
    observed = accounts.observe(carried.observed.idp_user_id, sessions=False)
    if observed is None:
        return carried
    left = [each for each in diff(desired, observed).changes if isinstance(each, UpdateDetails)]
    if left:
        failure = NeedsPerson(
            f"Keycloak took a change of {observed.username!r} and does not keep it: {left[0]}",
            code=FailureCode.NO_EFFECT,
        )
        failure.differences = outstanding(left)
        raise failure
    return replace(carried, observed=replace(observed, sessions=carried.observed.sessions))


def _carry_out(accounts: Accounts, observed: Observed, changes: Iterable[Change]) -> Carried:
    made: list[Change] = []
    left: list[Change] = []
    first: Failure | None = None
    failed: Change | None = None
    stopped = False
    for change in changes:
        if stopped or (first is not None and not takes_access(change)):
            left.append(change)
            continue
        try:
            done = accounts.apply(observed.idp_user_id, change)
        except Failure as failure:
            left.append(change)
            stopped = failure.system is not None or failure.code is FailureCode.LEASE_LOST
            if first is None:
                first, failed = failure, change
            continue
        made.append(done)
        observed = result_of(done, observed)
    if first is not None:
        first.differences = first.differences or outstanding(left)
    return Carried(tuple(made), observed, first, failed)


def _not_disabled(refused: Failure) -> Misconfigured:
    failure = Misconfigured(
        f"access withdrawn, not disabled: {refused}", code=FailureCode.NOT_DISABLED, about=refused.about
    )
    failure.differences = refused.differences
    return failure
