"""The baselines of the import: the best raw partialImport loop there is, and plain python-keycloak loops.

The raw loop has nothing to do but to send: its bodies are made before the clock starts, it reads no answer beyond
the status, keeps nothing, and knows no failure. Nothing that does more can be faster.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import requests

from bench.keycloak import Place
from bench.people import bodies, rows, run_name
from sync.commands.accounts.initial_password import generate
from sync.domain.access import vocabulary

CHUNKS = (5, 10, 20)
CONNECTIONS = (1, 2, 4)
SEARCHED = 1500
"""People for each combination of the search."""
WARM_UP = 12_000
"""People created before anything is measured, until Java has compiled what it will."""
PLAIN = 200
"""People of the plain loops: they are slow, and their speed does not depend on how many there are."""


@dataclass(frozen=True)
class Tried:
    """People a second with so many users a request and so many requests at once."""

    chunk: int
    connections: int
    speed: float

    def __str__(self) -> str:
        return f"{self.chunk} × {self.connections}: {self.speed:.0f}"


def search(speed_of: Callable[[int, int], float]) -> list[Tried]:
    """Every combination twice, the second time backwards; the better of the two counts. The fastest first."""
    order = list(itertools.product(CHUNKS, CONNECTIONS))
    speeds: dict[tuple[int, int], float] = {}
    for each in (*order, *reversed(order)):
        speeds[each] = max(speed_of(*each), speeds.get(each, 0.0))
    found = [Tried(chunk, connections, speed) for (chunk, connections), speed in speeds.items()]
    return sorted(found, key=lambda each: -each.speed)


def warm_up(place: Place) -> None:
    """The first thousands of requests are answered by a Java that is still compiling."""
    raw(place, WARM_UP, 10, 2)


def raw(place: Place, people: int, chunk: int, connections: int) -> float:
    """People a second."""
    role = place.admin_get("")["defaultRole"]["name"]
    waiting: SimpleQueue[Sequence[Mapping[str, object]]] = SimpleQueue()
    made = bodies(run_name(), people, place.systems.policy, role)
    for start in range(0, people, chunk):
        waiting.put(made[start : start + chunk])
    url = f"{place.surroundings.keycloak_url}/admin/realms/{place.realm}/partialImport"
    token = place.admin_token()
    failed: list[str] = []

    def send() -> None:
        with requests.Session() as session:
            session.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            while True:
                try:
                    users = waiting.get_nowait()
                except Empty:
                    return
                answer = session.post(url, json.dumps({"ifResourceExists": "SKIP", "users": users}), timeout=60)
                if answer.status_code != 200 or answer.json()["added"] != len(users):
                    failed.append(answer.text[:200])

    threads = [threading.Thread(target=send) for _ in range(connections)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    if failed:
        raise RuntimeError(f"{len(failed)} chunks failed: {failed[0]}")
    return people / took


def plain(place: Place, people: int, *, passwords: bool) -> float:
    """People a second of python-keycloak as its documentation shows it: create_user, then group_user_add twice."""
    admin = place.plain_admin()
    groups = [
        admin.get_group_by_path(path)["id"]
        for path in (vocabulary.profile_group("dispatcher"), vocabulary.branch_group("hamburg"))
    ]
    began = time.perf_counter()
    for _, given, family, email, _, _ in rows(run_name(), people):
        body: dict[str, object] = {
            "username": email,
            "email": email,
            "firstName": given,
            "lastName": family,
            "enabled": True,
            "requiredActions": ["UPDATE_PASSWORD"],
        }
        if passwords:
            body["credentials"] = [{"type": "password", "value": f"Aa1!{generate()}", "temporary": True}]
        user = admin.create_user(body)
        for group in groups:
            admin.group_user_add(user, group)
    return people / (time.perf_counter() - began)
