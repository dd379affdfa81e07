"""The only place where adapters meet use cases: `build(settings)` answers a Site.

Nothing connects here; each adapter connects at its first use, in the process that uses it (after the fork).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import structlog

from mappings import load
from mappings.policy import Policy
from sync.adapters.broker import CeleryWake
from sync.adapters.fsm.sql import SqlFieldService
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.adoption import KeycloakAdoption
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.credentials import KeycloakCredentials
from sync.adapters.keycloak.events import KeycloakAdminEvents, KeycloakLoginEvents
from sync.adapters.keycloak.importing import ImportingAccounts
from sync.adapters.keycloak.listing import KeycloakListing
from sync.adapters.keycloak.realm.keycloak_realm import KeycloakRealm
from sync.adapters.mail import messages
from sync.adapters.mail.smtp import SmtpMailer
from sync.commands.mappings.in_force import CurrentPolicy, InForce, policy_in_force, policy_of, warn_of_other_files
from sync.domain.errors import Misconfigured, Transient
from sync.domain.realm.options import (
    CONFIGURE_CLIENT,
    CONSOLE_CLIENT,
    IMPORT_CLIENT,
    WORKER_CLIENT,
    MailServer,
    RealmOptions,
)
from sync.jobs.systems import Site
from sync.ports.accounts import Accounts
from sync.ports.realm import Realm
from sync.ports.signals import Clock, Wake
from sync.realm.realm import check_login
from sync.settings import Settings, load_settings
from sync.store import mappings
from sync.store.accounts.accounts import used_keys
from sync.store.database.clock import DatabaseClock
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database

log = structlog.get_logger()


def build(settings: Settings, in_force: InForce | None = None) -> Site:
    """Put a Site together. `in_force` None: by the mapping files of this process, whatever is in force.

    Raises SettingsError or MappingErrors; foreign systems are not asked yet.
    """
    policy = in_force.policy if in_force else load(settings.mappings_folder)
    connection = _connection(settings, WORKER_CLIENT, "worker_secret")
    accounts = KeycloakAccounts(connection, policy)
    login_url = str(settings.mail.login_url)
    db = open_database(settings)
    return Site(
        db=db,
        policy=policy,
        accounts=accounts,
        bulk_accounts=_bulk_accounts(settings, policy) or accounts,
        credentials=KeycloakCredentials(connection),
        adoption=KeycloakAdoption(connection),
        login_events=KeycloakLoginEvents(connection),
        admin_events=KeycloakAdminEvents(connection),
        listing=KeycloakListing(
            connection,
            policy,
            at_once=settings.keycloak.listings_at_once,
            pause_seconds=settings.keycloak.listing_pause_seconds,
        ),
        field_service=_field_service(settings, policy),
        mailer=SmtpMailer(settings.mail),
        wake=CeleryWake(),
        clock=DatabaseClock(db),
        welcome_letter=partial(messages.welcome, login_url=login_url, language=settings.mail.language),
        reset_letter=partial(messages.password_reset, login_url=login_url, language=settings.mail.language),
        policy_number=in_force.number if in_force else None,
    )


def open_database(settings: Settings) -> Database:
    """Our database; it connects at its first use, in the process that uses it."""
    return Database(settings.database_url.get_secret_value(), Sealer(_keys(settings)))


def current_policy(settings: Settings, db: Database) -> CurrentPolicy:
    """The policy in force, for a process that asks for it again and again."""
    return CurrentPolicy(db, settings.mappings_folder)


@dataclass(frozen=True, slots=True)
class Operations:
    """What an operator's commands touch. They work whatever is wrong with Keycloak or the mapping files."""

    db: Database
    wake: Wake
    clock: Clock
    settings: Settings
    policy_number: int | None = None
    """They decide by no mapping file."""


def build_operations(settings: Settings | None = None) -> Operations:
    """Raises SettingsError; Misconfigured if the database has not the tables of this version, Transient if it
    cannot be reached. Nothing else is asked."""
    settings = settings or load_settings()
    db = open_database(settings)
    operations = Operations(db, CeleryWake(), DatabaseClock(db), settings)
    operations.db.check_schema()
    return operations


