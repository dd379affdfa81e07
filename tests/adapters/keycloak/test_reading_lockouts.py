"""A temporary lockout is no switch, whatever the version of Keycloak shows for it where one user is read."""

from __future__ import annotations

import re

import pytest
import responses

from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.domain.provisioning.observed import ACCOUNT_ID
from tests.adapters.keycloak.conftest import REALM, USER


@pytest.mark.supports("A8", "G4")
@pytest.mark.parametrize("switched_on", [True, False])
def test_the_search_tells_the_switch_of_who_is_locked_for_now(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts, switched_on: bool
) -> None:
    """Both read alike by themselves; only one of them was switched off by somebody."""
    user = {"id": "u1", "username": "tom", "enabled": False, "attributes": {ACCOUNT_ID: ["a1"]}}
    keycloak.replace("GET", USER, json=user)
    keycloak.replace(
        "GET",
        f"{REALM}/attack-detection/brute-force/users/u1",
        json={"disabled": True, "failedLoginNotBefore": 1_900_000_000, "numFailures": 5},
    )
    keycloak.replace("GET", re.compile(rf"{REALM}/users\?.*"), json=[user | {"enabled": switched_on}])
    observed = one_by_one.observe("u1", sessions=False)
    assert observed is not None
    assert (observed.enabled, observed.lock.temporary) == (switched_on, True)
