"""One Keycloak for a whole test run, whichever of its processes asks first.

It is counted who uses it: the first to ask starts it, the last to go ends it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sync.devstack.lock import exclusive
from sync.devstack.ports import free_ports
from sync.devstack.process import Running, end, launch, wait_until_ready
from sync.devstack.services import keycloak_server as keycloak
from sync.devstack.services.keycloak_archive import prepared
from tests.services import KeycloakServer

LOGINS_AT_WILL = "--spi-brute-force-protector--default-brute-force-detector--allow-concurrent-requests=true"
"""Keycloak counts a login after its answer, and by default refuses the next one of the same user until then. A
person never meets that; a test that logs in twice in a row does, now and then."""


@dataclass
class InUse:
    """What stands in the run's folder while a Keycloak runs. `users` are process ids."""

    url: str
    password: str
    pid: int
    created: float
    users: list[int]


@contextmanager
def shared_keycloak(folder: Path) -> Iterator[KeycloakServer]:
    """The Keycloak of the run whose processes share `folder`."""
    lock, state, log = folder / "keycloak.lock", folder / "keycloak.json", folder / "keycloak.log"
    with exclusive(lock):
        used = InUse(**json.loads(state.read_text())) if state.exists() else _started(folder, log)
        used.users.append(os.getpid())
        state.write_text(json.dumps(asdict(used)))
    try:
        yield KeycloakServer(used.url, keycloak.ADMIN, used.password)
    finally:
        with exclusive(lock):
            used = InUse(**json.loads(state.read_text()))
            used.users.remove(os.getpid())
            if used.users:
                state.write_text(json.dumps(asdict(used)))
            else:
                state.unlink()
                end([Running("keycloak", used.pid, used.created, log)])


def _started(folder: Path, log: Path) -> InUse:
    home = keycloak.thin_home(prepared(print), folder / f"keycloak-{secrets.token_hex(4)}")
    port, management_port = free_ports(2)
    password = secrets.token_urlsafe(12)
    start = keycloak.keycloak_launch(home, port, management_port, password, log)
    running = launch(replace(start, command=(*start.command, LOGINS_AT_WILL)))
    try:
        wait_until_ready(running, lambda: keycloak.keycloak_ready(management_port), seconds=180)
    except BaseException:
        end([running])
        raise
    return InUse(keycloak.keycloak_url(port), password, running.pid, running.created, [])
