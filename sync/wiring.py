"""The only place where adapters meet use cases: `build(settings)` answers a Site.

Nothing connects here; each adapter connects at its first use, in the process that uses it (after the fork).
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from mappings import load
from mappings.policy import Policy
from sync.adapters.broker import CeleryWake
from sync.adapters.fsm.sql import SqlFieldService
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.importing import ImportingAccounts
from sync.adapters.mail import messages
from sync.adapters.mail.smtp import SmtpMailer
from sync.domain.errors import Misconfigured
from sync.ports.accounts import Accounts
from sync.settings import Settings, load_settings
from sync.store.accounts import used_keys
from sync.store.database import Database
from sync.store.sealing import Sealer
from sync.usecases.site import Site


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def build(settings: Settings) -> Site:
    """Put a Site together. Raises SettingsError or MappingErrors; foreign systems are not asked yet."""
    policy = load(settings.mappings_folder)
    accounts = KeycloakAccounts(_connection(settings, "fsm-worker", "worker_secret"), policy)
    return Site(
        db=Database(settings.database_url.get_secret_value(), Sealer(_keys(settings))),
        policy=policy,
        accounts=accounts,
        bulk_accounts=_bulk_accounts(settings, policy) or accounts,
        field_service=SqlFieldService(
            settings.field_service_url.get_secret_value(), policy.field_service, policy.work_orders
        ),
        mailer=SmtpMailer(settings.mail),
        wake=CeleryWake(),
        clock=SystemClock(),
        welcome_letter=partial(messages.welcome, login_url=str(settings.mail.login_url)),
    )


def build_site() -> Site:
    """A Site from the settings of this process, its database checked: the migrations are there, and no key that
    an account uses has vanished from the mapping files (rule 11). Raises Misconfigured if one has."""
    site = build(load_settings())
    site.db.check_schema()
    with site.db.read() as tx:
        used = used_keys(tx)
    missing = used.missing_from(site.policy)
    if missing:
        raise Misconfigured(f"accounts use keys that the mapping files no longer have: {'; '.join(missing)}")
    return site


def _bulk_accounts(settings: Settings, policy: Policy) -> Accounts | None:
    """The gateway that may create many at once; only processes that are given its secret have it."""
    if settings.keycloak.import_secret is None:
        return None
    return ImportingAccounts(_connection(settings, "fsm-import", "import_secret"), policy)


def _keys(settings: Settings) -> list[str]:
    return [key.strip() for key in settings.secret_keys.get_secret_value().split(",") if key.strip()]


def _connection(settings: Settings, client_id: str, secret: str) -> Connection:
    return Connection(
        url=str(settings.keycloak.url),
        realm=settings.keycloak.realm,
        client_id=client_id,
        secret=settings.keycloak.needed(secret),
        timeout_seconds=settings.keycloak.timeout_seconds,
    )
