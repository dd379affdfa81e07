"""Who sits at the command line is what the kernel says, not what the shell says."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from sync.entrypoints.cli import machine as of_the_kernel
from sync.entrypoints.cli.machine import UNSET, this_machine

pytestmark = pytest.mark.supports("A7")


def test_the_login_id_counts_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays what it was through sudo and su."""
    login_id = tmp_path / "loginuid"
    login_id.write_text("54321", encoding="ascii")
    monkeypatch.setattr(of_the_kernel, "LOGIN_ID", login_id)
    machine = this_machine()
    assert (machine.number, machine.login, machine.name) == (54321, None, "uid 54321")
    assert machine.host


@pytest.mark.parametrize("kept", [str(UNSET), "", "?"])
def test_without_one_it_is_the_real_user_id(tmp_path: Path, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container, or under what was started at boot."""
    login_id = tmp_path / "loginuid"
    login_id.write_text(kept, encoding="ascii")
    monkeypatch.setattr(of_the_kernel, "LOGIN_ID", login_id)
    assert this_machine().number == os.getuid()
    monkeypatch.setattr(of_the_kernel, "LOGIN_ID", tmp_path / "missing")
    assert this_machine().login == pwd.getpwuid(os.getuid()).pw_name


def test_variables_of_the_shell_say_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody can set them."""
    for name in ("LOGNAME", "USER", "USERNAME", "SUDO_USER", "SUDO_UID"):
        monkeypatch.setenv(name, "boss")
    monkeypatch.setattr(of_the_kernel, "LOGIN_ID", tmp_path / "missing")
    assert this_machine().login == pwd.getpwuid(os.getuid()).pw_name
