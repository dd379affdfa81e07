"""The command line is there at once: what a command does not need it does not load (J1, J5)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sync.entrypoints.cli import NOUNS, app, overview
from tests.world import set_up

pytestmark = pytest.mark.req("J1", "J5")

RUN = """
import sys
before = set(sys.modules)
sys.argv = ["fsm-identity", {arguments}]
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
    script = RUN.format(arguments=", ".join(map(repr, arguments)))
    said = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(Path(__file__).parents[3]), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
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
    url = f"sqlite:///{tmp_path}/our.db"
    set_up(url)
    settings = {
        "FSM_DATABASE_URL": url,
        "FSM_REDIS_URL": "redis://127.0.0.1:1/0",
        "FSM_FIELD_SERVICE_URL": f"sqlite:///{tmp_path}/fsm.db",
        "FSM_SECRET_KEYS": "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=",
        "FSM_KEYCLOAK__URL": "http://127.0.0.1:1/",
        "FSM_MAIL__LOGIN_URL": "http://127.0.0.1:1/",
    }
    told, loaded = told_and_loaded("account", "list", **settings)
    assert told.startswith("username")
    assert loaded & WORKERS_USE == set()
