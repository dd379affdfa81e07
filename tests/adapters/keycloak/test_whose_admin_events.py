"""Which admin events are ours, and so no hint."""

from __future__ import annotations

import re

import pytest
import responses

from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.events import KeycloakAdminEvents
from tests.adapters.keycloak.conftest import REALM, URL

pytestmark = pytest.mark.supports("G4", "J6")


def event(id_: str, path: str, client: str) -> dict[str, object]:
    return {"id": id_, "time": 1, "resourcePath": path, "authDetails": {"clientId": client}}


def test_what_came_through_keycloaks_scim_server_is_not_ours_whoever_asked(
    keycloak: responses.RequestsMock,
) -> None:
    """The secret of a client of ours opens it too, and we never use it."""
    keycloak.get(re.compile(rf"{REALM}/clients\?clientId=fsm-.*"), json=[{"id": "worker"}])
    keycloak.get(
        re.compile(rf"{REALM}/admin-events.*"),
        json=[
            event("ours", "users/u1", "worker"),
            event("theirs", "users/u2", "console"),
            event("with our secret", "scim/v2/Users/u3", "worker"),
        ],
    )
    found = list(KeycloakAdminEvents(Connection(URL, "fsm", "fsm-worker", "secret")).since(None))
    assert [[each.id for each in page] for page in found] == [["theirs", "with our secret"]]
