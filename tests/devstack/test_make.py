"""What a person meets first: make, and the Python it finds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.req("J1")

ROOT = Path(__file__).parents[2]
FIND = ROOT / ".ci" / "find-python"


def python_in(folder: Path, name: str, version: str, *, venv: bool = True) -> None:
    """A program that answers like a Python of some version, with or without the venv module."""
    folder.mkdir(exist_ok=True)
    script = folder / name
    minor = version.partition(".")[2] if version.startswith("3.") else "0"
    script.write_text(
        f'#!/bin/sh\ncase "$2" in\n  *ensurepip*) exit {0 if venv else 1} ;;\n  *) echo {minor} ;;\nesac\n'
    )
    script.chmod(0o755)


def find(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Look for a Python among the programs of `folder` only."""
    folder.mkdir(exist_ok=True)
    return subprocess.run(
        ["/bin/sh", str(FIND), *arguments],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )


def test_the_newest_that_fits_is_taken(tmp_path: Path) -> None:
    """Under whichever name it is known, and whatever stands before it."""
    python_in(tmp_path, "python3.11", "3.11")
    python_in(tmp_path, "python3.12", "3.12")
    python_in(tmp_path, "python3", "3.14")
    assert find(tmp_path).stdout.strip() == str(tmp_path / "python3")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_each_supported_python_is_found(tmp_path: Path, version: str) -> None:
    """A fresh Debian or Ubuntu has one of them."""
    python_in(tmp_path, "python3", version)
    assert find(tmp_path).stdout.strip() == str(tmp_path / "python3")


@pytest.mark.parametrize("version", ["2.7", "3.10", "3.15"])
def test_an_old_or_too_new_python_is_passed_over(tmp_path: Path, version: str) -> None:
    """Its packages would not be those that are locked."""
    python_in(tmp_path, "python3", version)
    python_in(tmp_path, "python", "3.12")
    assert find(tmp_path).stdout.strip() == str(tmp_path / "python")


def test_what_is_no_python_at_all_is_passed_over(tmp_path: Path) -> None:
    """Version managers leave programs that only say which versions they know."""
    tmp_path.joinpath("python3.14").write_text("#!/bin/sh\nexit 127\n")
    tmp_path.joinpath("python3.14").chmod(0o755)
    python_in(tmp_path, "python3", "3.11")
    assert find(tmp_path).stdout.strip() == str(tmp_path / "python3")


def test_a_python_without_venv_is_passed_over_for_one_that_has_it(tmp_path: Path) -> None:
    """Debian ships Pythons without the venv module."""
    python_in(tmp_path, "python3.12", "3.12", venv=False)
    python_in(tmp_path, "python3.11", "3.11")
    assert find(tmp_path).stdout.strip() == str(tmp_path / "python3.11")


def test_no_venv_anywhere_names_the_package_to_install(tmp_path: Path) -> None:
    """The message is the remedy."""
    python_in(tmp_path, "python3", "3.11", venv=False)
    found = find(tmp_path)
    assert found.returncode == 1
    assert found.stderr.startswith("python3 has no venv module")
    assert "apt install python3.11-venv" in found.stderr


def test_no_python_says_which_are_meant(tmp_path: Path) -> None:
    """Nothing suitable: the versions and the way to name one."""
    found = find(tmp_path)
    assert found.returncode == 1
    assert "No Python 3.11 to 3.14 found" in found.stderr
    assert "make PYTHON=" in found.stderr


def test_the_python_the_user_names_is_the_only_one_looked_at(tmp_path: Path) -> None:
    """A wrong PYTHON= is said, not silently replaced."""
    python_in(tmp_path, "python3.11", "3.11")
    python_in(tmp_path, "mine", "3.10")
    found = find(tmp_path, "mine")
    assert found.returncode == 1
    assert found.stderr.strip() == "PYTHON=mine is not a Python 3.11 to 3.14."


def test_this_python_is_found(tmp_path: Path) -> None:
    """The real one that runs this test fits."""
    assert find(tmp_path, sys.executable).stdout.strip() == sys.executable


def test_help_lists_every_target() -> None:
    """No target is hidden, and make alone shows the list."""
    makefile = (ROOT / "Makefile").read_text()
    declared = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert declared is not None
    shown = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^  make (\w+)", shown, re.MULTILINE)
    assert sorted(listed) == sorted(declared[1].split())
