"""The names of what fsm-identity owns in a realm: groups below `/fsm`, roles beginning `fsm-`.

The realm configuration creates them, the desired state uses them, the guard compares against them; here is
the one place that spells them.
"""

from __future__ import annotations

ROOT = "/fsm"
PROFILES = f"{ROOT}/profiles"
BRANCHES = f"{ROOT}/branches"
TEAMS = f"{ROOT}/teams"
DATA_ACCESS = f"{ROOT}/data-access"
FIELD_TECHNICIANS = f"{ROOT}/field-technicians"
SECOND_FACTOR = f"{ROOT}/second-factor"

ROLE_PREFIX = "fsm-"
FIELD_TECHNICIAN_ROLE = "fsm-field-technician"
SECOND_FACTOR_ROLE = "fsm-2fa-required"

FEATURES_CLIENT = "fsm"
CLAIMS_SCOPE = "fsm"

API_SCOPE = "fsm-api"
API_AUDIENCE = "fsm-identity"
"""A client that has this client scope gets tokens with this audience, which the API asks for: a token that was
made for any other application opens nothing here."""


def profile_group(key: str) -> str:
    return f"{PROFILES}/{key}"


def branch_group(key: str) -> str:
    return f"{BRANCHES}/{key}"


def team_group(key: str) -> str:
    return f"{TEAMS}/{key}"


def data_access_group(key: str) -> str:
    return f"{DATA_ACCESS}/{key}"


def profile_role(key: str) -> str:
    return f"{ROLE_PREFIX}profile-{key}"


def is_profile_group(path: str) -> bool:
    """Every account is in exactly one."""
    return path.startswith(f"{PROFILES}/")


def owns_group(path: str) -> bool:
    """True for `/fsm` and everything below it."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def grants(path: str) -> bool:
    """Whoever is in such a group of ours has something by it; that of the second factor only asks for more."""
    return owns_group(path) and path != SECOND_FACTOR


def owns_role(name: str) -> bool:
    return name.startswith(ROLE_PREFIX)


def owns_spelled_role(spelled: str) -> bool:
    """As plans of the realm spell it: `name` for a role of the realm, `client/name` for one of a client."""
    client, _, name = spelled.rpartition("/")
    return client == FEATURES_CLIENT or (not client and owns_role(name))
