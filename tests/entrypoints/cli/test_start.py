"""The command line is there at once: what a command does not need it does not load (J1, J5)."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from sync.entrypoints.cli import NOUNS, app, overview
from tests.entrypoints.cli.processes import settings_for, the_command_line
from tests.world import set_up

pytestmark = [pytest.mark.req("J5"), pytest.mark.supports("J1")]

RUN = """
import sys
before = set(sys.modules)
from sync.entrypoints.cli import main
try:
    main()
finally:
    print("LOADED", *(set(sys.modules) - before))
"""
WORKERS_USE = {
    "celery",
    "kombu",
    "redis",
    "alembic",
    "mako",
    "keycloak",
    "openpyxl",
    "jinja2",
    "httpx",
}


def told_and_loaded(*arguments: str, **environment: str) -> tuple[str, set[str]]:
    """What a command says in a process of its own, and the modules it loads for it."""
    said = the_command_line(*arguments, script=RUN, **environment)
    assert said.returncode == 0, said.stderr
    told, _, loaded = said.stdout.partition("LOADED")
    return told, set(loaded.split())


def test_the_overview_comes_without_any_library() -> None:
    """Not even those of Python: it is as soon there as Python itself."""
    told, loaded = told_and_loaded("--help")
    assert told == overview()
    assert loaded <= {"__future__", "sync", "sync.entrypoints", "sync.entrypoints.cli"}


def test_the_overview_is_one_whoever_prints_it() -> None:
    """Each noun with what it is about, on a line that fits a small terminal."""
    told = CliRunner().invoke(app, ["--help"]).output
    assert told.strip() == overview().strip()
    for noun, (_, about) in NOUNS.items():
        assert f"  {noun:<13}{about}\n" in told
        assert about in CliRunner().invoke(app, [noun, "--help"]).output.replace("\n", " ")
    assert max(len(line) for line in told.splitlines()) <= 100


def test_a_list_loads_nothing_that_only_workers_and_upgrades_need(tmp_path: Path) -> None:
    """It asks our database, whose tables are those of this version."""
    settings = settings_for(tmp_path)
    set_up(settings["FSM_DATABASE_URL"])
    told, loaded = told_and_loaded("account", "list", **settings)
    assert told.startswith("username")
    assert loaded & WORKERS_USE == set()
