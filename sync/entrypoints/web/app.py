"""`create_app`: the factory uvicorn calls; it puts routes, session and security headers together.

It reads the settings of this process and fails at once if something is missing; our database, which holds the
policy in force, and foreign systems are asked at the first request.
"""

from __future__ import annotations

from pathlib import Path

from authlib.integrations.starlette_client import OAuth
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.staticfiles import StaticFiles

from sync.claims import ClaimsReader, PublishedKeys
from sync.domain.access.vocabulary import API_AUDIENCE
from sync.domain.realm.options import CONSOLE_CLIENT
from sync.entrypoints.web.caller import Callers
from sync.entrypoints.web.console.account_page import account_routes
from sync.entrypoints.web.console.login import SESSION_SECONDS, Login, login_routes
from sync.entrypoints.web.console.pages import Pages, add_error_pages
from sync.entrypoints.web.health import health_routes
from sync.entrypoints.web.mail import WEBHOOK_PATH, create_mail_webhook
from sync.entrypoints.web.metrics import metrics_routes
from sync.entrypoints.web.problems import problem_pages
from sync.entrypoints.web.rest.api import API_PATH, create_api
from sync.entrypoints.web.rest.cursors import Cursors
from sync.entrypoints.web.rest.parts import Parts
from sync.entrypoints.web.security_headers import SecurityHeaders
from sync.settings import PROCESSES, Settings, SettingsError, checked, needing
from sync.store.database.clock import DatabaseClock
from sync.store.database.transactions import Database
from sync.views.mappings import CurrentPolicy
from sync.wiring.doors import Desks, open_database, operator_desk


def create_app(settings: Settings | None = None) -> FastAPI:
    """The web application. Raises SettingsError, naming what to mend; where it reads them itself, in the process
    of a server, these lines end the process instead."""
    if settings is None:
        try:
            settings = checked(needing(PROCESSES["web"]))
        except SettingsError as error:
            raise SystemExit(f"✗ {error}") from None
    database = open_database(settings)
    public_url = str(settings.public_url).rstrip("/")
    policy = CurrentPolicy(database)
    pages = Pages(f"{settings.keycloak.issuer}/account/", policy)
    login = _login(settings, public_url)

    app = FastAPI(
        title="fsm-identity", docs_url=None, redoc_url=None, openapi_url=None, middleware=_guards(settings)
    )
    app.include_router(health_routes(settings, database))
    app.include_router(metrics_routes(settings, database))
    app.include_router(login_routes(login, pages))
    app.include_router(account_routes(database, policy, pages))
    app.include_router(problem_pages(pages))
    app.mount(API_PATH, create_api(_parts(settings, database, policy), public_url))
    if settings.mail.bounce_secret is not None:
        secret = settings.mail.bounce_secret.get_secret_value()
        app.mount(WEBHOOK_PATH, create_mail_webhook(operator_desk(settings), secret, public_url))
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    add_error_pages(app, pages)
    return app


def _parts(settings: Settings, database: Database, policy: CurrentPolicy) -> Parts:
    keycloak = settings.keycloak
    reader = ClaimsReader(keycloak.issuer, _published_keys(settings), audience=API_AUDIENCE)
    return Parts(
        Callers(reader, database, policy),
        database,
        policy,
        DatabaseClock(database),
        Cursors(_derived_key(settings, b"fsm-identity list cursors")),
        Desks(settings, database, policy),
    )


def _published_keys(settings: Settings) -> PublishedKeys:
    return PublishedKeys(f"{settings.keycloak.realm_url}/protocol/openid-connect/certs")


def _login(settings: Settings, public_url: str) -> Login:
    keycloak = settings.keycloak
    clients = OAuth()
    clients.register(
        "keycloak",
        client_id=CONSOLE_CLIENT,
        client_secret=keycloak.needed("console_secret"),
        server_metadata_url=f"{keycloak.realm_url}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile email",
            "code_challenge_method": "S256",
            "timeout": keycloak.timeout_seconds,
        },
    )
    reader = ClaimsReader(keycloak.issuer, _published_keys(settings), authorized_parties={CONSOLE_CLIENT})
    return Login(clients.keycloak, reader, keycloak.issuer, public_url)


def _guards(settings: Settings) -> list[Middleware]:
    encrypted = settings.public_url.scheme == "https"
    keycloak = settings.keycloak.public_url or settings.keycloak.url
    return [
        Middleware(
            SecurityHeaders, forms_lead_to=f"{keycloak.scheme}://{keycloak.host}:{keycloak.port}", hsts=encrypted
        ),
        Middleware(
            SessionMiddleware,
            secret_key=_derived_key(settings, b"fsm-identity console session"),
            session_cookie="__Host-fsm" if encrypted else "fsm",
            max_age=SESSION_SECONDS,
            same_site="lax",
            https_only=encrypted,
        ),
    ]


def _derived_key(settings: Settings, use: bytes) -> str:
    """A key of its own for each use (RFC 5869), the same in every web process. When the newest secret key changes,
    people log in anew and lists begin again."""
    derived = HKDF(SHA256(), length=32, salt=None, info=use)
    return derived.derive(settings.keys[0].encode()).hex()
