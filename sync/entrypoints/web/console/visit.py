"""One visit of a person: what the session cookie holds between login and logout.

The cookie is signed, not encrypted: it holds only what its owner may read. Browsers drop a cookie of more than
4 kB, so a long ID token is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

LONGEST_ID_TOKEN = 2000
KEY = "visit"


@dataclass(frozen=True, slots=True)
class Visit:
    """Who is here and what the token said. `until` is in seconds since 1970: then Keycloak is asked again.

    `no_access` says why the token gives no access (A4), "" if it does. `id_token` "" was too long to keep;
    Keycloak then asks before it logs out.
    """

    subject: str
    name: str
    username: str
    until: float
    id_token: str
    no_access: str
    profile: str = ""
    features: tuple[str, ...] = ()
    data_access: str = ""
    branch: str = ""
    team: str = ""
    technician_id: str = ""


def keep(session: dict[str, Any], visit: Visit) -> None:
    """Start the visit in a session that holds nothing else, so that nothing of an earlier one remains."""
    session.clear()
    values = asdict(visit)
    if len(visit.id_token) > LONGEST_ID_TOKEN:
        values["id_token"] = ""
    session[KEY] = values


def current(session: Mapping[str, Any], now: float) -> Visit | None:
    """The visit, None when there is none or its time is over. The signature has been checked already."""
    values = session.get(KEY)
    if values is None:
        return None
    visit = Visit(**{**values, "features": tuple(values["features"])})
    return visit if now < visit.until else None
