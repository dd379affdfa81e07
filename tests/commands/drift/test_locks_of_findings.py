"""Who decides about a finding and who works on its account wait for each other, and neither fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from cryptography.fernet import Fernet

from sync.commands.drift.decide import accept, repair
from sync.desk import Desk
from sync.domain.access.cause import Cause
from sync.domain.accounts.account import Account
from sync.domain.errors import Refused
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import provision_some
from sync.store.audit.timeline import read_timeline
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from sync.store.drift import findings as drift
from sync.store.drift.findings import Finding
from sync.store.provisioning import due
from tests.comparing import judge
from tests.jobs.drift.drift_steps import findings
from tests.world import BY, World

pytestmark = pytest.mark.supports("G4")

BOTH_HAVE_ONE_SECONDS = 1.0
"""So long each waits, with its first lock, for the other to have its own: with one order it never has."""


@pytest.fixture
def apart(world: World, database_url: str) -> Iterator[World]:
    """The world on either database."""
    schema.upgrade(database_url)
    database = Database(database_url, Sealer([Fernet.generate_key().decode()]))
    world.systems = replace(world.systems, db=database)
    yield world
    database.close()


@pytest.fixture
def off(apart: World) -> tuple[Account, str]:
    """Somebody whose user is switched off, which a person has accepted, and that finding."""
    account = apart.join("ola.off")
    apart.work()
    apart.user(account).enabled = False
    judge(apart.systems, [account.id])
    [found] = findings(apart)
    accept(apart.systems, found.id, BY)
    apart.work(Lane.BULK)
    return account, found.id


class Meeting:
    """Both come here once between their first and their second lock, if they can."""

    def __init__(self) -> None:
        self._both = threading.Barrier(2)

    def come(self) -> None:
        try:
            self._both.wait(BOTH_HAVE_ONE_SECONDS)
        except threading.BrokenBarrierError:
            return

    def before(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*arguments: Any, **named: Any) -> Any:
            self.come()
            return step(*arguments, **named)

        return stepped

    def after(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*arguments: Any, **named: Any) -> Any:
            found = step(*arguments, **named)
            self.come()
            return found

        return stepped


@pytest.mark.parametrize("decide", [accept, repair])
def test_two_at_one_account_wait_for_each_other_and_neither_fails(
    apart: World,
    off: tuple[Account, str],
    monkeypatch: pytest.MonkeyPatch,
    decide: Callable[[Desk, str, Cause], Finding],
) -> None:
    """A worker sees that what was accepted is not so any more, and ends it, in the moment in which a person
    decides about it: PostgreSQL would end a circle of locks with an error."""
    account, finding = off
    apart.user(account).enabled = True
    apart.do(lambda tx: due.look_again(tx, account.id, Lane.BULK, apart.clock.now()))
    meeting = Meeting()
    monkeypatch.setattr(drift, "end", meeting.before(drift.end))
    monkeypatch.setattr(drift, "get", meeting.after(drift.get))
    ends: list[object] = []

    def run(command: Callable[[], object]) -> None:
        try:
            command()
            ends.append("done")
        except Refused:
            ends.append("done")
        except Exception as error:
            ends.append(error)

    commands = [partial(provision_some, apart.systems, Lane.BULK), partial(decide, apart.systems, finding, BY)]
    threads = [threading.Thread(target=run, args=[each]) for each in commands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert ends == ["done", "done"]
    said = apart.read(lambda tx: read_timeline(tx, account.id))
    assert [each.details for each in said if each.title.startswith("retry")] == []
