"""What happened to an account stays told as it was, and no secret is ever in it (G1)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from typer.testing import CliRunner

from sync.domain.work.lane import Lane
from sync.entrypoints.cli import app
from sync.entrypoints.cli.operations import ops
from sync.jobs.mail import send_some
from tests.entrypoints.cli.conftest import Run, done, told
from tests.world import World

pytestmark = pytest.mark.req("G1")

WHO = "jo@example.com"
JO = (
    "--email",
    WHO,
    "--given-name",
    "Jo",
    "--family-name",
    "Lind",
    "--profile",
    "dispatcher",
    "--branch",
    "berlin",
)
PASSWORD = re.compile(r"\b(?:[a-z2-9]{4}-){5}[a-z2-9]{4}\b")


@pytest.fixture(autouse=True)
def _at_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker works at every wake."""
    monkeypatch.setattr(world.wake, "wake", lambda lane: lane is Lane.INTERACTIVE and world.work())
    monkeypatch.setattr(ops, "open_operator_desk", lambda: world.systems)


def timeline(who: str) -> list[dict[str, Any]]:
    """As an operator reads it."""
    entries: list[dict[str, Any]] = json.loads(done(CliRunner().invoke(app, ["ops", "timeline", who, "--json"])))
    return entries


def test_what_is_told_once_is_told_for_ever_with_who_and_why(run: Run, world: World) -> None:
    """Each act adds to it and changes nothing of before; the acts of people say by whom, through which door and
    why."""
    acts = {
        "joins": ("create", *JO),
        "married": ("change", WHO, "--family-name", "Berg"),
        "moves": ("change", WHO, "--branch", "hamburg"),
        "leaves": ("deactivate", WHO),
        "is back": ("reactivate", WHO),
        "lost the phone": ("end-sessions", WHO),
    }
    before: list[dict[str, Any]] = []
    for why, act in acts.items():
        world.pass_time(60)
        done(run(*act, "--reason", why))
        now = timeline(WHO)
        assert now[: len(before)] == before
        assert len(now) > len(before)
        before = now
    people = [entry for entry in before if entry["caller"] and entry["caller"]["kind"] == "machine"]
    assert list(dict.fromkeys(entry["reason"] for entry in people)) == list(acts)
    assert {entry["door"] for entry in people} == {"command line"}
    assert "family_name: Lind -> Berg" in str(before)


def test_no_password_is_kept_with_what_happened(run: Run, world: World) -> None:
    """Shown at the creation, shown at a reset, sent by mail: each opens the login, and afterwards none of them
    stands in what is told or in our database."""
    [first] = PASSWORD.findall(done(run("create", *JO, "--reason", "joins")))
    [user] = world.accounts.users.values()
    opened_by = [user.password]
    [second] = PASSWORD.findall(done(run("reset-password", WHO, "--reason", "forgot it")))
    opened_by.append(user.password)
    done(run("reset-password", WHO, "--mail", "--reason", "forgot it again"))
    while send_some(world.systems):
        pass
    opened_by.append(user.password)
    [mail] = world.mailer.sent
    [third] = PASSWORD.findall(mail.text)
    assert opened_by == [first, second, third]
    told_of = [str(timeline(WHO)), str(told(run, "show", WHO)), done(run("show", WHO))]
    stored = b"".join(path.read_bytes() for path in world.path.parent.glob(f"{world.path.name}*"))
    for password in (first, second, third):
        assert not [text for text in told_of if password in text]
        assert password.encode() not in stored
