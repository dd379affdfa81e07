"""A listing that lacks too many of our users is not believed (E7): nobody is taken for gone because of it."""

from __future__ import annotations

from sync.domain.errors import Unsafe

FEW = 9
"""As many users of ours may be missing whatever the share: each of them is looked at by itself."""


def refuse_shrunken(expected: int, listed: int, most_missing_percent: int) -> None:
    """Raises Unsafe if the listing lacks so many of our users that it is an outage, or another realm, rather than
    people who were deleted."""
    missing = expected - listed
    if (listed == 0 and expected > 1) or missing > max(FEW, expected * most_missing_percent // 100):
        raise Unsafe(
            f"Keycloak lists {listed} of our {expected} users: an outage or another realm, nobody is taken for "
            "gone. Check FSM_KEYCLOAK__REALM and Keycloak itself; drift.toml has the limit"
        )