def build_site(settings: Settings | None = None) -> Site:
    """A Site from these settings or those of this process, with the policy in force. Raises Misconfigured if the
    migrations are not there, or if a key that an account uses has vanished from the mapping files (rule 11)."""
    settings = settings or load_settings()
    site, in_force = build_site_with_policy(settings)
    warn_of_other_files(in_force, settings.mappings_folder)
    with site.db.read() as tx:
        missing = used_keys(tx).missing_from(in_force.policy)
    if missing:
        raise Misconfigured(
            f"accounts use keys that the mapping files no longer have: {'; '.join(missing)}; "
            "put the keys back, or move these accounts first with the files of before"
        )
    return site


def build_site_with_policy(settings: Settings) -> tuple[Site, InForce]:
    """A Site and the policy in force it decides by, which is not looked at any closer: to adopt another one."""
    database = open_database(settings)
    database.check_schema()
    clock = DatabaseClock(database)
    in_force = policy_in_force(database, settings.mappings_folder, clock.now())
    return replace(build(settings, in_force), db=database, clock=clock), in_force


def ready_for_accounts(site: Site) -> Site:
    """The Site of a worker with the foreign systems checked as well, before it touches any account.

    Raises Misconfigured if the login flows would let somebody in without the second factor the profile demands
    (C6), or if the FSM database lacks a table or column; Transient if Keycloak does not answer. An FSM database
    that does not answer just now stops only what asks it (D2).
    """
    settings = load_settings()
    realm = KeycloakRealm(_connection(settings, WORKER_CLIENT, "worker_secret"))
    check_login(realm, site.policy)
    field_service = _field_service(settings, site.policy)
    try:
        field_service.check()
    except Transient as failure:
        log.warning("the FSM database cannot be checked yet", reason=str(failure))
    return replace(site, realm=realm)


@dataclass(frozen=True, slots=True)
class RealmSite:
    """What the realm commands touch."""

    realm: Realm
    policy: Policy
    options: RealmOptions


def build_realm(settings: Settings, administrator: tuple[str, str] | None = None) -> RealmSite:
    """The realm as its configuring client sees it, or as `administrator` (name, password) of the master realm.
    Raises SettingsError or MappingErrors; Keycloak is not asked yet."""
    if administrator is None:
        connection = _connection(settings, CONFIGURE_CLIENT, "configure_secret")
    else:
        connection = Connection.as_administrator(
            str(settings.keycloak.url), settings.keycloak.realm, *administrator
        )
    return RealmSite(KeycloakRealm(connection), load(settings.mappings_folder), _realm_options(settings))


def adopted_policy(settings: Settings) -> Policy | None:
    """The policy that workers go by, to judge and to compare what a realm is brought to. None where there is none,
    as before the first upgrade of our database, or where these settings lead to none.

    Raises Transient while our database is away, for then nobody knows what is in force; Misconfigured if this
    version cannot read it.
    """
    try:
        database = open_database(settings)
        with database.read() as tx:
            adopted = mappings.newest(tx)
        database.close()
    except Misconfigured:
        return None
    return None if adopted is None else policy_of(adopted)


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
    )


def _bulk_accounts(settings: Settings, policy: Policy) -> Accounts | None:
    """The gateway that may create many at once; only processes that are given its secret have it."""
    if settings.keycloak.import_secret is None:
        return None
    return ImportingAccounts(_connection(settings, IMPORT_CLIENT, "import_secret"), policy)


def _field_service(settings: Settings, policy: Policy) -> SqlFieldService:
    url = settings.field_service_url.get_secret_value()
    return SqlFieldService(url, policy.field_service, policy.work_orders)


def _keys(settings: Settings) -> list[str]:
    return [key.strip() for key in settings.secret_keys.get_secret_value().split(",") if key.strip()]


def _connection(settings: Settings, client_id: str, secret: str) -> Connection:
    return Connection(
        url=str(settings.keycloak.url),
        realm=settings.keycloak.realm,
        client_id=client_id,
        secret=settings.keycloak.needed(secret),
        credential=f"FSM_KEYCLOAK__{secret.upper()}",
        timeout_seconds=settings.keycloak.timeout_seconds,
    )
