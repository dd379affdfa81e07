"""What the realm as code puts into a token is what docs/claims.md promises and the reader reads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sync.claims import NoAccess, parse
from tests.company import company
from tests.realms import ConfiguredRealm

pytestmark = [pytest.mark.keycloak, pytest.mark.supports("A6")]

DOCUMENT = (Path(__file__).parents[2] / "docs" / "claims.md").read_text(encoding="utf-8")
GROUPS = (
    "/fsm/profiles/technician",
    "/fsm/branches/hamburg",
    "/fsm/teams/hamburg-klima",
    "/fsm/data-access/personal",
    "/fsm/field-technicians",
)


def token_of(realm: ConfiguredRealm, user_id: str) -> dict[str, Any]:
    """The payload Keycloak would sign for the console, without a login
    (fact: tokens-can-be-shown-without-a-login)."""
    client = realm.get("clients", clientId="fsm-console")[0]["id"]
    path = f"clients/{client}/evaluate-scopes/generate-example-access-token"
    payload: dict[str, Any] = realm.get(path, scope="openid", userId=user_id)
    return payload


def shapes(claim: dict[str, Any]) -> dict[str, str]:
    return {
        name: f"list of {type(value[0])}" if isinstance(value, list) else str(type(value))
        for name, value in claim.items()
    }


@pytest.mark.supports("A10")
def test_the_token_is_the_one_of_the_document(configured_realm: ConfiguredRealm, tmp_path: Path) -> None:
    """The same fields of the same types, and the reader finds everything in it."""
    configured_realm.apply(company(tmp_path))
    attributes = {"technician_id": ["T-0042"], "cost_centre": ["4711"]}
    user_id = configured_realm.create_user(*GROUPS, attributes=attributes)
    payload = token_of(configured_realm, user_id)
    example = re.search(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    assert example
    assert shapes(payload["fsm"]) == shapes(json.loads(example[1])["fsm"])
    claims = parse(payload)
    assert (claims.subject, claims.profile, claims.data_access) == (user_id, "technician", "personal")
    assert (claims.branch, claims.branches, claims.team) == ("hamburg", ("hamburg",), "hamburg-klima")
    assert claims.attributes == {"cost_centre": "4711"}
    assert (claims.technician_id, claims.features) == ("T-0042", {"assigned-work", "mobile-app"})


@pytest.mark.supports("A4")
@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        ((*GROUPS, "/fsm/profiles/read-only"), "2 values for profile"),
        ((*GROUPS, "/fsm/data-access/global"), "2 values for data_access"),
        ((*GROUPS, "/fsm/branches/berlin"), "2 values for branch"),
        (GROUPS[1:], "no profile"),
        ((), "no fsm claim|no profile"),
    ],
)
def test_a_token_of_wrong_groups_is_no_access(
    configured_realm: ConfiguredRealm, groups: tuple[str, ...], reason: str
) -> None:
    """Somebody put into a second group, or taken out of one, in Keycloak's own console."""
    payload = token_of(configured_realm, configured_realm.create_user(*groups))
    with pytest.raises(NoAccess, match=reason):
        parse(payload)
