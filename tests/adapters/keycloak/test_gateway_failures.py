"""Keycloak's failures in the middle of the gateway's work, and how many requests the work takes."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import responses

from mappings import load
from mappings.policy import Policy
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.failures import Unreachable, Unwell
from sync.adapters.keycloak.importing import CHUNK, ImportingAccounts
from sync.domain import vocabulary
from sync.domain.account import Account, Life
from sync.domain.change import Disable, EndSessions, JoinGroup, UpdateDetails
from sync.domain.desired import desired_state
from sync.domain.errors import Conflict, Misconfigured, NeedsPerson, Transient
from sync.domain.observed import ACCOUNT_ID, TECHNICIAN_ID
from sync.ports.accounts import Created, NewUser

URL = "https://keycloak.example.com"
REALM = f"{URL}/admin/realms/fsm"
USER = f"{REALM}/users/u1"
LOCKED = {"enabled": False, "attributes": {ACCOUNT_ID: ["a1"], "disabledReason": ["permanentLockout"]}}
NOT_FOUND = {"error": "User not found"}


@pytest.fixture(scope="module")
def policy() -> Policy:
    """The mapping files that ship."""
    return load(None)


@pytest.fixture
def keycloak() -> Iterator[responses.RequestsMock]:
    """A Keycloak with every group of ours and one user; a test says what goes wrong by saying it later."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(
            f"{URL}/realms/fsm/protocol/openid-connect/token", json={"access_token": "token", "expires_in": 300}
        )
        mock.get(
            f"{REALM}/users/profile",
            json={"attributes": [{"name": name} for name in (ACCOUNT_ID, TECHNICIAN_ID)]},
        )
        mock.get(REALM, json={"realm": "fsm", "defaultRole": {"name": "default-roles-fsm"}})
        mock.get(re.compile(rf"{REALM}/group-by-path/.*"), json={"id": "g1"})
        mock.get(re.compile(rf"{REALM}/clients\?clientId=realm-management"), json=[{"id": "rm"}])
        mock.get(USER, json={"id": "u1", "username": "tom", "enabled": True, "attributes": {ACCOUNT_ID: ["a1"]}})
        mock.get(re.compile(rf"{USER}/(groups|role-mappings|sessions|consents).*"), json=[])
        mock.get(f"{REALM}/attack-detection/brute-force/users/u1", json={"disabled": False})
        mock.get(re.compile(rf"{REALM}/users\?.*"), json=[])
        mock.put(USER, status=204)
        yield mock


@pytest.fixture
def one_by_one(policy: Policy) -> KeycloakAccounts:
    """The worker's gateway."""
    return KeycloakAccounts(Connection(URL, "fsm", "fsm-worker", "secret"), policy)


@pytest.fixture
def importing(policy: Policy) -> ImportingAccounts:
    """The bulk gateway."""
    return ImportingAccounts(Connection(URL, "fsm", "fsm-import", "secret"), policy)


