"""How many users a request creates, how many requests are on their way at once, how many processes send them: what
`importing.CHUNK`, `importing.CONNECTIONS` and docs/sizing.md say is measured here.

One process of ours is its gateway, given what one drain of the bulk lane gives it; several are whole imports.
"""

from __future__ import annotations

import time

from bench.importing import ours
from bench.keycloak import Place
from bench.people import new_users, run_name
from bench.raw import SEARCHED, search, warm_up
from bench.row import Row
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.creation import importing
from sync.adapters.keycloak.creation.importing import ImportingAccounts
from sync.domain.realm.options import IMPORT_CLIENT
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import CLAIM_AT_ONCE
from sync.ports.accounts import Created

PROCESSES = (1, 2, 3)


def report(place: Place, people: int) -> list[Row]:
    """Each combination against the one in use; then the worker processes of a whole import."""
    warm_up(place)
    tried = search(lambda chunk, connections: _creating(place, chunk, connections))
    best, used = tried[0], next(each for each in tried if (each.chunk, each.connections) == _used())
    several = {processes: ours(place, people // 4, processes=processes).speed for processes in PROCESSES}
    listed = ", ".join(f"{processes}: {speed:.0f}" for processes, speed in several.items())
    return [
        Row(
            f"users a request × requests at once of one process, as set: {used.chunk} × {used.connections}",
            f"{used.speed:.0f} users/s",
            f"the fastest, {best}; all: {', '.join(map(str, tried))} users/s",
            f"{used.speed / best.speed:.2f}",
        ),
        Row(
            f"import of {people // 4:,} by 2 bulk worker processes",
            f"{several[2]:.0f} users/s",
            f"by {listed} users/s",
            f"{several[2] / max(several.values()):.2f} of the fastest",
        ),
    ]


def _used() -> tuple[int, int]:
    return importing.CHUNK, importing.CONNECTIONS


def _creating(place: Place, chunk: int, connections: int) -> float:
    """People a second."""
    where = place.surroundings
    gateway = ImportingAccounts(
        Connection(where.keycloak_url, place.realm, IMPORT_CLIENT, where.credentials.import_client),
        place.systems.policy,
        chunk=chunk,
        connections=connections,
    )
    drain = max(CLAIM_AT_ONCE[Lane.BULK], chunk * connections)
    people = new_users(run_name(), SEARCHED, place.systems.policy)
    gateway.extra_roles(people[0].desired.groups)
    began = time.perf_counter()
    for start in range(0, len(people), drain):
        for outcome in gateway.create(people[start : start + drain]).values():
            if not isinstance(outcome, Created):
                raise outcome
    return len(people) / (time.perf_counter() - began)
