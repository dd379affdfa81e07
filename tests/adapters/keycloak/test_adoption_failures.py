"""A realm whose user profile lost our attributes: nobody is adopted, and nobody is let go."""

from __future__ import annotations

import pytest
import responses

from sync.adapters.keycloak.adoption import KeycloakAdoption
from sync.adapters.keycloak.connection import Connection
from sync.domain.errors import Misconfigured
from sync.domain.provisioning.observed import TECHNICIAN_ID
from tests.adapters.keycloak.conftest import REALM, URL, USER, sent

pytestmark = pytest.mark.supports("G4")


@pytest.fixture
def adoption(keycloak: responses.RequestsMock) -> KeycloakAdoption:
    """Of a realm that shows no mark, and would keep none."""
    keycloak.replace(responses.GET, f"{REALM}/users/profile", json={"attributes": [{"name": TECHNICIAN_ID}]})
    keycloak.replace(responses.GET, USER, json={"id": "u1", "username": "tom", "enabled": True})
    return KeycloakAdoption(Connection(URL, "fsm", "fsm-worker", "secret"))


def test_a_mark_that_would_be_dropped_is_not_put_on(
    keycloak: responses.RequestsMock, adoption: KeycloakAdoption
) -> None:
    """Keycloak would say nothing, and the account name a user that no worker may write to."""
    with pytest.raises(Misconfigured, match="does not declare fsm_account_id"):
        adoption.take("u1", "a1", username="tom", email="")
    assert sent(keycloak, "PUT") == []


def test_a_mark_that_is_not_shown_does_not_count_as_taken_off(adoption: KeycloakAdoption) -> None:
    """It may be there again as soon as the attribute is declared."""
    with pytest.raises(Misconfigured, match="does not declare fsm_account_id"):
        adoption.release("u1", "a1")
