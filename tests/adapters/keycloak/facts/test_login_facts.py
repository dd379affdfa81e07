"""What we take for granted of Keycloak's passwords, sessions and login flows, kept true against the real one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from examples.browser import CALLBACK, Browser, payload
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.creation.password_hash import temporary_credential
from sync.adapters.keycloak.realm.flows import Flows
from sync.domain.access import vocabulary
from sync.domain.realm.flow import Flow, Requirement, Step, SubFlow
from sync.domain.realm.item import Item, ItemKind
from tests.realms import PASSWORD, ConfiguredRealm

pytestmark = pytest.mark.keycloak

APP = "login-facts"
GENERATED = "abcd-efgh-jkmn-pqrs-tuvw-xyz2"
CREDENTIALS = (Step("direct-grant-validate-username"), Step("direct-grant-validate-password"))


@dataclass(frozen=True)
class Application:
    """A public client of the module's realm, and who logs in to it."""

    realm: ConfiguredRealm

    def browser(self) -> Browser:
        return Browser(self.realm.url, self.realm.realm, APP)

    def direct_grant(self, user_id: str) -> int:
        """Ask for tokens by name and password; answers the status."""
        login = {"username": self.realm.username(user_id), "password": PASSWORD}
        return self.browser().grant("password", **login).status_code

    def lets_in(self, user_id: str) -> bool:
        return self.direct_grant(user_id) == 200

    @contextmanager
    def asking(self, *steps: Step | SubFlow) -> Iterator[None]:
        """Meanwhile direct grant of this client runs a flow of name and password and these steps."""
        alias = f"facts {uuid.uuid4().hex[:8]}"
        Flows(self.realm.connection()).create(Item(ItemKind.FLOW, alias, {"flow": Flow((*CREDENTIALS, *steps))}))
        flow = next(each for each in self.realm.get("authentication/flows") if each["alias"] == alias)
        self._direct_grant_by(flow["id"])
        yield
        self._direct_grant_by("")

    def _direct_grant_by(self, flow: str) -> None:
        [client] = self.realm.get("clients", clientId=APP)
        chosen = {"authenticationFlowBindingOverrides": {"direct_grant": flow}}
        self.realm.send("PUT", f"clients/{client['id']}", client | chosen)


@pytest.fixture(scope="module")
def app(configured_realm: ConfiguredRealm) -> Application:
    """In a realm of this module's own."""
    client = {"clientId": APP, "publicClient": True, "redirectUris": [CALLBACK], "directAccessGrantsEnabled": True}
    configured_realm.send("POST", "clients", client)
    configured_realm.send("PUT", "", {"quickLoginCheckMilliSeconds": 0})
    return Application(configured_realm)


def test_required_actions_are_replaced_as_a_whole(configured_realm: ConfiguredRealm) -> None:
    """So whoever adds one sends those that are there along."""
    user = configured_realm.create_user(requiredActions=["CONFIGURE_TOTP"])
    configured_realm.send("PUT", f"users/{user}", {"requiredActions": ["UPDATE_PASSWORD"]})
    assert configured_realm.get(f"users/{user}")["requiredActions"] == ["UPDATE_PASSWORD"]


def test_only_a_password_sent_in_the_open_is_judged_by_the_policy(configured_realm: ConfiguredRealm) -> None:
    """So a generated one is sent as a hash, and one that a person chose never is."""
    user = configured_realm.create_user(password=None)
    plain = {"type": "password", "value": GENERATED, "temporary": True}
    address = f"{configured_realm.path()}/users/{user}/reset-password"
    refused = configured_realm.server.session().put(address, json=plain, timeout=30)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalidPasswordMinUpperCaseCharsMessage")
    configured_realm.send("PUT", f"users/{user}", {"credentials": [temporary_credential(GENERATED)]})
    assert [each["type"] for each in configured_realm.get(f"users/{user}/credentials")] == ["password"]


@pytest.mark.parametrize("way", ["reset-password", "pre-hashed"])
def test_a_new_password_ends_no_session(configured_realm: ConfiguredRealm, app: Application, way: str) -> None:
    """So whoever resets one ends the sessions and offline tokens as well."""
    user = configured_realm.create_user()
    login = {"username": configured_realm.username(user), "password": PASSWORD}
    browser = app.browser()
    online = browser.grant("password", **login).json()
    offline = browser.grant("password", **login, scope="openid offline_access").json()
    if way == "reset-password":
        configured_realm.send("PUT", f"users/{user}/reset-password", {"type": "password", "value": f"{PASSWORD}!"})
    else:
        configured_realm.send("PUT", f"users/{user}", {"credentials": [temporary_credential(GENERATED)]})
    assert not app.lets_in(user)
    assert [browser.refresh(tokens).status_code for tokens in (online, offline)] == [200, 200]


def test_a_promotion_asks_nobody_who_is_logged_in(configured_realm: ConfiguredRealm, app: Application) -> None:
    """The cookie of before is enough and the token has the new role: so the sessions are ended first."""
    user = configured_realm.create_user(vocabulary.profile_group("technician"))
    browser = app.browser()
    assert browser.log_in(configured_realm.username(user), PASSWORD).code
    group = configured_realm.get(f"group-by-path{vocabulary.profile_group('administrator')}")["id"]
    configured_realm.send("PUT", f"users/{user}/groups/{group}")
    tokens = browser.tokens(browser.open_app())
    assert "administrator" in payload(tokens["access_token"])["fsm"]["profile"]


@pytest.mark.parametrize("negate", ["false", "true"])
def test_a_condition_on_a_role_that_does_not_exist_is_never_met(
    configured_realm: ConfiguredRealm, app: Application, negate: str
) -> None:
    """Neither as it stands nor negated: what hangs on it is passed over, and who should be stopped gets in."""
    condition = Step("conditional-user-role", config={"condUserRole": "no-such-role", "negate": negate})
    deny = Step("deny-access-authenticator")
    with app.asking(SubFlow("stop", Requirement.CONDITIONAL, (condition, deny))):
        assert app.lets_in(configured_realm.create_user())


def test_a_negated_condition_on_a_role_that_exists_is_met(
    configured_realm: ConfiguredRealm, app: Application
) -> None:
    """By everybody without the role: the same flow does stop people."""
    role = vocabulary.SECOND_FACTOR_ROLE
    condition = Step("conditional-user-role", config={"condUserRole": role, "negate": "true"})
    deny = Step("deny-access-authenticator")
    with app.asking(SubFlow("stop", Requirement.CONDITIONAL, (condition, deny))):
        assert not app.lets_in(configured_realm.create_user())
        assert app.lets_in(configured_realm.create_user(vocabulary.SECOND_FACTOR))


def test_a_code_that_nobody_has_set_up_is_an_internal_error_of_direct_grant(
    configured_realm: ConfiguredRealm, app: Application
) -> None:
    """So our flow asks for it only where there is one."""
    with app.asking(Step("direct-grant-validate-otp")):
        assert app.direct_grant(configured_realm.create_user()) == 500


def test_whoever_logs_in_is_not_taken_for_locked(configured_realm: ConfiguredRealm, app: Application) -> None:
    """Keycloak shows such a user now and then as locked for good, for milliseconds; the gateway looks again."""
    assert configured_realm.get()["permanentLockout"]
    gateway = KeycloakAccounts(configured_realm.connection("fsm-worker"), configured_realm.policy)
    user = configured_realm.create_user()
    for _ in range(10):
        assert app.lets_in(user)
        seen = gateway.observe(user, sessions=False)
        assert seen is not None
        assert seen.enabled
        assert not seen.lock.permanent
