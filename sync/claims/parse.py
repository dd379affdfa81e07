"""From the payload of a verified token to `FsmClaims`: pure, and strict about the shape of the `fsm` claim.

It decides whether somebody has access at all (A4): exactly one profile, exactly one data access level.
Verifying the token is the work of `reader`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sync.claims.errors import InvalidToken, NoAccess

CLAIM = "fsm"


@dataclass(frozen=True, slots=True)
class FsmClaims:
    """What one token says about its person. Keys are those of the mapping files.

    `subject` is Keycloak's id of the user, `session_id` None for a token without a session. `expires_at` is
    an aware datetime in UTC: until then the token is accepted without asking Keycloak. `branch` None: no
    branch; `branches` then is empty. `technician_id` None: the person cannot be assigned work orders (B3).
    `attributes` are those a company has added (A10), by their keys; they say nothing about access.
    """

    subject: str
    profile: str
    features: frozenset[str]
    data_access: str
    branch: str | None
    branches: tuple[str, ...]
    team: str | None
    technician_id: str | None
    session_id: str | None
    expires_at: datetime
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)


def parse(payload: Mapping[str, object]) -> FsmClaims:
    """Read the payload of a token whose signature, issuer, audience and times have been verified.

    Raises NoAccess when the `fsm` claim is missing, malformed, or names anything but one profile and one data
    access level; InvalidToken when `sub` or `exp` is missing.
    """
    subject, expires = payload.get("sub"), payload.get("exp")
    if not isinstance(subject, str) or not subject:
        raise InvalidToken("the token has no subject (sub)")
    if isinstance(expires, bool) or not isinstance(expires, int | float):
        raise InvalidToken("the token has no expiry (exp)")
    claim = payload.get(CLAIM)
    if not isinstance(claim, Mapping):
        raise NoAccess("the token has no fsm claim: this person has no account in the FSM system")
    branch = _at_most_one(claim, "branch")
    branches = _strings(claim, "branches")
    session_id = payload.get("sid")
    return FsmClaims(
        subject=subject,
        profile=_exactly_one(claim, "profile"),
        features=frozenset(_strings(claim, "features")),
        data_access=_exactly_one(claim, "data_access"),
        branch=branch,
        branches=branches or ((branch,) if branch else ()),
        team=_at_most_one(claim, "team"),
        technician_id=_at_most_one(claim, "technician_id"),
        session_id=session_id if isinstance(session_id, str) else None,
        expires_at=_moment(expires),
        attributes=_attributes(claim),
    )


def _exactly_one(claim: Mapping[str, object], name: str) -> str:
    value = _at_most_one(claim, name)
    if value is None:
        raise NoAccess(f"the fsm claim has no {name}; exactly one is needed")
    return value


def _at_most_one(claim: Mapping[str, object], name: str) -> str | None:
    """Keycloak sends a list where somebody is in several groups: one entry is that entry, two are an error."""
    values = [claim[name]] if isinstance(claim.get(name), str) else _strings(claim, name)
    present = [value for value in values if value]
    if len(present) > 1:
        raise NoAccess(f"the fsm claim names {len(present)} values for {name}; exactly one is needed")
    return str(present[0]) if present else None


def _strings(claim: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = claim.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise NoAccess(f"the fsm claim is malformed: {name} is not a list of strings")
    return tuple(entry for entry in value if entry)


def _attributes(claim: Mapping[str, object]) -> dict[str, str]:
    """Those that have a value."""
    found = claim.get("attributes") or {}
    if not isinstance(found, Mapping):
        raise NoAccess("the fsm claim is malformed: attributes is not an object")
    return {str(name): str(text) for name in found if (text := _at_most_one(found, name))}


def _moment(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise InvalidToken("the token's expiry (exp) is not a time") from None
