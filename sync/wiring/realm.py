"""Makes the realm of the commands that configure it, and connections to Keycloak for whoever has a secret."""

from __future__ import annotations

from dataclasses import dataclass

from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.realm.keycloak_realm import KeycloakRealm
from sync.domain.realm.options import (
    CONFIGURE_CLIENT,
    CONSOLE_CLIENT,
    IMPORT_CLIENT,
    WORKER_CLIENT,
    MailServer,
    RealmOptions,
)
from sync.ports.realm import Realm
from sync.settings import Settings
from sync.wiring.doors import installation_of


@dataclass(frozen=True, slots=True)
class RealmDesk:
    """What the realm commands touch."""

    realm: Realm
    options: RealmOptions


def open_realm_desk(settings: Settings, administrator: tuple[str, str] | None = None) -> RealmDesk:
    """The realm as its configuring client sees it, or as `administrator` (name, password) of the master realm.
    Our database is asked which installation it is. Raises SettingsError; Keycloak is not asked yet."""
    if administrator is None:
        through = connection(settings, CONFIGURE_CLIENT, "configure_secret")
    else:
        through = Connection.as_administrator(str(settings.keycloak.url), settings.keycloak.realm, *administrator)
    return RealmDesk(KeycloakRealm(through), _realm_options(settings))


def connection(settings: Settings, client_id: str, secret: str, installation: str | None = None) -> Connection:
    """To our realm, as one of our clients. `installation`: of the database whose users are written through it.
    Raises SettingsError if its secret is not set."""
    return Connection(
        url=str(settings.keycloak.url),
        realm=settings.keycloak.realm,
        client_id=client_id,
        secret=settings.keycloak.needed(secret),
        credential=f"FSM_KEYCLOAK__{secret.upper()}",
        timeout_seconds=settings.keycloak.timeout_seconds,
        installation=installation,
    )


def _realm_options(settings: Settings) -> RealmOptions:
    mail, keycloak = settings.mail, settings.keycloak
    secrets = {
        WORKER_CLIENT: keycloak.worker_secret,
        IMPORT_CLIENT: keycloak.import_secret,
        CONFIGURE_CLIENT: keycloak.configure_secret,
        CONSOLE_CLIENT: keycloak.console_secret,
    }
    return RealmOptions(
        public_url=str(settings.public_url),
        mail=MailServer(
            host=mail.host,
            port=mail.port,
            sender=mail.sender,
            starttls=mail.starttls,
            username=mail.username,
            password=mail.password.get_secret_value() if mail.password else None,
        ),
        secrets={client: secret.get_secret_value() for client, secret in secrets.items() if secret},
        installation=installation_of(settings),
    )
