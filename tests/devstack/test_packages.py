"""The packages that set-up installs: one lock, one export, and no index named."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.req("J1")

ROOT = Path(__file__).parents[2]
EXPORT = (
    "--frozen",
    "--offline",
    "--all-extras",
    "--all-groups",
    "--no-emit-project",
    "--format",
    "requirements-txt",
)


def packages(requirements: str) -> list[str]:
    """The lines that pip reads."""
    return [line for line in requirements.splitlines() if not line.lstrip().startswith("#")]


def test_what_set_up_installs_is_what_is_locked() -> None:
    """requirements.txt is the export of uv.lock, so that plain pip installs what uv resolved."""
    exported = subprocess.run(
        [str(Path(sys.executable).with_name("uv")), "export", *EXPORT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert packages(exported) == packages((ROOT / "requirements.txt").read_text())


def test_the_lock_fits_the_project() -> None:
    """Each dependency that pyproject.toml declares stands in the lock's own list of them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    [own] = [package for package in lock["package"] if package["name"] == "fsm-identity"]
    declared = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["services"],
    ]
    names = {re.split(r"[\[<>=; ]", each, maxsplit=1)[0] for each in declared}
    assert names == {each["name"] for each in own["metadata"]["requires-dist"]}


@pytest.mark.parametrize("name", ["uv.lock", "requirements.txt", "Makefile", ".ci/run", ".ci/find-python"])
def test_no_index_is_named(name: str) -> None:
    """Which index serves the packages is the machine's business; hashes say which files are meant."""
    hosts = set(re.findall(r"https?://([a-z0-9.-]+)", (ROOT / name).read_text()))
    assert hosts <= {"index.invalid", "files.invalid"}


def test_every_package_that_is_installed_has_a_hash() -> None:
    """pip refuses a file that is not the locked one."""
    blocks = re.split(r"\n(?=\S)", (ROOT / "requirements.txt").read_text())
    without = [block.split()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block]
    assert without == []