def new_user(policy: Policy, number: int) -> NewUser:
    email = f"tom.{number}@example.com"
    account = Account(
        id=f"account-{number}",
        username=email,
        email=email,
        given_name="Tom",
        family_name="Nowak",
        profile="technician",
        branch="hamburg",
        team=None,
        data_access=None,
        technician_id=None,
        employee_number=None,
        life=Life.ACTIVE,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return NewUser(desired_state(account, policy))


def sent(keycloak: responses.RequestsMock, method: str, path: str = "") -> list[str]:
    wanted = (call.request for call in keycloak.calls if call.request.method == method)
    urls = [str(request.url).removeprefix(f"{REALM}/") for request in wanted]
    return [url for url in urls if url.startswith(path) and "openid-connect" not in url]


def importer(
    outcome: Callable[[list[str]], Any],
) -> Callable[[requests.PreparedRequest], tuple[int, dict[str, str], str]]:
    """partialImport: `outcome` takes the usernames of the chunk and answers ids, a status, or raises."""

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        users = json.loads(request.body or "")["users"]
        result = outcome([user["username"] for user in users])
        if isinstance(result, int):
            return result, {}, json.dumps({"error": "unknown_error"})
        added = [{"action": "ADDED", "resourceName": user["username"], "id": user["id"]} for user in users]
        return 200, {}, json.dumps({"results": added})

    return answer


@pytest.mark.req("H4")
@pytest.mark.parametrize(("sessions", "requests_needed"), [(False, 5), (True, 7)])
def test_a_look_takes_few_requests(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts, sessions: bool, requests_needed: int
) -> None:
    """User, groups, roles, lockout, realm-management; and sessions, consents. The client's id is read once."""
    one_by_one.observe("u1", sessions=sessions)
    before = len(sent(keycloak, "GET"))
    one_by_one.observe("u1", sessions=sessions)
    assert len(sent(keycloak, "GET")) - before == requests_needed


def test_a_change_right_after_a_look_takes_no_second_look(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts
) -> None:
    """Joining three known groups is three requests; the guard does not read the user again."""
    keycloak.put(re.compile(rf"{USER}/groups/.*"), status=204)
    one_by_one.observe("u1", sessions=False)
    for _ in range(2):
        before = len(keycloak.calls)
        for branch in ("hamburg", "berlin", "leipzig"):
            one_by_one.apply("u1", JoinGroup(vocabulary.branch_group(branch)))
    assert len(keycloak.calls) - before == 3


def test_a_change_without_a_look_looks_first(keycloak: responses.RequestsMock, policy: Policy) -> None:
    """Seconds after its last look, the gateway reads again whose user it is."""
    now = [0.0]
    accounts = KeycloakAccounts(Connection(URL, "fsm", "fsm-worker", "secret"), policy, now=lambda: now[0])
    accounts.observe("u1", sessions=False)
    now[0] += 11
    keycloak.replace(responses.GET, USER, json={"id": "u1", "username": "tom", "enabled": True})
    with pytest.raises(Exception, match="no account id of ours"):
        accounts.apply("u1", Disable())
    assert sent(keycloak, "PUT") == []


def test_a_group_is_looked_at_once_for_many_accounts(
    keycloak: responses.RequestsMock, importing: ImportingAccounts, policy: Policy
) -> None:
    """A drain of hundreds reads the roles of its groups once, not once an account."""
    keycloak.get(f"{REALM}/groups/g1/role-mappings", json={})
    keycloak.add_callback(responses.POST, f"{REALM}/partialImport", importer(lambda names: names))
    users = [new_user(policy, number) for number in range(100)]
    for user in users:
        importing.extra_roles(user.desired.groups)
    outcomes = importing.create(users)
    assert all(isinstance(outcome, Created) for outcome in outcomes.values())
    counted = Counter(sent(keycloak, "GET"))
    assert {url: count for url, count in counted.items() if count > 1} == {"groups/g1/role-mappings": 7}
    assert len(sent(keycloak, "POST", "partialImport")) == 100 / CHUNK


@pytest.mark.req("A8", "D6")
def test_a_lockout_that_is_none_is_not_believed(keycloak: responses.RequestsMock, policy: Policy) -> None:
    """While a login ends Keycloak shows the user as locked for good for some milliseconds (measured)."""
    ours = {"id": "u1", "username": "tom", "enabled": True, "attributes": {ACCOUNT_ID: ["a1"]}}
    keycloak.remove(responses.GET, USER)
    for shown in (ours | LOCKED, ours | LOCKED, ours):
        keycloak.get(USER, json=shown)
    pauses: list[float] = []
    accounts = KeycloakAccounts(Connection(URL, "fsm", "fsm-worker", "secret"), policy, pause=pauses.append)
    observed = accounts.observe("u1", sessions=False)
    assert observed is not None
    assert observed.enabled
    assert not observed.lock.permanent
    assert len(pauses) == 2


@pytest.mark.req("A8")
def test_a_lockout_whose_record_was_cleared_is_believed_in_the_end(
    keycloak: responses.RequestsMock, policy: Policy
) -> None:
    """Clearing the failures does not lift a permanent lockout (FACTS)."""
    keycloak.replace(responses.GET, USER, json={"id": "u1", "username": "tom"} | LOCKED)
    pauses: list[float] = []
    accounts = KeycloakAccounts(Connection(URL, "fsm", "fsm-worker", "secret"), policy, pause=pauses.append)
    observed = accounts.observe("u1", sessions=False)
    assert observed is not None
    assert observed.lock.permanent
    assert 0 < sum(pauses) < 1


@pytest.mark.req("D6")
def test_a_deactivation_that_did_nothing_is_noticed(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts
) -> None:
    """Keycloak answered 204 and still shows the user as enabled."""
    with pytest.raises(Transient, match="still enabled"):
        one_by_one.apply("u1", Disable())


@pytest.mark.req("D6")
def test_sessions_that_do_not_end_are_noticed(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts
) -> None:
    """Keycloak answered 204 and a session is still there."""
    keycloak.post(f"{USER}/logout", status=204)
    keycloak.get(f"{USER}/sessions", json=[{"id": "s1"}])
    keycloak.remove(responses.GET, re.compile(rf"{USER}/(groups|role-mappings|sessions|consents).*"))
    keycloak.get(re.compile(rf"{USER}/(groups|role-mappings|consents).*"), json=[])
    with pytest.raises(Transient, match="1 sessions"):
        one_by_one.apply("u1", EndSessions("test"))


@pytest.mark.req("D6")
def test_a_consent_that_is_gone_already_is_no_failure(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts
) -> None:
    """Two workers, or a token that ran out in between."""
    keycloak.post(f"{USER}/logout", status=204)
    keycloak.remove(responses.GET, re.compile(rf"{USER}/(groups|role-mappings|sessions|consents).*"))
    keycloak.get(re.compile(rf"{USER}/(groups|role-mappings|sessions).*"), json=[])
    keycloak.get(f"{USER}/consents", json=[{"clientId": "app", "additionalGrants": [{"key": "Offline Token"}]}])
    keycloak.get(f"{USER}/consents", json=[])
    keycloak.delete(f"{USER}/consents/app", status=404, json={"error": "Consent nor offline token not found"})
    one_by_one.apply("u1", EndSessions("test"))
    assert sent(keycloak, "DELETE") == ["users/u1/consents/app"]


def test_a_user_that_vanishes_during_a_look_is_absent(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts
) -> None:
    """Found at the first request, gone at the second, and gone when asked again."""
    keycloak.remove(responses.GET, re.compile(rf"{USER}/(groups|role-mappings|sessions|consents).*"))
    keycloak.get(re.compile(rf"{USER}/.*"), status=404, json=NOT_FOUND)
    keycloak.get(USER, status=404, json=NOT_FOUND)
    assert one_by_one.observe("u1", sessions=False) is None


def test_a_realm_made_anew_is_noticed_at_the_next_look(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts
) -> None:
    """Its client realm-management has another id: one look fails, the next one knows."""
    one_by_one.observe("u1", sessions=False)
    keycloak.replace(
        responses.GET, re.compile(rf"{REALM}/clients\?clientId=realm-management"), json=[{"id": "rm2"}]
    )
    keycloak.remove(responses.GET, re.compile(rf"{USER}/(groups|role-mappings|sessions|consents).*"))
    keycloak.get(re.compile(rf"{USER}/(groups|role-mappings/realm|role-mappings/clients/rm2).*"), json=[])
    keycloak.get(
        re.compile(rf"{USER}/role-mappings/clients/rm/.*"), status=404, json={"error": "Client not found"}
    )
    with pytest.raises(NeedsPerson):
        one_by_one.observe("u1", sessions=False)
    assert one_by_one.observe("u1", sessions=False) is not None


@pytest.mark.req("H2")
@pytest.mark.parametrize(
    "at", ["groups", "role-mappings/realm", "role-mappings/clients/rm/composite", "sessions", "consents"]
)
def test_a_look_that_fails_in_the_middle_is_a_failure(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts, at: str
) -> None:
    """Half a look is never taken for a user without groups or sessions."""
    rest = [each for each in ("groups", "role-mappings", "sessions", "consents") if not at.startswith(each)]
    keycloak.remove(responses.GET, re.compile(rf"{USER}/(groups|role-mappings|sessions|consents).*"))
    keycloak.get(re.compile(rf"{USER}/{at}(\?.*)?$"), body=requests.exceptions.ReadTimeout())
    keycloak.get(re.compile(rf"{USER}/({'|'.join(rest)}|role-mappings).*"), json=[])
    with pytest.raises(Unreachable):
        one_by_one.observe("u1", sessions=True)


@pytest.mark.req("H2")
def test_one_users_500_does_not_stop_the_others(
    keycloak: responses.RequestsMock, one_by_one: KeycloakAccounts, policy: Policy
) -> None:
    """500 is Keycloak's answer to a row it cannot digest."""
    keycloak.post(f"{REALM}/users", status=500, json={"error": "unknown_error"})
    keycloak.post(f"{REALM}/users", status=201, headers={"Location": f"{REALM}/users/u2"})
    outcomes = one_by_one.create([new_user(policy, 1), new_user(policy, 2)])
    assert isinstance(outcomes["account-1"], Unwell)
    assert outcomes["account-2"] == Created("u2", existed=False)


@pytest.mark.req("H1", "H2")
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


@pytest.mark.req("H2")
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


@pytest.mark.req("F5")
def test_a_bad_row_is_found_by_halving(
    keycloak: responses.RequestsMock, importing: ImportingAccounts, policy: Policy
) -> None:
    """Every chunk with the bad row is refused with 500; the 19 others land."""
    bad = "tom.13@example.com"
    keycloak.add_callback(
        responses.POST, f"{REALM}/partialImport", importer(lambda names: 500 if bad in names else names)
    )
    outcomes = importing.create([new_user(policy, number) for number in range(20)])
    refused = [account_id for account_id, outcome in outcomes.items() if not isinstance(outcome, Created)]
    assert refused == ["account-13"]
    assert len(sent(keycloak, "POST", "partialImport")) <= 11


@pytest.mark.req("H1")
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


@pytest.mark.req("H1")
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


@pytest.mark.req("G4")
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


@pytest.mark.req("E6")
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


@pytest.mark.req("H2")
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
