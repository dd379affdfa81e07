"""What the demo says at its end: every command exists, and can be pasted."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from examples import ADMINISTRATOR
from examples.company import people
from examples.what_next import COMMAND, addresses, lines, point_here, trials
from sync.devstack.credentials import credentials_in
from sync.devstack.layout import Layout
from sync.devstack.stack import PARTS
from sync.devstack.surroundings import Surroundings
from sync.entrypoints.cli import app

pytestmark = pytest.mark.supports("J1")

ADMIN = next(each for each in people() if each.email == ADMINISTRATOR)


@pytest.fixture
def place(tmp_path: Path) -> Surroundings:
    """A stack in a folder whose name a shell would take apart."""
    home = tmp_path / "Anna's demo"
    home.mkdir()
    ports = {purpose: 20_000 + n for n, purpose in enumerate(p for part in PARTS.values() for p in part.ports)}
    return Surroundings(Layout(home), ports, credentials_in(home / "credentials.json"))


def commands(place: Surroundings) -> list[list[str]]:
    """What follows `fsm-identity` in every command that is shown."""
    words = [shlex.split(line) for line in said(place) if "fsm-identity " in line]
    return [rest for command, *rest in words if Path(command).name == "fsm-identity"]


def said(place: Surroundings) -> list[str]:
    """Without the titles of addresses."""
    reach = [line for _, shown in addresses(place, ADMIN, "password", "KEY") for line in shown]
    return [*reach, *(command for trial in trials(place) for command in trial.commands)]


def test_there_are_five_things_to_try_with_commands(place: Surroundings) -> None:
    """And each says what to look at."""
    assert len(trials(place)) == 5
    assert all(trial.commands and trial.look_at for trial in trials(place))


def test_every_command_that_is_shown_is_one(place: Surroundings) -> None:
    """The command line takes it, with its options, as it is."""
    assert len(commands(place)) >= 12
    for arguments in commands(place):
        command, context, rest = get_command(app), typer.Context(get_command(app)), arguments
        while hasattr(command, "get_command"):
            name, *rest = rest
            command = command.get_command(context, name)
            assert command is not None, arguments
        command.make_context("fsm-identity", rest)


def test_a_shell_takes_what_is_pasted(place: Surroundings) -> None:
    """Whatever the folder is called."""
    script = f'{point_here(place)}\nprintf %s "$FSM_DEV_HOME"'
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == str(place.layout.home)


def test_metrics_are_shown_with_their_token(place: Surroundings) -> None:
    """Without it another machine reads nothing."""
    [line] = [line for line in said(place) if line.startswith("curl")]
    assert f"Authorization: Bearer {place.credentials.metrics}" in shlex.split(line)[2]
    assert shlex.split(line)[-1] == f"{place.web_url}/metrics"


def test_everything_has_its_place(place: Surroundings) -> None:
    """The page of the mails with its login, and the command line before the rest."""
    text = "\n".join(lines(place, ADMIN, "the-password", "KEY"))
    assert text.index("export FSM_DEV_HOME=") < text.index(str(COMMAND.name)) < text.index("Five things to try")
    assert f"operator / {place.credentials.mail_page}" in text
    assert place.mail_url in text
