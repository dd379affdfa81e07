"""How `fsm-identity realm` tells a plan: cut for a small terminal, whole where it is asked for (C8, H3)."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from sync.domain.realm.difference import Create, RealmPlan
from sync.domain.realm.item import Item, ItemKind
from sync.entrypoints.cli import app, realm
from tests.entrypoints.cli.conftest import Terminal

pytestmark = [pytest.mark.req("C8"), pytest.mark.supports("H3")]

ROLES = tuple(f"fsm/feature-number-{number}" for number in range(12))
MADE = Create(Item(ItemKind.GROUP, "/fsm/profiles/manager", {"roles": ROLES}))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The realm lacks one group, which is to carry many roles."""
    for name in ("load_settings", "open_realm_desk", "adopted_policy"):
        monkeypatch.setattr(realm, name, Mock())
    monkeypatch.setattr(realm.realm_as_code, "plan", lambda *_: RealmPlan((MADE,)))
    return lambda *arguments: CliRunner().invoke(app, ["realm", "drift", *arguments])


def test_a_line_that_is_cut_says_how_it_is_seen_whole(run: Any, terminal: Terminal) -> None:
    """And is seen so."""
    terminal(80)
    cut = run()
    assert ROLES[-1] not in cut.stdout
    assert max(map(len, cut.stdout.splitlines())) <= 80
    assert "--details shows them whole" in cut.stderr
    whole = run("--details")
    assert all(role in whole.stdout for role in ROLES)
    assert "…" not in whole.output


def test_in_a_pipe_no_line_is_cut(run: Any) -> None:
    """Whoever searches it finds everything."""
    said = run()
    assert all(role in said.stdout for role in ROLES)
    assert said.stderr == ""


@pytest.mark.supports("C8", "H3")
def test_a_step_of_apply_is_told_without_what_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    """It was shown before."""
    realm._tell(MADE)
    assert capsys.readouterr().out == "  + group /fsm/profiles/manager\n"
