"""Systems for import tests: our real database, the shipped policy, fakes behind the ports, staff files, and
the steps of an import."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from cryptography.fernet import Fernet

import mappings
from sync.adapters.mail.messages import password_reset, welcome
from sync.commands.accounts.change import change
from sync.commands.imports.confirm import confirm
from sync.commands.imports.review import ImportOptions, review
from sync.commands.perform import perform
from sync.domain.accounts.change import AccountChange
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.systems import Systems
from sync.ports.field_service import Technician
from sync.store.accounts import accounts
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from sync.store.runs import runs
from sync.store.runs.runs import Run
from tests.callers import wanted_by
from tests.fakes.accounts import FakeAccounts
from tests.fakes.adoption import FakeAdoption
from tests.fakes.answering import FakeAnswering
from tests.fakes.credentials import FakeCredentials
from tests.fakes.events import FakeAdminEvents, FakeLoginEvents
from tests.fakes.field_service import FakeFieldService
from tests.fakes.listing import FakeListing
from tests.fakes.mailer import FakeMailer
from tests.fakes.signals import FakeClock, FakeWake

POLICY = mappings.load()
BY = wanted_by("kim", "new season")
KEY = Fernet.generate_key().decode()


@contextmanager
def import_site(database_url: str, *, technicians: Sequence[str] = ()) -> Iterator[Systems]:
    """The tables of this version and nothing in them."""
    schema.upgrade(database_url)
    database = Database(database_url, Sealer([KEY]))
    accounts, clock = FakeAccounts(POLICY), FakeClock()
    records = [Technician(each, f"Technician {each}", None, assignable=True) for each in technicians]
    try:
        yield Systems(
            db=database,
            policy=POLICY,
            accounts=accounts,
            bulk_accounts=accounts,
            credentials=FakeCredentials(accounts),
            login_events=FakeLoginEvents(clock),
            admin_events=FakeAdminEvents(clock),
            listing=FakeListing(accounts),
            adoption=FakeAdoption(accounts),
            answering=FakeAnswering(),
            field_service=FakeFieldService(POLICY.work_orders, records),
            mailer=FakeMailer(),
            wake=FakeWake(),
            clock=clock,
            welcome_letter=partial(welcome, login_url="https://login.example.com/"),
            reset_letter=partial(password_reset, login_url="https://login.example.com/"),
        )
    finally:
        database.close()


def person(number: int, **changed: str) -> dict[str, str]:
    """A row like every other one, except for what is changed."""
    return {
        "Personalnr.": f"{number:05}",
        "Vorname": "Pat",
        "Nachname": f"Number{number}",
        "E-Mail": f"pat{number}@example.com",
        "Profil": "Dispatcher",
        "Niederlassung": "Hamburg",
    } | changed


def staff_file(*people: Mapping[str, str]) -> bytes:
    """A .csv with a title row above the header."""
    titles = list(dict.fromkeys(title for each in people for title in each))
    target = io.StringIO()
    target.write("Staff of the season\n")
    writer = csv.DictWriter(target, titles, delimiter=";")
    writer.writeheader()
    writer.writerows(people)
    return target.getvalue().encode("cp1252")


def reviewed(systems: Systems, *people: dict[str, str], **options: bool) -> Run:
    return review(systems, staff_file(*people), "staff.csv", BY, ImportOptions(**options)).run


def imported(systems: Systems, *people: dict[str, str], **options: bool) -> Run:
    """Reviewed, confirmed, applied and carried into Keycloak."""
    run = confirm(systems, reviewed(systems, *people, **options).id, BY)
    while apply_chunk(systems) + provision_some(systems, Lane.BULK):
        pass
    return run


def state(systems: Systems, run: Run) -> str:
    with systems.db.read() as tx:
        found = runs.get(tx, run.id)
    assert found is not None
    return found.state


def branch_of(systems: Systems, username: str) -> str | None:
    with systems.db.read() as tx:
        account = accounts.by_login(tx, username)
    assert account is not None
    return account.branch


def move(systems: Systems, username: str, branch: str) -> None:
    """Somebody changes an account by hand."""
    with systems.db.read() as tx:
        account = accounts.by_login(tx, username)
    assert account is not None
    perform(
        systems,
        lambda tx: change(tx, systems.policy, account.id, AccountChange(branch=branch), BY, systems.clock.now()),
        wakes=Lane.INTERACTIVE,
    )
