"""A worker that runs on goes by the mapping files that are in force now."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from celery.exceptions import Ignore
from cryptography.fernet import Fernet

from mappings import load
from mappings.loading import read_texts
from sync.commands.mappings.in_force import adopt_first, put_in_force
from sync.domain.errors import Transient
from sync.jobs.systems import Systems
from sync.store import mappings
from sync.store.operations import heartbeats
from sync.store.operations.heartbeats import Worker
from tests.callers import wanted_by
from tests.commands.imports.import_sites import import_site
from tests.world import FIRST

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LEE = wanted_by("lee", "longer holds")


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """What a worker runs; it reads its settings when it is imported, and asks no Redis for this."""
    for name, value in {
        "FSM_DATABASE_URL": "sqlite:////nowhere/fsm.db",
        "FSM_REDIS_URL": "redis://127.0.0.1:9/0",
        "FSM_FIELD_SERVICE_URL": "sqlite:////nowhere/field.db",
        "FSM_SECRET_KEYS": Fernet.generate_key().decode(),
        "FSM_KEYCLOAK__URL": "http://127.0.0.1:9",
        "FSM_MAIL__LOGIN_URL": "https://login.example.com/",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "celeryconfig", raising=False)
    yield importlib.import_module("workers.tasks")
    sys.modules.pop("celeryconfig", None)


@pytest.fixture
def made(tmp_path: Path, tasks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Systems]]:
    """All Systems that the worker makes, in order."""
    made: list[Systems] = []
    with import_site(f"sqlite:///{tmp_path / 'our.db'}") as blank:

        def build(*, holder: str) -> Systems:
            in_force = adopt_first(blank.db, None, FIRST, NOW)
            made.append(replace(blank, policy=in_force.policy, policy_number=in_force.number, holder=holder))
            return made[-1]

        monkeypatch.setattr(tasks, "open_systems", build)
        monkeypatch.setattr(tasks.signs, "of_process", lambda process: f"process {process}")
        monkeypatch.setattr(tasks, "ready_for_accounts", lambda systems: systems)
        for kept in (tasks._systems_of, tasks._ready_systems_of):
            kept.cache_clear()
        yield made
        for kept in (tasks._systems_of, tasks._ready_systems_of):
            kept.cache_clear()


@pytest.mark.supports("E7", "H5")
def test_a_worker_notices_what_was_adopted(made: list[Systems], tasks: ModuleType) -> None:
    """They are made anew, once, without a restart; while nothing is adopted it stays."""
    assert tasks.systems() is tasks.systems()
    text = read_texts()["work_orders.toml"].replace("hold_deadline_days = 14", "hold_deadline_days = 3")
    with made[0].db.write() as tx:
        mappings.adopt_one_at_a_time(tx)
        put_in_force(tx, None, read_texts() | {"work_orders.toml": text}, "f", LEE, NOW)
    assert tasks.systems().policy.work_orders.hold_deadline_days == 3
    assert tasks.systems().policy_number == 2
    assert len(made) == 2
    assert load().work_orders.hold_deadline_days == 14


@pytest.mark.supports("H3", "H6")
def test_what_a_worker_told_is_over_once_one_of_its_processes_can_work(
    made: list[Systems], tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that told it may get no wake for long, where nothing is due."""
    tasks.systems()
    db, now = made[0].db, made[0].clock.now()
    request = SimpleNamespace(request=SimpleNamespace(hostname="bulk@north"))
    monkeypatch.setattr(tasks.heartbeat, "current_task", request)
    with db.write() as tx:
        heartbeats.beat(tx, Worker("bulk@north", "north", 7, ("bulk",), now, now))
        heartbeats.note_trouble(tx, "bulk@north", "Keycloak: not reachable (sign-in)")
    tasks.systems(accounts=False)
    with db.read() as tx:
        assert [each.trouble for each in heartbeats.seen(tx)] == ["Keycloak: not reachable (sign-in)"]
    tasks.systems()
    with db.read() as tx:
        assert [each.trouble for each in heartbeats.seen(tx)] == [None]


@pytest.mark.supports("F7", "H1", "H2")
def test_mails_and_the_sweep_do_not_wait_for_keycloak(
    made: list[Systems], tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was started while Keycloak is away touches no account, sends what is due and sweeps."""

    def away(systems: Systems) -> Systems:
        raise Transient("not reachable", system="keycloak")

    done: list[str] = []
    monkeypatch.setattr(tasks, "ready_for_accounts", away)
    monkeypatch.setattr(tasks, "send_some", lambda _: done.append("mail"))
    monkeypatch.setattr(tasks, "come_round", lambda _: done.append("sweep"))
    monkeypatch.setattr(tasks, "provision_some", lambda *_: done.append("accounts"))
    tasks.send_mail()
    tasks.sweep()
    with pytest.raises(Ignore):
        tasks.provision("interactive")
    assert done == ["mail", "sweep"]
    assert len(made) == 1
