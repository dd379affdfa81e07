"""What `--help` says is for whoever types the command (H3, I3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from sync.entrypoints.cli import app

pytestmark = pytest.mark.supports("H3", "I3")

REQUIREMENT = re.compile(r"\([A-J]\d+(?:[-,] ?[A-J]?\d+)*\)")
"""How code names rows of the requirements."""


def helps(command: Any, name: str = "fsm-identity") -> Iterator[tuple[str, str]]:
    """The help of a command and of all below it, and of what each takes."""
    yield name, command.help or ""
    yield from ((f"{name} {each.name}", getattr(each, "help", None) or "") for each in command.params)
    if isinstance(command, TyperGroup):
        for below in command.list_commands(None):  # type: ignore[arg-type]
            yield from helps(command.get_command(None, below), f"{name} {below}")  # type: ignore[arg-type]


def test_no_help_names_rows_that_only_developers_have() -> None:
    """A reader has no list to look "(B3)" up in."""
    found = dict(helps(get_command(app)))
    assert len(found) > 100
    assert {name: text for name, text in found.items() if REQUIREMENT.search(text)} == {}
