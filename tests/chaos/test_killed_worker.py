"""A short bad day: workers killed with -9 in the middle of an import, one frozen for longer than its lease and
woken, and a Redis that forgets everything. Nothing is lost, nothing doubled. The long form is `tests.chaos.story`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.devstack.process import Running, end
from sync.domain.access.scope import Scope
from sync.store.accounts.listing import list_accounts
from sync.store.accounts.query import AccountQuery
from sync.store.audit.timeline import read_timeline
from tests.chaos.worker_processes import Workers, database, import_people, worker_settings
from tests.realms import ConfiguredRealm
from tests.services import MailCatcher, RedisServer
from tests.waiting import wait_until
from tests.world import set_up

PEOPLE = 400
DOUBTFUL = 3
"""Two kills and a freeze: each may hit one mail on its way, and nobody can tell whether it left, so it is not sent
again."""

QUEUES = "interactive,bulk,mail"


@pytest.fixture
def workers(
    tmp_path: Path,
    database_url: str,
    configured_realm: ConfiguredRealm,
    redis_server: RedisServer,
    mail_catcher: MailCatcher,
) -> Iterator[Workers]:
    """Workers for a database, a realm and a Redis of this test's own."""
    redis_server.flush()
    mail_catcher.forget()
    set_up(database_url)
    here = Workers(tmp_path, worker_settings(tmp_path, database_url, configured_realm, redis_server, mail_catcher))
    try:
        yield here
    finally:
        here.end()


@pytest.mark.req("F7", "H1")
@pytest.mark.supports("F4")
@pytest.mark.keycloak
@pytest.mark.stack
@pytest.mark.timeout(400)
def test_an_import_survives_a_bad_day(
    workers: Workers,
    database_url: str,
    configured_realm: ConfiguredRealm,
    redis_server: RedisServer,
    mail_catcher: MailCatcher,
) -> None:
    """Two workers die, one sleeps through its lease, Redis is emptied: afterwards each person is in Keycloak once,
    was recorded once, and got one mail."""
    db = database(database_url)
    import_people(db, PEOPLE)

    def in_keycloak() -> int:
        return int(configured_realm.get("users/count"))

    before = in_keycloak()

    def start_and_see_at_work(name: str, people: int = 0) -> Running:
        """Its own work is what comes after its first wake: before, what another had sent may still arrive."""
        worker = workers.start(name, QUEUES)
        wait_until(lambda: "Task fsm.provision[" in workers.log_of(name), 60, f"nobody wakes the {name} worker")
        done = in_keycloak()
        wait_until(lambda: in_keycloak() > done + people, 60, f"the {name} worker does nothing")
        return worker

    workers.start_beat()
    first = start_and_see_at_work("first", PEOPLE // 10)
    workers.kill(first)
    frozen = start_and_see_at_work("frozen")
    workers.freeze(frozen)
    assert in_keycloak() - before < PEOPLE, "all was done too early to show anything"
    third = start_and_see_at_work("third")
    workers.kill(third)
    fourth = workers.start("fourth", QUEUES)
    wait_until(lambda: "ready" in workers.log_of("fourth"), 60, "the fourth worker does not start")
    redis_server.flush()

    def all_applied() -> bool:
        with db.read() as tx:
            page = list_accounts(tx, Scope.all(), AccountQuery(limit=PEOPLE))
        return all(row.work is not None and row.work.applied for row in page.items)

    wait_until(all_applied, 180, "not every account is in Keycloak")
    tasks = workers.log_of("frozen").count(" succeeded in ")
    workers.wake(frozen)
    end([fourth])  # of two idle workers Redis may give every wake to the same one
    wait_until(
        lambda: workers.log_of("frozen").count(" succeeded in ") > tasks, 60, "the frozen worker does not go on"
    )
    assert in_keycloak() - before == PEOPLE
    with db.read() as tx:
        page = list_accounts(tx, Scope.all(), AccountQuery(limit=PEOPLE))
        for row in page.items:
            applied = [entry for entry in read_timeline(tx, row.account.id) if entry.kind == "keycloak"]
            assert len(applied) == 1, f"{row.account.username} was recorded {len(applied)} times"
    recipients = [mail["X-Envelope-To"] for mail in mail_catcher.wait(PEOPLE - DOUBTFUL, seconds=60)]
    assert len(recipients) == len(set(recipients)), "somebody got two mails"
