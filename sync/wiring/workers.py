"""Makes the Systems of a worker: a Desk, and the gateways to Keycloak and to the mail server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog

from mappings import load
from mappings.policy import Policy
from sync.adapters.anchors import FileAnchor, WebAnchor
from sync.adapters.broker import CeleryWake
from sync.adapters.fsm.engine import CONNECT_SECONDS, STATEMENT_SECONDS
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.adoption import KeycloakAdoption
from sync.adapters.keycloak.answering import KeycloakAnswering
from sync.adapters.keycloak.creation.importing import ImportingAccounts
from sync.adapters.keycloak.credentials import KeycloakCredentials
from sync.adapters.keycloak.events import KeycloakAdminEvents, KeycloakLoginEvents
from sync.adapters.keycloak.listing import KeycloakListing
from sync.adapters.keycloak.realm.keycloak_realm import KeycloakRealm
from sync.adapters.mail import messages
from sync.adapters.mail.smtp import SmtpMailer
from sync.domain.errors import Transient
from sync.domain.realm.options import IMPORT_CLIENT, WORKER_CLIENT
from sync.jobs.systems import Systems
from sync.ports.accounts import Accounts
from sync.ports.anchor import Anchor
from sync.realm.login import check_login
from sync.settings import Settings, load_settings
from sync.store import realm as realm_rows
from sync.store.database.clock import DatabaseClock
from sync.views.mappings import InForce, policy_in_force, warn_of_other_files
from sync.wiring.doors import field_service, open_database, refuse_vanished_keys, spare_the_collector
from sync.wiring.letters import templates_of
from sync.wiring.realm import connection

log = structlog.get_logger()


def open_systems(settings: Settings | None = None, *, holder: str | None = None) -> Systems:
    """Systems from these settings or those of this process, with the policy in force. `holder` names the process
    where it gives signs of life. Raises SettingsError; Misconfigured if the migrations are not there, or if a key
    that an account uses has vanished from the mapping files (rule: keys-in-use-stay)."""
    settings = settings or load_settings()
    db = open_database(settings)
    db.check_schema()
    clock = DatabaseClock(db)
    in_force = policy_in_force(db)
    warn_of_other_files(in_force, settings.mappings_folder)
    refuse_vanished_keys(db, in_force.policy)
    with db.read() as tx:
        installation = realm_rows.installation(tx)
    return replace(build(settings, in_force, installation), db=db, clock=clock, holder=holder)


def build(settings: Settings, in_force: InForce | None = None, installation: str | None = None) -> Systems:
    """Put Systems together. `in_force` None: by the mapping files of this process, whatever is in force.
    `installation` is the id of our database; None: whose the realm is, nobody asks.

    Raises SettingsError, also for a mail of the company's own that must not be sent, or MappingErrors; foreign
    systems are not asked yet.
    """
    policy = in_force.policy if in_force else load(settings.mappings_folder)
    worker = connection(settings, WORKER_CLIENT, "worker_secret", installation)
    accounts = KeycloakAccounts(worker, policy)
    login_url, templates = str(settings.mail.login_url), templates_of(settings.mail)
    db = open_database(settings)
    spare_the_collector()
    return Systems(
        db=db,
        policy=policy,
        field_service=field_service(settings, policy),
        wake=CeleryWake(),
        clock=DatabaseClock(db),
        policy_number=in_force.number if in_force else None,
        accounts=accounts,
        bulk_accounts=_bulk_accounts(settings, policy, installation) or accounts,
        credentials=KeycloakCredentials(worker),
        adoption=KeycloakAdoption(worker),
        answering=KeycloakAnswering(settings.keycloak.realm_url),
        login_events=KeycloakLoginEvents(worker),
        admin_events=KeycloakAdminEvents(worker),
        listing=KeycloakListing(
            worker,
            policy,
            at_once=settings.keycloak.listings_at_once,
            pause_seconds=settings.keycloak.listing_pause_seconds,
        ),
        mailer=SmtpMailer(settings.mail),
        welcome_letter=partial(messages.welcome, templates, login_url=login_url),
        longest_request=longest_request(settings),
        reset_letter=partial(messages.password_reset, templates, login_url=login_url),
        anchors=_anchors(settings),
    )


def longest_request(settings: Settings) -> timedelta:
    """What one request to a foreign system, Keycloak or the FSM system, may take until it is given up."""
    over_http = settings.field_service_timeout_seconds
    in_database = CONNECT_SECONDS + STATEMENT_SECONDS
    return timedelta(seconds=max(settings.keycloak.timeout_seconds, over_http, in_database))


def ready_for_accounts(systems: Systems) -> Systems:
    """The Systems of a worker with the foreign systems checked as well, before it touches any account.

    Raises Misconfigured if the login flows would let somebody in without the second factor the profile demands
    (C6), or if the FSM system lacks a table or column, or does not keep to its contract; Transient if Keycloak
    does not answer. An FSM system that does not answer just now stops only what asks it (D2).
    """
    settings = load_settings()
    realm = KeycloakRealm(connection(settings, WORKER_CLIENT, "worker_secret"))
    check_login(realm, systems.policy)
    try:
        field_service(settings, systems.policy).check()
    except Transient as failure:
        log.warning("the FSM system cannot be checked yet", reason=str(failure))
    return replace(systems, realm=realm)


def _anchors(settings: Settings) -> tuple[Anchor, ...]:
    """Who keeps the head of the audit chain elsewhere; nobody, if nothing is set."""
    found: list[Anchor] = []
    if settings.audit.anchor_file is not None:
        found.append(FileAnchor(settings.audit.anchor_file))
    if settings.audit.anchor_url is not None:
        secret = settings.audit.anchor_secret
        found.append(WebAnchor(str(settings.audit.anchor_url), secret.get_secret_value() if secret else None))
    return tuple(found)


def _bulk_accounts(settings: Settings, policy: Policy, installation: str | None) -> Accounts | None:
    """The gateway that may create many at once; only processes that are given its secret have it."""
    if settings.keycloak.import_secret is None:
        return None
    return ImportingAccounts(connection(settings, IMPORT_CLIENT, "import_secret", installation), policy)
