"""The packages that set-up installs: one lock, one export, and no index named."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

pytestmark = pytest.mark.supports("J1")

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
LINUX = {
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
}
PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)]
PLATFORMS += [f"manylinux{old}_x86_64" for old in ("2014", "2010", "1")]
"""What Linux systems of x86-64 take that are not older than Debian 10."""
REQUIRED = re.compile(r"^([a-z][^ ]*==.+?) \\$", re.MULTILINE)


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


@pytest.mark.supports("J5")
def test_python_3_11_to_3_14_will_do() -> None:
    """What a Debian or Ubuntu of these years has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    fits = SpecifierSet(project["project"]["requires-python"])
    assert [minor for minor in range(8, 20) if f"3.{minor}.1" in fits] == [11, 12, 13, 14]


@pytest.mark.supports("J5")
@pytest.mark.parametrize("minor", [11, 12, 13, 14])
def test_set_up_compiles_nothing(minor: int) -> None:
    """Whichever Python it is: each package that is installed there has a wheel for Linux x86-64."""
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    wheels = {(each["name"], each["version"]): each.get("wheels", []) for each in locked if "version" in each}
    there = LINUX | {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.4"}
    usable = {*cpython_tags((3, minor), platforms=PLATFORMS), *compatible_tags((3, minor), "cp", PLATFORMS)}

    def fits(address: str) -> bool:
        return not usable.isdisjoint(parse_wheel_filename(address.rpartition("/")[2])[3])

    asked = [Requirement(line) for line in REQUIRED.findall((ROOT / "requirements.txt").read_text())]
    installed = [each for each in asked if each.marker is None or each.marker.evaluate(there)]
    assert len(installed) > 100
    without = [
        str(each)
        for each in installed
        if not any(fits(wheel["url"]) for wheel in wheels[each.name, str(each.specifier).removeprefix("==")])
    ]
    assert without == []


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
