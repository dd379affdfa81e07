"""Creating people: from wanted in our database to a user in Keycloak with groups and a temporary password,
against a plain python-keycloak loop (create_user with a password, group_user_add twice)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.keycloak import Place
from sync.domain import vocabulary
from sync.domain.account_change import Actor, Door, NewAccount
from sync.domain.lane import Lane
from sync.usecases.change_account import InitialPassword, create
from sync.usecases.initial_password import generate
from sync.usecases.provision import provision_some

OURS, PLAIN = 1000, 200
"""People; the plain loop is slow and its speed does not depend on how many there are."""


@dataclass(frozen=True)
class Measured:
    """People a second each way."""

    ours: float
    plain: float

    @property
    def ratio(self) -> float:
        return self.ours / self.plain


def measure(place: Place) -> Measured:
    """Both on the same Keycloak, ours first, each after a warm-up of its own."""
    ours(place, 40, "warm")
    plain(place, 20, "warm")
    return Measured(ours(place, OURS, "ours"), plain(place, PLAIN, "plain"))


def ours(place: Place, people: int, name: str) -> float:
    site = place.site
    by = Actor("bench", Door.IMPORT, "benchmark")
    began = time.perf_counter()
    with site.db.write() as tx:
        for number in range(people):
            new = NewAccount(f"{name}-{number}@ours.example.com", "Pat", "Example", "dispatcher", "hamburg")
            password = InitialPassword(generate(), "mail")
            create(tx, site.policy, new, by, datetime.now(UTC), password=password, lane=Lane.BULK)
    while provision_some(site, Lane.BULK):
        pass
    return people / (time.perf_counter() - began)


def plain(place: Place, people: int, name: str) -> float:
    admin = place.plain_admin()
    groups = [
        admin.get_group_by_path(path)["id"]
        for path in (vocabulary.profile_group("dispatcher"), vocabulary.branch_group("hamburg"))
    ]
    began = time.perf_counter()
    for number in range(people):
        address = f"{name}-{number}@plain.example.com"
        user = admin.create_user(
            {
                "username": address,
                "email": address,
                "firstName": "Pat",
                "lastName": "Example",
                "enabled": True,
                "requiredActions": ["UPDATE_PASSWORD"],
                "credentials": [{"type": "password", "value": f"Aa1!{generate()}", "temporary": True}],
            }
        )
        for group in groups:
            admin.group_user_add(user, group)
    return people / (time.perf_counter() - began)
