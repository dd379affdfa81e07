"""Who somebody is to an approval and to the history, whatever the variables of their shell say: real processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sync.commands.mappings.in_force import adopt_first
from sync.entrypoints.cli.machine import this_machine
from sync.jobs.run_kinds import apply_chunk
from tests.commands.imports.import_sites import KEY, import_site, imported, person, staff_file
from tests.e2e.command_line import CommandLine, Said
from tests.world import FIRST

Shell = Callable[..., Said]
PEOPLE = [person(number) for number in range(1, 13)]
BOSS = {"LOGNAME": "boss", "USER": "boss", "USERNAME": "boss", "SUDO_USER": "boss", "SUDO_UID": "4711"}
WHY = ("--reason", "the boss said so")


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Twelve people in Hamburg."""
    url = f"sqlite:///{tmp_path / 'our.db'}"
    with import_site(url) as systems:
        adopt_first(systems.db, None, FIRST, systems.clock.now())
        imported(systems, *PEOPLE)
    return url


@pytest.fixture
def shell(tmp_path: Path, database: str) -> Shell:
    """Runs one command line in which every variable says that it is the boss's."""
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'database_url = "{database}"\n'
        f'secret_keys = "{KEY}"\n'
        'redis_url = "redis://127.0.0.1:9/0"\n'
        f'field_service_url = "sqlite:///{tmp_path}/fsm.db"\n'
        '[keycloak]\nurl = "http://127.0.0.1:9"\n'
        '[mail]\nlogin_url = "http://127.0.0.1:9/"\n'
    )
    command = CommandLine(tmp_path, settings)

    def run(*arguments: str, **environment: str) -> Said:
        return command.run(*arguments, **{**BOSS, **environment})

    return run


def moved(folder: Path, number: int) -> str:
    """A file that moves so many of them to Cologne."""
    (folder / "moved.csv").write_bytes(staff_file(*(each | {"Niederlassung": "Köln"} for each in PEOPLE[:number])))
    return "moved.csv"


@pytest.mark.req("G6", "A7")
@pytest.mark.supports("I4")
def test_no_variable_makes_the_confirmer_somebody_else(shell: Shell, tmp_path: Path) -> None:
    """Under the boss's name as little as under the own; nothing is approved, and nobody is called boss."""
    assert shell("import", "review", moved(tmp_path, 12), "--reason", "the list of March").code == 0
    shell("import", "confirm", "last", "--yes", "--reason", "looks right").refused("held", "100 % of 12")
    own = this_machine().name
    held = shell("runs", "show", "last")
    plan = next(line.split()[1] for line in held.out.splitlines() if line.startswith("plan "))
    for name in ("boss", own, "somebody"):
        said = shell("runs", "approve", "last", "--plan", plan, *WHY, LOGNAME=name, USER=name)
        said.refused(f"takes somebody else than {own}, who confirmed it")
    shown = shell("runs", "show", "last").out
    assert "held" in shown
    assert f"{own} (command line): the list of March" in shown
    assert "boss" not in shown


@pytest.mark.req("A7", "F4")
def test_the_history_names_the_login_and_the_reason_of_the_confirmation(
    shell: Shell, tmp_path: Path, database: str
) -> None:
    """Not the reviewer's reason beside the confirmer's name, and no name that a variable gave."""
    assert shell("import", "review", moved(tmp_path, 1), "--reason", "the list of March").code == 0
    confirmed = shell("import", "confirm", "last", "--yes", "--no-wait", "--reason", "looks right")
    assert confirmed.code == 0, confirmed
    with import_site(database) as systems:
        while apply_chunk(systems):
            pass
    shown = shell("ops", "timeline", "pat1@example.com").out
    told = " ".join(shown.split())
    assert f"{this_machine().name} (command line, import): looks right (import of moved.csv" in told
    assert "the list of March" not in told
    assert "boss" not in told
