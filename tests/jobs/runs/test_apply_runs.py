"""Runs of every kind go through the same chunks; what a row of each does to its account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sync.domain.accounts.account import Account
from sync.domain.work.lane import Lane
from sync.jobs import run_kinds
from sync.jobs.run_kinds import apply_chunk
from sync.store.audit.timeline import read_timeline
from sync.store.database.ids import new_id
from sync.store.database.tables import RunKind
from sync.store.provisioning import work_state
from sync.store.runs import run_rows, runs
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run
from tests.callers import allowed, wanted_by
from tests.world import World


def confirmed_run(world: World, kind: RunKind, rows: Mapping[str, int | None]) -> Run:
    """A run with a row for each account id, pinned to a version."""
    now = world.clock.now()
    run = Run(
        id=new_id(now),
        kind=kind,
        state="reviewed",
        source="a test",
        source_digest="",
        fingerprint="f",
        created_at=now,
        by=wanted_by("kim"),
        counts={"update": len(rows)},
        options={},
    )
    messages: dict[str, Any] = {"who": "Pat", "errors": [], "warnings": []}
    changes = {"change": {"groups": [["/fsm/a"], []]}}
    planned = tuple(
        RunRow(number, {}, None, "update", changes, messages, account_id=account_id, base_version=version)
        for number, (account_id, version) in enumerate(rows.items(), start=1)
    )
    with world.systems.db.write() as tx:
        runs.insert(tx, allowed(run.by), run, planned)
        runs.confirm(tx, run.id, allowed(wanted_by("kim", "because")), now)
    return run


def version(world: World, account: Account) -> int:
    return world.read(lambda tx: work_state.wanted_versions(tx, [account.id]))[account.id]


def due_in(world: World, account: Account) -> bool:
    work = world.read(lambda tx: work_state.of_account(tx, account.id))
    assert work is not None
    return work.due_at is not None


def results(world: World, run: Run) -> list[str | None]:
    return [row.result for row in world.read(lambda tx: run_rows.rows(tx, run.id))]


@pytest.mark.supports("E7", "F4")
def test_a_row_of_changed_mapping_files_wants_a_new_version(world: World) -> None:
    """The account is brought about by the bulk lane, and its timeline says that the mapping files were changed."""
    account = world.join()
    world.work()
    before = version(world, account)
    run = confirmed_run(world, "mappings", {account.id: before - 1, "nobody": 1})
    assert apply_chunk(world.systems) == 2
    assert results(world, run) == ["applied", "refused"]
    assert version(world, account) == before + 1
    entries = world.read(lambda tx: read_timeline(tx, account.id))
    assert "follow the mapping files" in [entry.title for entry in entries]
    world.work(Lane.BULK)
    assert not due_in(world, account)


@pytest.mark.supports("G4", "F4")
def test_a_row_of_a_repair_asks_for_a_look_only(world: World) -> None:
    """Nothing new is wanted of the account; one that was changed since the comparison is left out."""
    account, other = world.join(), world.join("ada.berg")
    world.work()
    before = version(world, account)
    run = confirmed_run(world, "repair", {account.id: before, other.id: 0})
    apply_chunk(world.systems)
    assert results(world, run) == ["applied", "refused"]
    assert version(world, account) == before
    assert (due_in(world, account), due_in(world, other)) == (True, False)


@pytest.mark.supports("F4")
def test_a_run_of_a_kind_this_worker_does_not_know_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older worker beside newer ones neither fails at such a run nor lets it stand before the others."""
    monkeypatch.setattr(run_kinds, "KINDS", {"repair": run_kinds.KINDS["repair"]})
    account = world.join()
    unknown = confirmed_run(world, "adoption", {account.id: 1})
    known = confirmed_run(world, "repair", {account.id: 1})
    assert apply_chunk(world.systems) == 1
    assert (results(world, unknown), results(world, known)) == ([None], ["applied"])
