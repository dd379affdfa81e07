"""The password of the mail server: set once, never shown, and still there after other settings changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.adapters.mail.smtp_server import Inbox, running_server
from tests.realms import ConfiguredRealm

pytestmark = [pytest.mark.keycloak, pytest.mark.supports("C8")]


def test_keycloak_signs_in_to_the_mail_server_after_unrelated_changes(configured_realm: ConfiguredRealm) -> None:
    """Keycloak answers stars for the password; writing the settings back must not make stars of it."""
    inbox = Inbox()
    with running_server(inbox, auth_require_tls=False) as (host, port):
        mail = replace(configured_realm.options.mail, host=host, port=port, username="fsm", password="right")
        realm = replace(configured_realm, options=replace(configured_realm.options, mail=mail))
        assert "smtpServer:password: (none) -> (secret)" in str(realm.apply().differences[0])
        realm.send("PUT", "", {"failureFactor": 77})
        assert [str(each) for each in realm.apply().differences] == ["~ realm settings: failureFactor: 77 -> 5"]
        assert realm.plan().differences == ()

        user = realm.create_user("/fsm/profiles/read-only")
        realm.send("PUT", f"users/{user}/execute-actions-email", ["UPDATE_PASSWORD"])
    assert [login for login, _ in inbox.logins] == ["fsm"]
    assert len(inbox.mails) == 1
