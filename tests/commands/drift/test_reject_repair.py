"""A repair that a person rejects leaves its findings to people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from sync.commands.imports.confirm import confirm
from sync.commands.imports.review import ImportOptions, review
from sync.commands.run_kinds import reject
from sync.domain.provisioning.aspect import Aspect, Deviation
from sync.jobs.drift.hand_over import hand_over
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.systems import Systems
from sync.store.accounts import accounts
from sync.store.drift import findings
from sync.store.drift.findings import Subject
from sync.store.runs import runs
from tests.callers import allowed, wanted_by
from tests.claiming import JOB
from tests.commands.imports.import_sites import BY, import_site, person, staff_file

LEE = wanted_by("lee", "Keycloak is right")
PEOPLE = 12


@pytest.fixture
def systems(database_url: str) -> Iterator[Systems]:
    with import_site(database_url) as made:
        staff = staff_file(*(person(number, Niederlassung="Hamburg") for number in range(1, PEOPLE + 1)))
        confirm(made, review(made, staff, "staff.csv", BY, ImportOptions()).run.id, BY)
        while apply_chunk(made):
            pass
        yield made


@pytest.mark.supports("E7", "G4")
def test_the_findings_of_a_rejected_repair_are_open_again_at_once(systems: Systems) -> None:
    """With who rejected it and why; what a person has handed out since stays with the workers."""
    now = systems.clock.now()
    with systems.db.write() as tx:
        found = []
        for number in range(1, PEOPLE + 1):
            account = accounts.by_login(tx, f"pat{number}@example.com")
            assert account is not None
            subject = Subject(account.id, account.username, account.id, f"kc-{number}")
            found.append(
                findings.found(tx, JOB, subject, Deviation(Aspect.BRANCH, "hamburg", "koeln"), "repair", now)
            )
        hand_over(tx, systems.policy, found, now)
        [run] = runs.recent(tx, 10, "repair", "held")
        findings.ask_repair(tx, allowed(), [found[0].id], now + timedelta(minutes=1))
    reject(systems, run.id, LEE)
    with systems.db.read() as tx:
        after = {each.id: each for each in findings.listed(tx, states=["open"])}
    assert after.pop(found[0].id).repair_asked_at == now + timedelta(minutes=1)
    assert len(after) == PEOPLE - 1
    assert {(each.repair_asked_at, each.decision) for each in after.values()} == {(None, LEE)}
