"""Answers of Keycloak to an import that no real one gives on demand, played on the wire."""

from __future__ import annotations

import re
import threading
from dataclasses import replace

import pytest
import requests
import responses

from mappings.policy import Policy
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.creation.importing import CHUNK, ImportingAccounts
from sync.adapters.keycloak.failures import Unreachable, Unwell
from sync.domain.errors import Conflict, Misconfigured, NeedsPerson, Transient
from sync.domain.provisioning.change import UpdateDetails
from sync.domain.provisioning.observed import ACCOUNT_ID, TECHNICIAN_ID
from sync.ports.accounts import Created
from sync.ports.lease import kept
from tests.adapters.keycloak.conftest import REALM, URL, importer, new_user, sent


@pytest.mark.supports("H2")
def test_one_users_500_does_not_stop_the_others(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts, policy: Policy
) -> None:
    """500 is Keycloak's answer to a row it cannot digest."""
    keycloak.post(f"{REALM}/users", status=500, json={"error": "unknown_error"})
    keycloak.post(f"{REALM}/users", status=201, headers={"Location": f"{REALM}/users/u2"})
    outcomes = one_by_one.create([new_user(policy, 1), new_user(policy, 2)])
    assert isinstance(outcomes["account-1"], Unwell)
    assert outcomes["account-2"] == Created("u2", existed=False)


@pytest.mark.supports("H1", "H2")
@pytest.mark.parametrize("trouble", [requests.exceptions.ReadTimeout(), 503, 429])
def test_a_keycloak_that_goes_away_is_not_asked_for_each_user(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts, policy: Policy, trouble: Exception | int
) -> None:
    """The users before are created, the others get the failure untried, and nothing is sent twice."""
    keycloak.post(f"{REALM}/users", status=201, headers={"Location": f"{REALM}/users/u1"})
    if isinstance(trouble, int):
        keycloak.post(f"{REALM}/users", status=trouble)
    else:
        keycloak.post(f"{REALM}/users", body=trouble)
    outcomes = one_by_one.create([new_user(policy, number) for number in range(4)])
    assert outcomes["account-0"] == Created("u1", existed=False)
    assert all(isinstance(outcomes[f"account-{number}"], Transient) for number in (1, 2, 3))
    assert len(sent(keycloak, "POST", "users")) == 2


@pytest.mark.supports("H2")
def test_nothing_done_is_a_failure_of_the_whole_call(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts, importing: ImportingAccounts, policy: Policy
) -> None:
    """The port promises to raise then."""
    keycloak.post(f"{REALM}/users", body=requests.exceptions.ConnectionError())
    keycloak.post(f"{REALM}/partialImport", body=requests.exceptions.ConnectionError())
    for accounts in (one_by_one, importing):
        with pytest.raises(Unreachable):
            accounts.create([new_user(policy, 1), new_user(policy, 2)])


def test_a_conflict_whose_holder_is_gone_is_tried_again(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts, policy: Policy
) -> None:
    """Keycloak said 409, but nobody has the name when it is looked up."""
    keycloak.post(f"{REALM}/users", status=409, json={"errorMessage": "User exists with same username"})
    [outcome] = one_by_one.create([new_user(policy, 1)]).values()
    assert isinstance(outcome, Transient)
    assert not isinstance(outcome, Conflict)


@pytest.mark.supports("F5")
def test_a_bad_row_is_found_by_halving(
    keycloak: responses.RequestsMock, importing: ImportingAccounts, policy: Policy
) -> None:
    """Every chunk with the bad row is refused with 500; the 19 others land. Each request asks for the leases."""
    bad = "tom.13@example.com"
    keycloak.add_callback(
        responses.POST, f"{REALM}/partialImport", importer(lambda names: 500 if bad in names else names)
    )
    asked: list[int] = []
    with kept(lambda: asked.append(1)):
        outcomes = importing.create([new_user(policy, number) for number in range(20)])
    refused = [account_id for account_id, outcome in outcomes.items() if not isinstance(outcome, Created)]
    assert refused == ["account-13"]
    assert len(sent(keycloak, "POST", "partialImport")) <= 11
    assert len(asked) == len(keycloak.calls), "the sign-in too"


@pytest.mark.supports("H1")
def test_an_import_that_times_out_is_not_sent_again(
    keycloak: responses.RequestsMock, importing: ImportingAccounts, policy: Policy
) -> None:
    """The first chunk counts, the one that timed out may have landed: the next look tells."""
    chunks: list[str] = []
    first_landed = threading.Event()

    def outcome(names: list[str]) -> object:
        chunks.append(names[0])
        if f"tom.{CHUNK}@example.com" in names:
            first_landed.wait(10)
            raise requests.exceptions.ReadTimeout
        first_landed.set()
        return names

    keycloak.add_callback(responses.POST, f"{REALM}/partialImport", importer(outcome))
    outcomes = importing.create([new_user(policy, number) for number in range(45)])
    assert all(isinstance(outcomes[f"account-{number}"], Created) for number in range(CHUNK))
    assert all(isinstance(outcomes[f"account-{number}"], Unreachable) for number in range(CHUNK, 2 * CHUNK))
    assert len(outcomes) == 45
    assert len(chunks) == len(set(chunks))


