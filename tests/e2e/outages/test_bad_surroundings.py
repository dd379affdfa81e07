"""Whatever is wrong around us ends in the right class of error, is told once with its remedy, holds up nothing
else, and is made good by itself or by one act of a person. With the real Keycloak, and no Celery."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.creation.importing import ImportingAccounts
from sync.commands.accounts.change import change, create
from sync.commands.accounts.initial_password import InitialPassword, generate
from sync.commands.operations.quarantine import retry
from sync.commands.perform import perform
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange, NewAccount
from sync.domain.errors import Difference
from sync.domain.work.circuit import LONGEST_PAUSE, CircuitName
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.realm import watch_realm
from sync.jobs.schedule.run_jobs import run_due_job
from sync.jobs.systems import Systems
from sync.jobs.work.job import Job
from sync.store.operations.troubles import Trouble
from sync.store.work import circuits
from sync.views.operations.problems import problems
from sync.views.operations.quarantine import list_quarantine
from tests.e2e.place import BY, Place

pytestmark = pytest.mark.keycloak

GATEWAYS = {
    Lane.INTERACTIVE: ("fsm-worker", "FSM_KEYCLOAK__WORKER_SECRET", KeycloakAccounts),
    Lane.BULK: ("fsm-import", "FSM_KEYCLOAK__IMPORT_SECRET", ImportingAccounts),
}


def gateway(place: Place, lane: Lane, url: str | None = None) -> KeycloakAccounts:
    """As a process that starts now has it: no token and nothing remembered."""
    client, setting, kind = GATEWAYS[lane]
    realm = place.realm
    secret = realm.secrets[client]
    return kind(
        Connection(url or realm.url, realm.realm, client, secret, credential=setting), place.systems.policy
    )


def fresh(place: Place, url: str | None = None) -> Systems:
    return replace(
        place.systems,
        accounts=gateway(place, Lane.INTERACTIVE, url),
        bulk_accounts=gateway(place, Lane.BULK, url),
    )


def newcomer(place: Place, lane: Lane = Lane.INTERACTIVE, profile: str = "dispatcher") -> Account:
    """Stored and not in Keycloak yet."""
    name = f"n{secrets.token_hex(4)}"
    new = NewAccount(
        email=f"{name}@example.com", given_name="Kim", family_name=name.title(), profile=profile, branch="hamburg"
    )
    password = InitialPassword(generate(), "shown")
    now = place.clock.now()
    return place.do(lambda tx: create(tx, place.systems.policy, new, BY, now, password=password, lane=lane))


def work(place: Place, systems: Systems, lane: Lane = Lane.INTERACTIVE) -> None:
    """What woken workers do for a while: drain, wait a little, drain again."""
    for _ in range(4):
        while provision_some(systems, lane):
            pass
        place.pass_time(5)


def told(place: Place) -> tuple[Trouble, ...]:
    return place.read(lambda tx: problems(tx, Scope.all(), place.clock.now()))


def is_there(place: Place, account: Account) -> bool:
    return bool(place.realm.get("users", username=account.username, exact=True))


def closed(place: Place, name: CircuitName) -> bool:
    return place.read(lambda tx: circuits.get(tx, name)).closed


@pytest.mark.supports("H2", "H3")
@pytest.mark.parametrize("lane", list(GATEWAYS))
def test_a_secret_that_was_renewed_in_keycloak(place: Place, lane: Lane) -> None:
    """The lane of its client waits, burns nothing and names the setting; the other lane goes on; with the right
    secret everybody is there."""
    client_id, setting, _ = GATEWAYS[lane]
    other = next(each for each in GATEWAYS if each is not lane)
    [client] = place.realm.get("clients", clientId=client_id)
    at = f"clients/{client['id']}"
    before = place.realm.get(at)
    place.realm.send("POST", f"{at}/client-secret")
    systems = fresh(place)
    waiting = [newcomer(place, lane) for _ in range(30)]
    going = newcomer(place, other)
    work(place, systems, lane)
    work(place, systems, other)
    assert is_there(place, going)
    [trouble] = told(place)
    assert setting in trouble.what
    assert client_id in trouble.what
    assert "mend what the message names" in trouble.remedy
    assert {place.state(each).attempts for each in waiting} == {0}
    place.realm.send("PUT", at, before)
    place.pass_time(LONGEST_PAUSE.total_seconds())
    work(place, systems, lane)
    assert all(is_there(place, each) for each in waiting)
    assert told(place) == ()


@pytest.mark.supports("H2", "H3")
def test_a_realm_that_vanished(place: Place) -> None:
    """It is told by its name, and everything goes on when it is back."""
    realm = place.realm
    account = newcomer(place)
    away = f"{realm.realm}-away"
    session = realm.server.session()
    answer = session.put(f"{realm.url}/admin/realms/{realm.realm}", json={"realm": away}, timeout=60)
    assert answer.ok, answer.text
    systems = fresh(place)
    try:
        work(place, systems)
        [trouble] = told(place)
        assert f"no realm {realm.realm!r}" in trouble.what
        assert place.state(account).attempts == 0
        assert place.state(account).quarantine is None
    finally:
        back = realm.server.session().put(
            f"{realm.url}/admin/realms/{away}", json={"realm": realm.realm}, timeout=60
        )
        assert back.ok, back.text
    place.pass_time(LONGEST_PAUSE.total_seconds())
    work(place, systems)
    assert is_there(place, account)
    assert told(place) == ()


@pytest.mark.supports("H2", "H3")
@pytest.mark.parametrize("removed", [False, True], ids=["renamed", "removed"])
def test_a_group_of_ours_that_is_not_there(place: Place, removed: bool) -> None:
    """Its accounts wait and name it and the command; others are not held up; after the command all are as
    wanted."""
    path = "/fsm/profiles/read-only"
    at = f"groups/{place.realm.get(f'group-by-path{path}')['id']}"
    if removed:
        place.realm.send("DELETE", at)
    else:
        place.realm.send("PUT", at, {"name": "somebody-knew-better"})
    systems = fresh(place)
    waiting, going = newcomer(place, profile="read-only"), newcomer(place)
    work(place, systems)
    assert is_there(place, going)
    assert not is_there(place, waiting)
    [trouble] = told(place)
    assert path in trouble.what
    assert "realm apply" in trouble.what
    assert "1 account waits" in trouble.what
    place.realm.apply()
    place.pass_time(600)
    work(place, fresh(place))
    user = place.user(place.account(waiting))
    assert path in user.groups
    assert told(place) == ()


def look_at_realm(place: Place) -> None:
    """The job of the workers, with the rights of their client."""
    systems = replace(place.systems, realm=place.realm.gateway("fsm-worker"))
    registry = {"realm": Job(watch_realm, timedelta(minutes=5))}
    place.pass_time(600)
    assert run_due_job(systems, registry) == 1


@pytest.mark.supports("C6", "H2", "H3")
@pytest.mark.parametrize("renamed", [False, True], ids=["removed", "renamed"])
def test_a_role_of_ours_that_is_not_there(place: Place, renamed: bool) -> None:
    """No account fails for it, so the workers look themselves; the command that puts it back is told."""
    look_at_realm(place)
    assert told(place) == ()
    at = "roles/fsm-profile-dispatcher"
    if renamed:
        place.realm.send("PUT", at, {"name": "fsm-profile-somebody-knew-better"})
    else:
        place.realm.send("DELETE", at)
    look_at_realm(place)
    [trouble] = told(place)
    assert "fsm-profile-dispatcher is missing" in trouble.what
    assert "realm apply" in trouble.remedy
    going = newcomer(place, profile="read-only")
    work(place, fresh(place))
    assert is_there(place, going)
    place.realm.apply()
    look_at_realm(place)
    assert told(place) == ()


@pytest.mark.supports("C6", "H2", "H3")
def test_a_condition_whose_role_is_gone_is_told(place: Place) -> None:
    """Keycloak would ask nobody for the second factor any more, and say nothing."""
    place.realm.send("DELETE", "roles/fsm-2fa-required")
    look_at_realm(place)
    [trouble] = told(place)
    assert "fsm-2fa-required" in trouble.what
    place.realm.apply()
    look_at_realm(place)
    assert told(place) == ()


@pytest.mark.supports("H2", "H3")
def test_a_user_of_ours_that_was_deleted_there(place: Place) -> None:
    """It is not made anew behind anybody's back; the account says what is missing, the next one goes on."""
    systems = fresh(place)
    account, _ = place.join(None)
    place.realm.send("DELETE", f"users/{account.idp_user_id}")
    rename = AccountChange(given_name="Joanna")
    place.do(lambda tx: change(tx, systems.policy, account.id, rename, BY, place.clock.now()))
    going = newcomer(place)
    work(place, fresh(place))
    assert is_there(place, going)
    assert not is_there(place, account)
    state = place.state(account)
    assert Difference("user", account.username, "nothing") in state.differences
    [trouble] = told(place)
    assert "deleted" in trouble.what
    assert "in quarantine (needs-person)" in trouble.what
    place.realm.create_user(username=account.username)
    holder = place.realm.get("users", username=account.username, exact=True)[0]["id"]
    place.realm.send("DELETE", f"users/{holder}")
    _forget(place, account)


