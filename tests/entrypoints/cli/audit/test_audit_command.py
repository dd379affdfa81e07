"""`fsm-identity audit` as an auditor types it: list, export, verify, and what somebody did to the trail (G1)."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sync.domain.audit.anchor import anchor_line
from sync.entrypoints.cli import app, audit
from sync.jobs.schedule.sweep import come_round
from sync.settings import AuditSettings
from sync.store.audit import chain
from tests.entrypoints.cli.conftest import Run, done, told
from tests.world import World

pytestmark = pytest.mark.req("G1")


@dataclass
class Settings:
    audit: AuditSettings


@dataclass
class Desk:
    """What an operator's commands touch, as far as these do."""

    world: World
    settings: Settings

    def __getattr__(self, name: str) -> object:
        return getattr(self.world.systems, name)


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Three people joined, and workers chained that; heads are kept in heads.jsonl, where there are any."""
    desk = Desk(world, Settings(AuditSettings(anchor_file=tmp_path / "heads.jsonl")))
    monkeypatch.setattr(audit, "open_operator_desk", lambda: desk)
    for name in ("ann.berg", "ben.lund", "cleo.hall"):
        world.join(name)
    come_round(world.systems)
    return lambda *arguments: CliRunner().invoke(app, ["audit", *arguments])


@pytest.fixture
def tamper(world: World) -> Callable[[str], None]:
    """Somebody who owns the database takes its triggers away first."""

    def change(statement: str) -> None:
        with sqlite3.connect(world.path) as connection:
            connection.execute("PRAGMA foreign_keys = off")
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            connection.execute(statement)

    return change


def test_a_trail_that_nobody_touched_is_consistent_and_not_proven(run: Run) -> None:
    """Nobody kept its head elsewhere, and it says so."""
    said = done(run("verify"))
    assert "3 audit entries: consistent in itself, not proven" in said
    answer = told(run, "verify")
    assert (answer["well"], answer["proven"], answer["waiting"]["count"]) == (True, None, 0)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE audit SET reason = 'another' WHERE id = (SELECT entry_id FROM audit_chain WHERE number = 2)",
         "changed at 2: entry"),
        ("UPDATE audit_chain SET body = replace(body, 'ben', 'bob') WHERE number = 2", "changed at 2: its text"),
        ("DELETE FROM audit_chain WHERE number = 2", "missing at 2: number 2 not there"),
        ("DELETE FROM audit WHERE id = (SELECT entry_id FROM audit_chain WHERE number = 2)",
         "missing at 2: entry"),
        ("INSERT INTO audit SELECT 'forged', at, actor, door, origin, caller_kind, caller_id, caller_host, "
         "action, account_id, before, after, reason, correlation_id FROM audit LIMIT 1", "inserted: entry forged"),
    ],
)  # fmt: skip
def test_what_somebody_did_to_the_trail_is_told(
    run: Run, tamper: Callable[[str], None], statement: str, words: str
) -> None:
    """Each in its own words, and the exit code is 1."""
    tamper(statement)
    said = run("verify")
    assert said.exit_code == 1
    assert words in said.output
    assert not json.loads(run("verify", "--json").stdout)["well"]


def test_an_end_that_was_cut_off_is_told_by_the_head_kept_elsewhere(
    run: Run, world: World, tamper: Callable[[str], None], tmp_path: Path
) -> None:
    """With it the trail is proven; without it nobody would notice."""
    head = world.read(chain.head)
    kept = tmp_path / "heads.jsonl"
    kept.write_text(anchor_line(head, world.clock.now()))
    assert "proven up to number 3" in done(run("verify"))
    tamper("DELETE FROM audit WHERE id = (SELECT entry_id FROM audit_chain WHERE number = 3)")
    tamper("DELETE FROM audit_chain WHERE number = 3")
    said = run("verify")
    assert said.exit_code == 1
    assert "end cut off: it ends at 2, and number 3 was anchored" in said.output
    other = tmp_path / "other.jsonl"
    kept.rename(other)
    assert "not proven" in done(run("verify"))
    assert run("verify", "--anchor", str(other)).exit_code == 1
    other.write_text("no head")
    assert "line 1 is no head" in run("verify", "--anchor", str(other)).output


def test_what_is_not_chained_yet_is_counted_and_not_well_after_a_minute(run: Run, world: World) -> None:
    """It is no flaw of the chain, and not a trail that can be trusted."""
    world.join("dan.holm")
    world.clock.advance(timedelta(seconds=30))
    assert "1 audit entry not chained yet, the oldest for 30 s" in done(run("verify"))
    world.clock.advance(timedelta(seconds=31))
    assert run("verify").exit_code == 1


def test_an_export_is_verified_without_the_database(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By us, with a head that was kept, and by anybody who has SHA-256."""
    path = tmp_path / "trail.jsonl"
    assert "3 audit entries in" in done(run("export", "-o", str(path)))
    assert path.stat().st_mode & 0o777 == 0o600
    assert "is there already" in run("export", "-o", str(path)).output
    assert done(run("export")) == path.read_text()
    monkeypatch.delattr(audit, "open_operator_desk")
    assert "consistent in itself" in done(run("verify", "--file", str(path)))
    lines = path.read_text().splitlines()
    for before, after in pairwise(lines[:-1]):
        assert json.loads(after)["previous"] == hashlib.sha256(before.encode()).hexdigest()
    assert "ben.lund@example.com" in lines[1]
    path.write_text("\n".join([*lines[:1], lines[1].replace("ben.lund", "bob.lund"), *lines[2:]]))
    said = run("verify", "--file", str(path))
    assert said.exit_code == 1
    assert "changed at 2" in said.output
    path.write_text("\n".join(lines[:2]))
    assert "end cut off" in run("verify", "--file", str(path)).output
    path.write_bytes(b"\xff\xfe")
    assert "is not UTF-8 text" in run("verify", "--file", str(path)).output
    assert "cannot be read" in run("verify", "--file", str(tmp_path / "nothing")).output


@pytest.mark.req("A7", "G1")
def test_the_trail_is_listed(run: Run, world: World) -> None:
    """Who, what and why, the newest first, of one account or of all."""
    everything = told(run, "list")
    assert [each["number"] for each in everything] == [3, 2, 1]
    [ben] = told(run, "list", "--account", "ben.lund@example.com")
    assert (ben["number"], ben["actor"], ben["reason"]) == (2, "dana", "because the test says so")
    assert "ben.lund@example.com" in done(run("list"))
    assert told(run, "list", "--action", "no such") == []
    tomorrow = (world.clock.now() + timedelta(days=1)).strftime("%Y-%m-%d")
    assert told(run, "list", "--since", tomorrow) == []
    assert len(told(run, "list", "--until", tomorrow)) == 3
    assert len(told(run, "list", "--limit", "2")) == 2
