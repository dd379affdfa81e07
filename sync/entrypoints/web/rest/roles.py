"""Which roles may call which route of the API: one table, asked at every request (I4).

A route that stands in none of its lines answers nobody. It comes before everything else: what a command allows of
one account, or a view shows, is decided there once more (rule: never-above-your-own). docs/authorisation.md is
made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from sync.domain.access.admission import Admitted
from sync.domain.errors import NotAllowed, Problem


class Role(StrEnum):
    """What somebody is to the API. An account may have several."""

    EVERYTHING = "administrator of everything"
    BRANCH = "administrator of a branch"
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    OWN = "own record"


MEANS: Final[Mapping[Role, str]] = {
    Role.EVERYTHING: "the feature `user-management` with global data access, or a break-glass name of realm.toml",
    Role.BRANCH: "the feature `user-management` with branch data access",
    Role.OPERATOR: "the feature `operations` with global data access, with or without `user-management`",
    Role.REVIEWER: "whom a campaign of reviews names; there are none yet, so no route has this role",
    Role.OWN: "everybody with an active account",
}

Route: TypeAlias = tuple[str, str]

_ADMINISTRATORS: Final = frozenset({Role.EVERYTHING, Role.BRANCH})
_EVERYTHING: Final = frozenset({Role.EVERYTHING})
_OPERATOR: Final = frozenset({Role.OPERATOR})

ROUTES: Final[Mapping[Route, frozenset[Role]]] = {
    ("GET", "/me"): frozenset({Role.OWN}),
    ("GET", "/accounts"): _ADMINISTRATORS,
    ("POST", "/accounts"): _ADMINISTRATORS,
    ("GET", "/accounts/{account_id}"): _ADMINISTRATORS,
    ("PATCH", "/accounts/{account_id}"): _ADMINISTRATORS,
    ("PUT", "/accounts/{account_id}/deactivation"): _ADMINISTRATORS,
    ("GET", "/accounts/{account_id}/deactivation"): _ADMINISTRATORS,
    ("DELETE", "/accounts/{account_id}/deactivation"): _ADMINISTRATORS,
    ("PUT", "/accounts/{account_id}/reactivation"): _ADMINISTRATORS,
    ("GET", "/technicians/assignable"): _ADMINISTRATORS,
    ("PUT", "/technicians/{technician_id}/account"): _ADMINISTRATORS,
    ("DELETE", "/technicians/{technician_id}/account"): _ADMINISTRATORS,
    ("POST", "/accounts/{account_id}/acts"): _ADMINISTRATORS,
    ("GET", "/acts/{act_id}"): _ADMINISTRATORS,
    ("POST", "/acts/{act_id}/secret"): _ADMINISTRATORS,
    ("GET", "/accounts/{account_id}/timeline"): _ADMINISTRATORS,
    ("GET", "/catalog"): _ADMINISTRATORS,
    ("GET", "/runs"): _EVERYTHING,
    ("GET", "/runs/{run_id}"): _EVERYTHING,
    ("GET", "/runs/{run_id}/rows"): _EVERYTHING,
    ("GET", "/runs/{run_id}/rows.csv"): _EVERYTHING,
    ("PUT", "/runs/{run_id}/confirmation"): _EVERYTHING,
    ("PUT", "/runs/{run_id}/approval"): _EVERYTHING,
    ("PUT", "/runs/{run_id}/rejection"): _EVERYTHING,
    ("PUT", "/runs/{run_id}/cancellation"): _EVERYTHING,
    ("GET", "/drift"): _EVERYTHING,
    ("GET", "/drift/findings"): _EVERYTHING,
    ("GET", "/drift/findings/{finding_id}"): _EVERYTHING,
    ("PUT", "/drift/findings/{finding_id}/acceptance"): _EVERYTHING,
    ("PUT", "/drift/findings/{finding_id}/repair"): _EVERYTHING,
    ("GET", "/operations"): _OPERATOR,
    ("GET", "/operations/circuits"): _OPERATOR,
    ("POST", "/operations/circuits/{name}/probe"): _OPERATOR,
    ("POST", "/operations/circuits/{name}/close"): _OPERATOR,
    ("POST", "/operations/lanes/{lane}/pause"): _OPERATOR,
    ("POST", "/operations/lanes/{lane}/resume"): _OPERATOR,
    ("GET", "/operations/quarantine"): _OPERATOR,
    ("POST", "/operations/quarantine/retry"): _OPERATOR,
    ("GET", "/operations/mails"): _OPERATOR,
    ("POST", "/operations/mails/resend"): _OPERATOR,
    ("GET", "/audit"): _ADMINISTRATORS,
    ("GET", "/audit/export"): _EVERYTHING,
    ("GET", "/audit/verify"): _EVERYTHING,
    ("GET", "/reports/access"): _ADMINISTRATORS,
    ("GET", "/reports/unused"): _ADMINISTRATORS,
}


def roles_of(admitted: Admitted) -> frozenset[Role]:
    """A break-glass name has no record of its own, and may see that it has none."""
    scope = admitted.administers
    found = {Role.OWN}
    if scope is not None:
        found.add(Role.EVERYTHING if scope.everything else Role.BRANCH)
    if admitted.operates:
        found.add(Role.OPERATOR)
    return frozenset(found)


def require(admitted: Admitted, method: str, path: str) -> None:
    """`path` is that of the route, with its names in braces. Raises NotAllowed."""
    allowed = ROUTES.get((method, path), frozenset())
    if not allowed & roles_of(admitted):
        wanted = " or ".join(sorted(allowed)) or "nobody"
        raise NotAllowed([Problem("", f"this is for: {wanted}", "your own account is under /me")])