@pytest.mark.supports("H2", "H3")
@pytest.mark.parametrize("lane", list(GATEWAYS))
def test_a_user_there_with_the_wanted_username(place: Place, lane: Lane) -> None:
    """Nobody's user is taken over; once it is gone, or renamed, a person tries the account again."""
    systems = fresh(place)
    wanted, going = newcomer(place, lane), newcomer(place, lane)
    stranger = place.realm.create_user(username=wanted.username, firstName="Else")
    work(place, systems, lane)
    assert is_there(place, going)
    assert place.realm.get(f"users/{stranger}")["firstName"] == "Else"
    [group] = place.read(lambda tx: list_quarantine(tx, Scope.all()))
    assert (group.kind, group.count) == ("conflict", 1)
    assert stranger in group.accounts[0].reason
    [trouble] = told(place)
    assert "rename or adopt" in trouble.remedy
    place.realm.send("DELETE", f"users/{stranger}")
    assert perform(systems, lambda tx: retry(tx, None, BY, place.clock.now(), kind="conflict"), wakes=lane) == 1
    work(place, systems)
    assert is_there(place, wanted)
    assert told(place) == ()


PAGE = b"<html><body>Welcome to the hotel's network. <a href='/login'>Log in</a></body></html>"


class _Hotel(BaseHTTPRequestHandler):
    """Something between us and Keycloak that answers everything itself."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""


@contextmanager
def hotel() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hotel)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.mark.supports("H2", "H3")
def test_an_answer_that_is_not_json(place: Place) -> None:
    """A page that something in between answers is told as such; nobody is taken for created or absent."""
    account = newcomer(place)
    with hotel() as url:
        work(place, fresh(place, url))
        [trouble] = told(place)
        assert "not Keycloak's JSON" in trouble.what
        assert "FSM_KEYCLOAK__URL" in trouble.what
        assert not closed(place, CircuitName.KEYCLOAK)
    place.pass_time(LONGEST_PAUSE.total_seconds())
    work(place, fresh(place))
    assert is_there(place, account)
    assert told(place) == ()


def _forget(place: Place, account: Account) -> None:
    """Leave no account in quarantine behind for the next test."""
    with place.systems.db.write() as tx:
        tx.connection.exec_driver_sql(
            f"UPDATE provisioning SET due_at = NULL, quarantine_kind = NULL WHERE account_id = '{account.id}'"
        )
