"""The people that are imported: as a staff file for ours, as finished bodies of partialImport for the raw loop.

Every run has people of its own, told apart by the run's name, so that nothing is there already.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from mappings.policy import Policy
from sync.adapters.keycloak.creation.defaults import NO_DEFAULTS
from sync.adapters.keycloak.creation.new_user import representation
from sync.commands.accounts.initial_password import generate
from sync.domain.accounts.change import NewAccount
from sync.domain.provisioning.desired import desired_state
from sync.ports.accounts import NewUser
from sync.spreadsheet.writing import write_table

TITLES = ("Personalnr.", "Vorname", "Nachname", "E-Mail", "Profil", "Niederlassung")


def run_name() -> str:
    """A name no other run has."""
    return uuid.uuid4().hex[:8]


def rows(run: str, people: int, branch: str = "Hamburg") -> Iterator[tuple[str, ...]]:
    """As a staff file has them: a dispatcher each, in three groups of Keycloak."""
    for number in range(people):
        address = f"pat-{number}-{run}@{run}.example.com"
        yield f"{run}-{number}", "Pat", f"Number {number} {_letters(run)}", address, "Dispatcher", branch


def staff_file(run: str, people: int, branch: str = "Hamburg") -> bytes:
    """An .xlsx."""
    return write_table("xlsx", TITLES, rows(run, people, branch), sheet="Staff")


def new_users(run: str, people: int, policy: Policy) -> list[NewUser]:
    """The same people as the gateway gets them: groups, attributes, a temporary password."""
    made = []
    for employee, given, family, email, _, _ in rows(run, people):
        new = NewAccount(email, given, family, "dispatcher", "hamburg", employee_number=employee)
        account = new.account(str(uuid.uuid4()), datetime.now(UTC))
        made.append(NewUser(desired_state(account, policy), generate()))
    return made


def bodies(run: str, people: int, policy: Policy, default_role: str) -> Sequence[Mapping[str, object]]:
    """The same people as Keycloak gets them from ours."""
    return [
        representation(user, NO_DEFAULTS) | {"id": user.desired.account_id, "realmRoles": [default_role]}
        for user in new_users(run, people, policy)
    ]


def _letters(run: str) -> str:
    return run.translate(str.maketrans("0123456789", "ghijklmnop"))
