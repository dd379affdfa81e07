"""The TAB key: words at once, and names of accounts, profiles, branches, teams and levels as they are now."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.main import get_command

from sync.domain.accounts.account import Account
from sync.entrypoints.cli import app
from sync.entrypoints.cli.completion import values, words
from tests.entrypoints.cli.processes import settings_for, the_command_line
from tests.world import World

pytestmark = pytest.mark.req("I3", "J5")

LIBRARIES = {"sqlalchemy", "pydantic_settings", "structlog", "celery", "rich"}
EVERYBODY = ["ann.arno@example.com", "ben.berg@example.com", "cem.cohn@example.com"]
TAB = """
import sys
from sync.entrypoints.cli import main
try:
    main()
finally:
    print("LOADED", *sys.modules, file=sys.stderr)
"""


def tab(line: str, **settings: str) -> tuple[list[str], set[str]]:
    """What bash proposes after this line, and what the process had loaded for it."""
    written = ["fsm-identity", *line.split(" ")]
    said = the_command_line(
        script=TAB,
        _FSM_IDENTITY_COMPLETE="complete_bash",
        COMP_WORDS=" ".join(written),
        COMP_CWORD=str(len(written) - 1),
        **settings,
    )
    told, _, loaded = said.stderr.partition("LOADED")
    assert told == ""
    return said.stdout.split(), set(loaded.split())


@pytest.mark.parametrize(
    ("line", "proposed"),
    [
        ("acc", ["account"]),
        ("account rea", ["reactivate"]),
        ("account list --pro", ["--profile"]),
        ("ops pause in", ["interactive"]),
        ("ops circuit op", ["open"]),
        ("ops quarantine --kind un", ["unsafe"]),
        ("account list --inactive --json --inac", []),
    ],
)
def test_words_come_without_any_library_of_the_commands(line: str, proposed: list[str]) -> None:
    """Nouns, verbs, options and what has few values. An option that was written is not proposed again."""
    found, loaded = tab(line)
    assert found == proposed
    assert loaded & LIBRARIES == set()
    assert "sync.settings" not in loaded


@pytest.mark.supports("I3", "J5")
def test_the_words_are_those_of_the_commands() -> None:
    """Else: python -m sync.entrypoints.cli.completion.words"""
    assert words.FILE.read_text(encoding="utf-8") == words.as_text(words.index(get_command(app)))


@pytest.fixture
def known(world: World, people: list[Account], monkeypatch: pytest.MonkeyPatch) -> World:
    """Three accounts, and the shipped mapping files in force."""

    class InForce:
        policy = world.systems.policy

    monkeypatch.setattr(values, "load_settings", lambda: None)
    monkeypatch.setattr(values, "open_desk_with_policy", lambda _: (world.systems, InForce))
    return world


def names(line: str, begun: str) -> list[str]:
    """What is proposed of the things that change."""
    found = words.following(words.read(), line.split(), begun)
    assert found.kind is not None
    return [name for name, _ in values.proposed(found.kind, begun, found.given or {})]


@pytest.mark.supports("I3", "J5")
@pytest.mark.parametrize(
    ("line", "begun", "proposed"),
    [
        ("account list --profile", "d", ["dispatcher"]),
        ("account list --profile", "Read", ["read-only"]),
        ("account create --branch", "mü", ["muenchen"]),
        ("account list --branch = ", "K", ["koeln"]),
        ("account change jo --data-access", "p", ["personal"]),
        ("account list --branch Köln --team", "", ["koeln-klima", "koeln-sanitaer", "koeln-aufzug"]),
        ("account list --team", "Auf", ["koeln-aufzug", "berlin-aufzug"]),
        ("account show", "be", ["ben.berg@example.com"]),
        ("account show", "cohn", ["cem.cohn@example.com"]),
        (
            "account deactivate --reason left",
            "",
            ["ann.arno@example.com", "ben.berg@example.com", "cem.cohn@example.com"],
        ),
        ("ops retry ann.arno@example.com", "ce", ["cem.cohn@example.com"]),
        ("technician link T-1", "ann", ["ann.arno@example.com"]),
        ("account create --email", "a", []),
    ],
)
def test_names_are_proposed_where_they_are_meant(known: World, line: str, begun: str, proposed: list[str]) -> None:
    """Keys for titles, teams of the branch that was named, accounts by any part where no username begins so."""
    assert set(names(line, begun)) == set(proposed)


def test_where_nothing_can_be_known_nothing_is_said(tmp_path: Path) -> None:
    """No settings, no tables: the line that is being written stays as it is."""
    assert tab("account list --profile d")[0] == []
    assert tab("account show a", **settings_for(tmp_path))[0] == []
