"""Which stack is meant: one variable says it to every command, and commands say where they looked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sync.devstack import surroundings
from sync.devstack.credentials import credentials_in
from sync.devstack.layout import Layout, make_home
from sync.devstack.stack import PARTS
from sync.devstack.surroundings import Surroundings
from sync.entrypoints.cli import app
from tests.devstack.test_mail_page import caught

pytestmark = [pytest.mark.req("J1"), pytest.mark.supports("J3")]


@pytest.fixture(autouse=True)
def without_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell that says nothing of fsm-identity, in a folder of its own."""
    for name in [name for name in os.environ if name.startswith("FSM_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def run(home: Path | None, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"FSM_DEV_HOME": str(home)} if home else {})


@pytest.fixture
def stack(tmp_path: Path) -> Layout:
    """The folder of a stack that was started once."""
    layout = Layout(tmp_path / "a stack")
    make_home(layout)
    ports = dict.fromkeys([purpose for part in PARTS.values() for purpose in part.ports], 1)
    place = Surroundings(layout, ports, credentials_in(layout.credentials))
    layout.settings.write_text(surroundings.as_toml(surroundings.for_command_line(place)))
    return layout


def test_one_variable_points_the_whole_command_line_at_a_stack(stack: Layout) -> None:
    """`dev` and every other command."""
    done = run(stack.home, "database", "upgrade")
    assert done.exit_code == 0, done.output
    assert stack.database.is_file()
    assert str(stack.home) in run(stack.home, "dev", "status").stdout


def test_a_file_that_is_named_goes_before(stack: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who works on an installation with settings of its own does not land on a stack."""
    other = tmp_path / "other.db"
    text = stack.settings.read_text().replace(f"sqlite:///{stack.database}", f"sqlite:///{other}")
    (tmp_path / "settings.toml").write_text(text)
    monkeypatch.setenv("FSM_SETTINGS", str(tmp_path / "settings.toml"))
    assert run(stack.home, "database", "upgrade").exit_code == 0
    assert other.is_file()
    assert not stack.database.exists()


def test_a_folder_without_a_stack_is_said(tmp_path: Path) -> None:
    """With what is missing there, and the way out."""
    refused = run(tmp_path / "nothing", "account", "list")
    assert refused.exit_code == 1
    said = " ".join(refused.stderr.split())
    assert f"FSM_DEV_HOME names no stack, there is no {tmp_path / 'nothing' / 'settings.toml'}" in said
    assert "fsm-identity dev up" in said


@pytest.mark.parametrize(
    ("command", "said"),
    [("status", "Nothing is running in"), ("down", "Nothing was running in"), ("mail", "No mail was caught in")],
)
def test_commands_say_in_which_folder_they_found_nothing(tmp_path: Path, command: str, said: str) -> None:
    """Most often it is the wrong one; without the variable they say that there is one."""
    here = run(None, "dev", command).stdout
    assert f"{said} {tmp_path / '.dev'}" in here
    assert "FSM_DEV_HOME=... names another folder" in here
    elsewhere = run(tmp_path / "elsewhere", "dev", command).stdout
    assert f"{said} {tmp_path / 'elsewhere'}" in elsewhere
    assert "names another folder" not in elsewhere


@pytest.fixture
def mails(stack: Layout) -> Layout:
    stack.mail.mkdir()
    caught(stack.mail, "1", "kim.lind@example.com", "Welcome, Kim", "Your password: abcd")
    caught(stack.mail, "2", "jo.berg@example.com", "Welcome, Jo", "Your password: efgh")
    caught(stack.mail, "3", "kim.lind@example.com", "A new password", "Your password: ijkl")
    return stack


def test_the_newest_mail_to_an_address_is_shown(mails: Layout) -> None:
    """Nobody looks for it in a list of hundreds; that there are others is said."""
    one = run(mails.home, "dev", "mail", "jo.berg@example.com").stdout
    assert "Your password: efgh\n" in one
    assert "U+000D" not in one
    assert "Kim" not in one
    several = run(mails.home, "dev", "mail", "Kim.Lind").stdout
    assert "Your password: ijkl" in several
    assert "Your password: abcd" not in several
    assert "Welcome, Kim" in several


def test_an_address_that_got_no_mail_is_said(mails: Layout) -> None:
    """With the folder, and how many went to others."""
    refused = run(mails.home, "dev", "mail", "nobody@example.com")
    assert refused.exit_code == 1
    said = " ".join(refused.stderr.split())
    assert said.endswith("none of the 3 mails in " + str(mails.mail) + " went to nobody@example.com")
