"""The realm's switch "Email as username": Keycloak answers yes to every username and keeps none."""

from __future__ import annotations

import uuid

import pytest

from mappings.policy import Policy
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.creation.importing import ImportingAccounts
from sync.domain.errors import Misconfigured
from sync.domain.provisioning.change import UpdateDetails
from sync.ports.accounts import Created, NewUser
from tests.contract.accounts.conftest import PASSWORD, wanted
from tests.contract.realm_setup import RealmAdmin
from tests.contract.worlds import Seconds

pytestmark = [pytest.mark.keycloak, pytest.mark.supports("A9")]


@pytest.mark.parametrize(
    ("client", "gateway"), [("fsm-worker", KeycloakAccounts), ("fsm-import", ImportingAccounts)]
)
def test_a_realm_that_takes_addresses_for_usernames_is_named(
    realm: RealmAdmin, policy: Policy, client: str, gateway: type[KeycloakAccounts]
) -> None:
    """Neither a new user nor a change of a name is sent before somebody has switched it off."""
    clock = Seconds()
    accounts = gateway(Connection(realm.server.url, realm.name, client, realm.secrets[client]), policy, now=clock)
    desired = wanted(policy, username=f"u{uuid.uuid4().hex[:8]}")
    [made] = accounts.create([NewUser(desired, PASSWORD)]).values()
    assert isinstance(made, Created)
    change = UpdateDetails({"username": desired.username}, {"username": f"{desired.username}x"})
    clock.now += 60
    with realm.with_settings(registrationEmailAsUsername=True):
        with pytest.raises(Misconfigured, match="Email as username"):
            accounts.apply(made.idp_user_id, change)
        with pytest.raises(Misconfigured, match="Email as username"):
            accounts.create([NewUser(wanted(policy, username="another.name"), PASSWORD)])
    accounts.apply(made.idp_user_id, change)
    seen = accounts.observe(made.idp_user_id, sessions=False)
    assert seen is not None
    assert seen.username == f"{desired.username}x"
