"""Two hosts share the work: they have only PostgreSQL, Redis and Keycloak in common (H5)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from sync.store.database.tables import attempt, provisioning, schedule
from tests.chaos.worker_processes import (
    QUEUES,
    Workers,
    database,
    import_people,
    worker_settings,
)
from tests.realms import ConfiguredRealm
from tests.services import MailCatcher, RedisServer
from tests.waiting import wait_until
from tests.world import set_up

PEOPLE = 1200
"""Enough for seconds of work: of fewer the first host has done most before the second is awake."""


@pytest.fixture
def hosts(
    tmp_path: Path,
    postgres_url: str,
    configured_realm: ConfiguredRealm,
    redis_server: RedisServer,
    mail_catcher: MailCatcher,
) -> Iterator[tuple[Workers, Workers]]:
    """Each has a folder, processes and a process group of its own, as on a machine of its own."""
    redis_server.flush()
    mail_catcher.forget()
    set_up(postgres_url)
    made = []
    for name in ("east", "west"):
        home = tmp_path / name
        home.mkdir()
        settings = worker_settings(home, postgres_url, configured_realm, redis_server, mail_catcher)
        made.append(Workers(home, settings | {"HOME": str(home)}))
    east, west = made
    try:
        yield east, west
    finally:
        east.end()
        west.end()


def busy(host: Workers, name: str) -> float:
    """The seconds its drains of accounts took; one that finds nothing takes some hundredths."""
    log = (host.folder / f"{name}.log").read_text()
    return sum(float(each) for each in re.findall(r"fsm\.provision\[\S+ succeeded in ([\d.]+)s", log))


@pytest.mark.req("H5", "H1")
@pytest.mark.keycloak
@pytest.mark.postgres
@pytest.mark.stack
@pytest.mark.timeout(300)
def test_two_hosts_share_the_work_and_do_nothing_twice(
    hosts: tuple[Workers, Workers], postgres_url: str, configured_realm: ConfiguredRealm, mail_catcher: MailCatcher
) -> None:
    """Both do a part of the accounts and of the mails; each account is made once, each mail sent once, and a job
    runs on one of them."""
    east, west = hosts
    east.start("east", QUEUES)
    west.start("west", QUEUES)
    for host, name in ((east, "east"), (west, "west")):
        log = host.folder / f"{name}.log"
        wait_until(lambda log=log: "ready" in log.read_text(), 60, f"{name} does not start")  # type: ignore[misc]
    db = database(postgres_url)
    before = int(configured_realm.get("users/count"))
    import_people(db, PEOPLE)
    east.start_beat()
    west.start_beat()

    def all_applied() -> bool:
        with db.read() as tx:
            rows = tx.connection.execute(
                select(provisioning.c.wanted_version, provisioning.c.applied_version)
            ).all()
            return len(rows) == PEOPLE and all(wanted == applied for wanted, applied in rows)

    wait_until(all_applied, 180, "not every account is in Keycloak")
    assert int(configured_realm.get("users/count")) - before == PEOPLE
    with db.read() as tx:
        done = Counter(tx.connection.scalars(select(attempt.c.account_id).where(attempt.c.outcome == "applied")))
        errors = list(tx.connection.scalars(select(attempt.c.error).where(attempt.c.outcome != "applied")))
    assert len(done) == PEOPLE
    assert set(done.values()) == {1}, "an account was made twice"
    assert errors == []
    recipients = Counter(mail["X-Envelope-To"] for mail in mail_catcher.wait(PEOPLE, seconds=120))
    assert len(recipients) == PEOPLE
    assert set(recipients.values()) == {1}, "somebody got two mails"
    for host, name in ((east, "east"), (west, "west")):
        wait_until(lambda host=host, name=name: busy(host, name) > 0.5, 60, f"{name} did not do a part")  # type: ignore[misc]

    def jobs_ran() -> bool:
        with db.read() as tx:
            rows = tx.connection.execute(select(schedule.c.name, schedule.c.finished_at)).all()
        return bool(rows) and all(row.finished_at is not None for row in rows)

    wait_until(jobs_ran, 60, "the periodic jobs did not run")
    db.close()