@pytest.mark.supports("H1")
def test_a_token_that_runs_out_during_an_import_is_renewed(
    keycloak: responses.RequestsMock, importing: ImportingAccounts, policy: Policy
) -> None:
    """401 was not carried out: the same chunk goes again, once."""
    answers = iter([401])
    keycloak.add_callback(
        responses.POST, f"{REALM}/partialImport", importer(lambda names: next(answers, None) or names)
    )
    [outcome] = importing.create([new_user(policy, 1)]).values()
    assert outcome == Created("account-1", existed=False)


def test_an_import_that_forgets_a_row_is_tried_again(
    keycloak: responses.RequestsMock, importing: ImportingAccounts, policy: Policy
) -> None:
    """No result for a row is not success."""
    keycloak.post(f"{REALM}/partialImport", json={"results": []})
    [outcome] = importing.create([new_user(policy, 1)]).values()
    assert isinstance(outcome, Transient)


def test_two_users_with_one_account_id_are_a_conflict(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts, policy: Policy
) -> None:
    """Somebody copied a user in Keycloak's console: which one is meant, a person says."""
    user = new_user(policy, 1)
    ours = {ACCOUNT_ID: [user.desired.account_id]}
    keycloak.replace(
        responses.GET,
        re.compile(rf"{REALM}/users\?.*"),
        json=[{"id": f"u{n}", "username": f"tom{n}", "attributes": ours} for n in (1, 2)],
    )
    outcome = one_by_one.create([user])["account-1"]
    assert isinstance(outcome, Conflict)
    assert "'tom1' (u1) and 'tom2' (u2)" in str(outcome)


def test_an_id_that_somebody_else_has_is_named(
    keycloak: responses.RequestsMock, importing: ImportingAccounts, policy: Policy
) -> None:
    """Neither the username nor the e-mail address is taken, and the message says what is."""
    keycloak.post(f"{REALM}/partialImport", status=409, json={"errorMessage": "Duplicate resource error"})
    keycloak.get(f"{REALM}/users/account-1", json={"id": "account-1", "username": "stranger"})
    outcome = importing.create([new_user(policy, 1)])["account-1"]
    assert str(outcome) == "the id is taken by Keycloak user 'stranger' (account-1), which is not ours"


@pytest.mark.supports("G4")
def test_a_user_profile_that_loses_our_attributes_is_noticed(
    keycloak: responses.RequestsMock, policy: Policy
) -> None:
    """A worker runs for weeks; Keycloak would drop the account id with the next change of a name."""
    now = [0.0]
    accounts = KeycloakAccounts(Connection(URL, "fsm", "fsm-worker", "secret"), policy, now=lambda: now[0])
    renamed = UpdateDetails({"family_name": "Nowak"}, {"family_name": "Novak"})
    accounts.apply("u1", renamed)
    keycloak.replace(responses.GET, f"{REALM}/users/profile", json={"attributes": []})
    now[0] += 11
    with pytest.raises(Misconfigured, match="does not declare fsm_account_id, technician_id"):
        accounts.apply("u1", renamed)
    assert sent(keycloak, "PUT") == ["users/u1"]


def test_a_realm_without_our_attributes_creates_nobody(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts, importing: ImportingAccounts, policy: Policy
) -> None:
    """Keycloak would drop the account id silently, and the user would be nobody's."""
    keycloak.replace(responses.GET, f"{REALM}/users/profile", json={"attributes": [{"name": TECHNICIAN_ID}]})
    for accounts in (one_by_one, importing):
        with pytest.raises(Misconfigured, match=ACCOUNT_ID):
            accounts.create([new_user(policy, 1)])
    assert sent(keycloak, "POST") == []


@pytest.mark.supports("E6")
def test_a_password_is_neither_told_nor_sent_in_the_open(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts, policy: Policy
) -> None:
    """Only its hash travels; a short one, which would need a slow hash, is refused."""
    secret = "abcd-efgh-jkmn-pqrs-tuvw-xyz2"
    keycloak.post(f"{REALM}/users", status=400, json={"errorMessage": "no"})
    user = replace(new_user(policy, 1), temporary_password=secret)
    short = replace(new_user(policy, 2), temporary_password="short-secret")
    outcomes = one_by_one.create([user, short])
    assert isinstance(outcomes["account-1"], NeedsPerson)
    bodies = [call.request.body or "" for call in keycloak.calls]
    assert not any(secret in str(body) or "short-secret" in str(body) for body in bodies)
    assert not any(secret in f"{text!r}{text}" for text in (user, *outcomes.values()))
    assert "short-secret" not in str(outcomes["account-2"])
    assert len(sent(keycloak, "POST", "users")) == 1


@pytest.mark.supports("H2")
def test_an_import_that_answers_with_another_id_is_a_conflict(
    keycloak: responses.RequestsMock, importing: ImportingAccounts, policy: Policy
) -> None:
    """We choose the id; a user under another one is not taken for ours because it was made just now."""
    user = new_user(policy, 1)
    added = {"action": "ADDED", "resourceName": user.desired.username, "id": "another"}
    keycloak.post(f"{REALM}/partialImport", json={"results": [added]})
    outcome = importing.create([user])[user.desired.account_id]
    assert isinstance(outcome, Conflict)
    assert "another" in str(outcome)
