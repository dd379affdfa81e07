"""What the realm needs to know that no mapping file says: addresses, the mail server, our clients' secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

WORKER_CLIENT = "fsm-worker"
IMPORT_CLIENT = "fsm-import"
CONFIGURE_CLIENT = "fsm-configure"
CONSOLE_CLIENT = "fsm-console"

LOGGED_IN_PATH = "/callback"
LOGGED_OUT_PATH = "/logged-out"
"""The two addresses of the web process, below its public URL, that Keycloak sends people back to."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where Keycloak hands in its own mail (recovery, verification). `password` None: none is set."""

    host: str
    port: int
    sender: str
    starttls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RealmOptions:
    """`secrets` by client id; a client without one keeps the secret Keycloak has made for it. `installation` is
    the id of our database, None where there is none yet."""

    public_url: str
    mail: MailServer
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    installation: str | None = None
