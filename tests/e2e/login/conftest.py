"""The realm of a login test: configured by the real code, with an application and a mail server."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import mappings
from examples.browser import CALLBACK, Authenticator, Browser
from mappings.policy import Policy
from tests.realms import PASSWORD, ConfiguredRealm, a_realms_name, configure
from tests.services import KeycloakServer, MailCatcher, a_mail_catcher

APP = "field-app"


@dataclass
class LoginRealm(ConfiguredRealm):
    """A configured realm with an application that a person can log in to."""

    def browser(self) -> Browser:
        return Browser(self.url, self.realm, APP)

    def person(self, profile: str, authenticator: Authenticator | None = None, **fields: Any) -> Person:
        """Somebody with this profile, a password, and a second factor if one is given."""
        username = f"u{secrets.token_hex(5)}@example.com"
        if authenticator is not None:
            credentials = [{"type": "password", "value": PASSWORD}, authenticator.credential()]
            fields = {"password": None, "credentials": credentials} | fields
        user_id = self.create_user(f"/fsm/profiles/{profile}", username=username, **fields)
        return Person(user_id, username)

    def sessions(self, person: Person) -> int:
        return len(self.get(f"users/{person.id}/sessions"))


@dataclass(frozen=True)
class Person:
    id: str
    username: str


@pytest.fixture(scope="session")
def mail_catcher(tmp_path_factory: pytest.TempPathFactory, service_logs: Path) -> Iterator[MailCatcher]:
    """The mail server of that realm."""
    with a_mail_catcher(tmp_path_factory.mktemp("mail"), service_logs / "mail-of-logins.log") as catcher:
        yield catcher


@pytest.fixture(scope="session")
def realm(keycloak_server: KeycloakServer, mail_catcher: MailCatcher) -> Iterator[LoginRealm]:
    """Configured, with an application made afterwards, as a company adds one. Whoever changes it puts it back."""
    with a_realms_name(keycloak_server) as name:
        yield _with_application(configure(keycloak_server, name, patient_policy(), mail_catcher.port))


def patient_policy() -> Policy:
    """The files that ship, but that two quick failures lock nobody out: tests do not wait like people."""
    policy = mappings.load()
    lockout = replace(policy.realm.lockout, quick_milliseconds=0)
    return replace(policy, realm=replace(policy.realm, lockout=lockout))


def _with_application(made: ConfiguredRealm) -> LoginRealm:
    realm = LoginRealm(made.server, made.realm, made.policy, made.options)
    application = {
        "clientId": APP,
        "publicClient": True,
        "redirectUris": [CALLBACK],
        "directAccessGrantsEnabled": True,
        "fullScopeAllowed": False,
        "attributes": {"oauth2.device.authorization.grant.enabled": "true"},
    }
    realm.send("POST", "clients", application)
    return realm
