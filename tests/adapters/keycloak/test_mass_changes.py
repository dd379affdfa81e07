"""What a mass change asks of Keycloak: counted, so that a request too many is noticed."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import requests

from mappings import load
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.creation.importing import ImportingAccounts
from sync.domain.provisioning.desired import desired_state
from sync.domain.provisioning.plan import diff
from sync.ports.accounts import NewUser
from tests.people import an_account
from tests.realms import ConfiguredRealm

PEOPLE = 20
POLICY = load()


class Counting(Connection):
    """Counts its requests by method."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.sent: Counter[str] = Counter()
        self._adding = threading.Lock()

    def _answer(self, method: str, *given: Any, **named: Any) -> requests.Response:
        with self._adding:
            self.sent[method] += 1
        return super()._answer(method, *given, **named)


@pytest.mark.supports("F4")
@pytest.mark.keycloak
def test_a_moved_account_costs_little_more_than_four_requests(configured_realm: ConfiguredRealm) -> None:
    """Twenty people move to another branch: two reads and two writes each, and for all of them together a request
    for the users and some for the groups. One by one each cost five reads and two writes."""
    secret = configured_realm.secrets["fsm-import"]
    connection = Counting(configured_realm.url, configured_realm.realm, "fsm-import", secret)
    accounts: KeycloakAccounts = ImportingAccounts(connection, POLICY)
    people = [an_account(f"pat{number}-{uuid.uuid4().hex[:8]}@example.com") for number in range(PEOPLE)]
    accounts.create([NewUser(desired_state(each, POLICY)) for each in people])
    moved = {each.id: desired_state(replace(each, branch="berlin"), POLICY) for each in people}
    warm = accounts.observe_many([people[0].id])[people[0].id]
    assert warm is not None
    accounts.extra_roles(moved[people[0].id].groups)
    connection.sent.clear()
    seen = accounts.observe_many([each.id for each in people])
    assert connection.sent == {"GET": 2 * PEOPLE + 1}
    for account_id, wanted in moved.items():
        observed = seen[account_id]
        assert observed is not None
        for change in diff(wanted, observed).changes:
            accounts.apply(observed.idp_user_id, change)
    assert connection.sent == {"GET": 2 * PEOPLE + 1, "PUT": PEOPLE, "DELETE": PEOPLE}
    after = accounts.observe_many([each.id for each in people])
    assert not any(diff(moved[each.id], found).changes for each in people if (found := after[each.id]))
