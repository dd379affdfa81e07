"""What the contract suites share beside the fakes: one realm for all that leave it as they found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mappings import load
from tests.contract.realm_setup import RealmAdmin, make_realm
from tests.realms import a_realms_name
from tests.services import KeycloakServer


@pytest.fixture(scope="session")
def realm(keycloak_server: KeycloakServer) -> Iterator[RealmAdmin]:
    """A real realm with our groups, roles and service clients, by the mapping files that ship."""
    with a_realms_name(keycloak_server) as name:
        yield make_realm(keycloak_server, name, load(None))
