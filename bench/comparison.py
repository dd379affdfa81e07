"""The full comparison with no difference: every account with its groups and roles, read and compared.

The baseline is what one would write with python-keycloak: get_user, get_user_groups and get_realm_roles_of_user
for each account, over a sample, because its speed does not depend on how many there are.
"""

from __future__ import annotations

import itertools
import resource
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from bench.keycloak import Place
from bench.people import run_name
from bench.row import Row
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.listing import KeycloakListing
from sync.commands.accounts.change import create_all
from sync.domain.access.callers import Machine
from sync.domain.access.cause import Cause, Door, Origin
from sync.domain.access.group_roles import roles_of_groups
from sync.domain.accounts.change import NewAccount
from sync.domain.realm.options import WORKER_CLIENT
from sync.domain.work.lane import Lane
from sync.jobs.drift.scheduled import COMPARISON
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.schedule.run_jobs import run_due_job
from sync.jobs.systems import Systems
from sync.store import schedule
from sync.store.drift import comparisons
from sync.store.drift.comparisons import Comparison

ACCOUNTS, SAMPLE = 20_000, 500
JOB = "comparison"
AT_ONCE = 500
BY = Cause(Machine(0, "bench", "bench"), Door.COMMAND_LINE, "benchmark", Origin.IMPORT)


class CountingConnection(Connection):
    """Counts the requests it sends."""

    sent = 0

    def _answer(self, *given: Any, **named: Any) -> requests.Response:  # noqa: ANN401
        self.sent += 1
        return super()._answer(*given, **named)


@dataclass(frozen=True)
class Compared:
    """Accounts a second each way. `allowed` requests are accounts/500 and two for each group; `grown_kib` is by
    how much the process grew at its largest during the comparison."""

    accounts: int
    memberships: int
    ours: float
    plain: float
    requests: int
    allowed: int
    grown_kib: int

    @property
    def ratio(self) -> float:
        return self.ours / self.plain


def report(place: Place, people: int) -> list[Row]:
    """`people`: of a large import; the comparison has twice as many."""
    found = measure(place, 2 * people)
    return [
        Row(
            f"full comparison of {found.accounts:,} accounts, {found.memberships:,} memberships, no difference",
            f"{found.ours:,.0f} accounts/s",
            f"{found.plain:,.0f} accounts/s: python-keycloak, user, groups and roles of each",
            f"{found.ratio:.1f} times",
            "≥ 20 times",
            found.ratio >= 20,
        ),
        Row(
            "its requests to Keycloak",
            str(found.requests),
            f"{found.allowed}: accounts/500 + 2 for each group",
            "",
            f"≤ {found.allowed}",
            found.requests <= found.allowed,
        ),
        Row("its memory beyond that of a comparison before", f"{found.grown_kib / 1024:.1f} MiB", "", ""),
    ]


def measure(place: Place, accounts: int = ACCOUNTS) -> Compared:
    """On an empty realm: what others left there would be read, and counted as not ours."""
    here = place.with_new_database()
    fill(here.systems, accounts)
    connection = CountingConnection(
        here.surroundings.keycloak_url, here.realm, WORKER_CLIENT, here.surroundings.credentials.worker_client
    )
    systems = replace(here.systems, listing=KeycloakListing(connection, here.systems.policy))
    compare(systems)
    connection.sent, largest = 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    done = compare(systems)
    seconds = time.perf_counter() - began
    if done.counts.differing or done.counts.left_out or done.counts.accounts != accounts:
        raise RuntimeError(f"the realm is not as wanted: {done.counts}")
    return Compared(
        accounts=accounts,
        memberships=done.counts.memberships,
        ours=accounts / seconds,
        plain=plain(place, min(accounts, SAMPLE)),
        requests=connection.sent,
        allowed=accounts // 500 + 2 * len(roles_of_groups(systems.policy)),
        grown_kib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - largest,
    )


def fill(systems: Systems, accounts: int) -> None:
    """Accounts of all profiles and teams, three to five groups each, brought into Keycloak without passwords."""
    run = run_name()
    profiles = itertools.cycle(sorted(systems.policy.profiles))
    teams = itertools.cycle(systems.policy.teams.values())
    for start in range(0, accounts, AT_ONCE):
        people = [
            (_person(run, number, next(profiles), next(teams)), None)
            for number in range(start, min(start + AT_ONCE, accounts))
        ]
        with systems.db.write() as tx:
            create_all(tx, systems.policy, people, BY, datetime.now(UTC), lane=Lane.BULK)
        while provision_some(systems, Lane.BULK):
            pass


def compare(systems: Systems) -> Comparison:
    """As a worker does it, under the lease of the job."""
    with systems.db.write() as tx:
        schedule.hasten(tx, JOB, systems.clock.now(), timedelta())
    run_due_job(systems, {JOB: COMPARISON})
    with systems.db.read() as tx:
        done = comparisons.latest(tx, "comparison")
    if done is None or done.state != "done":
        raise RuntimeError(f"the comparison did not come to its end: {done}")
    return done


def plain(place: Place, accounts: int) -> float:
    """Accounts a second."""
    admin = place.plain_admin()
    users = [user["id"] for user in admin.get_users({"briefRepresentation": True, "max": accounts})]
    began = time.perf_counter()
    for user in users:
        admin.get_user(user)
        admin.get_user_groups(user)
        admin.get_realm_roles_of_user(user)
    return len(users) / (time.perf_counter() - began)


def _person(run: str, number: int, profile: str, team: Any) -> NewAccount:  # noqa: ANN401
    """With an employee number, which the profiles that see only their own work need."""
    address = f"c{number}-{run}@{run}.example.com"
    personnel = f"{run}-{number}"
    return NewAccount(
        address, "Pat", f"Number {number}", profile, team.branch, team.key, employee_number=personnel
    )
