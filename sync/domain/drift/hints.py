"""Which account an administrator's act in Keycloak may have touched, from the path it went to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Author:
    """Who changed something in Keycloak. `user_id` None: a user of another realm, such as an administrator of
    master. `client_id`: a client of ours, whose secret somebody has. `themself`: the person changed its own
    details."""

    user_id: str | None
    client_id: str | None = None
    themself: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """What people call an author; `program`: it is a client that acts for itself."""

    text: str
    program: bool = False


@dataclass(frozen=True, slots=True)
class AdminEvent:
    """`path` is relative to the realm's admin API, such as `users/{id}/groups/{id}`, or begins with `scim/v2/`."""

    id: str
    at: datetime
    path: str
    author: Author


@dataclass(frozen=True, slots=True)
class Hint:
    """What to look at: these users, and `everything` where an act touches nobody knows whom: a group or a role of
    the realm, an import."""

    users: frozenset[str]
    everything: bool


SCIM = "scim/v2/"
"""Where the realm's own SCIM server notes what it did, whoever asked it (fact: scim-writes-are-admin-events)."""
USER = re.compile(rf"(?:users|attack-detection/brute-force/users|{SCIM}Users)/([^/]+)")
EVERYONE = re.compile(rf"(?:groups|roles|roles-by-id|partialImport|clients/[^/]+/roles|{SCIM}Groups)(?:/|$)")


def hint_of(events: Iterable[AdminEvent]) -> Hint:
    """Clients, flows and settings of the realm are not of accounts: `fsm-identity realm plan` shows those."""
    users: set[str] = set()
    everything = False
    for event in events:
        found = USER.match(event.path)
        if found:
            users.add(found[1])
        elif EVERYONE.match(event.path):
            everything = True
    return Hint(frozenset(users), everything)
