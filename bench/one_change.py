"""One change by hand: from the commit until Keycloak shows it, idle and while an import of many runs; and what the
import loses by it.

The baseline makes the same calls directly, with the very gateway the workers use: a look at the user, out of one
branch's group and into the other's. While imports run there is a change a second, and as many imports run without
one, by turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.importing import BY, import_people
from bench.keycloak import Place, workers
from bench.people import rows, run_name, staff_file
from bench.row import Row
from sync.commands.accounts.change import change
from sync.commands.imports.confirm import confirm
from sync.commands.imports.review import ImportOptions, review
from sync.commands.perform import perform
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import AccountChange
from sync.domain.provisioning.change import JoinGroup, LeaveGroup
from sync.domain.work.lane import Lane
from sync.store.accounts import accounts

CHANGES = 40
CHANGE_EVERY = 1.0
"""Seconds, while an import runs."""

POLL_SECONDS = 0.01
BRANCHES = ("hamburg", "berlin")


@dataclass(frozen=True)
class Changed:
    """95th percentiles in seconds; `kept` is the speed of the imports with changes among them, of that of those
    without."""

    direct: float
    idle: float
    during_import: float
    kept: float


def measure(place: Place, imported: int = 10_000, changes: int = CHANGES) -> Changed:
    here = place.with_new_database()
    run = run_name()
    with workers(here):
        import_people(here, staff_file(run, changes))
        people = [_account(here, email) for _, _, _, email, _, _ in rows(run, changes)]
        direct = [_directly(here, each) for each in people]
        idle = [_changed(here, each) for each in people]
        busy: list[float] = []
        alone, beside = 0.0, 0.0
        while len(busy) < changes:
            alone += _imported(here, imported, lambda: time.sleep(0.1))
            beside += _imported(here, imported, lambda: busy.append(_one_a_second(here, people, len(busy))))
    return Changed(_p95(direct), _p95(idle), _p95(busy), alone / beside)


def _imported(place: Place, people: int, meanwhile: Callable[[], None]) -> float:
    """Seconds from the confirmation to the last user; `meanwhile` is called until then."""
    reviewed = review(place.systems, staff_file(run_name(), people), "staff.xlsx", BY, ImportOptions())
    known = place.applied()
    began = time.perf_counter()
    confirm(place.systems, reviewed.run.id, BY)
    while place.applied() - known < people:
        meanwhile()
        if time.perf_counter() - began > 1800:
            raise RuntimeError("the import was not done after half an hour")
    return time.perf_counter() - began


def _one_a_second(place: Place, people: Sequence[Account], number: int) -> float:
    """Change the next of the people, and take the rest of the second."""
    took = _changed(place, people[number % len(people)])
    time.sleep(max(0.0, CHANGE_EVERY - took))
    return took


def _account(place: Place, email: str) -> Account:
    with place.systems.db.read() as tx:
        found = accounts.by_login(tx, email)
    if found is None or found.idp_user_id is None:
        raise RuntimeError(f"{email} is not in Keycloak")
    return found


def _directly(place: Place, account: Account) -> float:
    """There and back again; the time of one way."""
    gateway, user = place.systems.accounts, str(account.idp_user_id)
    began = time.perf_counter()
    for old, new in (BRANCHES, tuple(reversed(BRANCHES))):
        gateway.observe(user, sessions=False)
        gateway.apply(user, LeaveGroup(vocabulary.branch_group(old)))
        gateway.apply(user, JoinGroup(vocabulary.branch_group(new)))
    return (time.perf_counter() - began) / 2


def _changed(place: Place, account: Account) -> float:
    with place.systems.db.read() as tx:
        now = accounts.get(tx, account.id)
    branch = BRANCHES[1] if now is not None and now.branch == BRANCHES[0] else BRANCHES[0]
    wanted, token = AccountChange(branch=branch), place.admin_token()
    began = time.perf_counter()
    perform(
        place.systems,
        lambda tx: change(tx, place.systems.policy, account.id, wanted, BY, place.systems.clock.now()),
        wakes=Lane.INTERACTIVE,
    )
    path = vocabulary.branch_group(branch)
    while path not in {group["path"] for group in place.admin_get(f"users/{account.idp_user_id}/groups", token)}:
        if time.perf_counter() - began > 60:
            raise RuntimeError("a change was not in Keycloak after a minute")
        time.sleep(POLL_SECONDS)
    return time.perf_counter() - began


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)]


def report(place: Place, people: int) -> list[Row]:
    changed = measure(place, people)
    later = changed.idle - changed.direct
    return [
        Row(
            "one change, from the commit until Keycloak shows it, nothing else running (p95)",
            f"{changed.idle * 1000:.0f} ms",
            f"{changed.direct * 1000:.0f} ms: the same calls made directly",
            f"+{later * 1000:.0f} ms",
            "≤ +150 ms",
            later <= 0.150,
        ),
        Row(
            f"the same, one a second, while an import of {people:,} runs (p95)",
            f"{changed.during_import * 1000:.0f} ms",
            "",
            "",
            "≤ 300 ms",
            changed.during_import <= 0.300,
        ),
        Row(
            "speed of the import meanwhile",
            "",
            "an import without changes",
            f"{changed.kept:.2f}",
            "≥ 0.85",
            changed.kept >= 0.85,
        ),
    ]
