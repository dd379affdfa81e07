"""Fetching, checking, unpacking and building Keycloak once."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from sync.devstack.services.java import NoJava, find_java_home, java_version
from sync.devstack.services.keycloak_archive import (
    Archive,
    ArchiveRefused,
    archive_of,
    build_keycloak,
    fetch_by_coordinates,
    prepared,
)
from sync.settings import KEYCLOAK_VERSION

pytestmark = pytest.mark.supports("J1")


@pytest.fixture
def source(small_keycloak: Path) -> Path:
    return small_keycloak


def pinned(source: Path) -> Archive:
    """The coordinates and checks of the small archive."""
    content = source.read_bytes()
    return Archive("com.example", "server", "1.0", len(content), hashlib.sha256(content).hexdigest())


def test_the_archive_is_unpacked_with_its_permissions_and_built(source: Path, tmp_path: Path) -> None:
    """The start script can be executed and the build step has run with the options, once."""
    cache = tmp_path / "cache"
    for _ in range(2):
        home = prepared(
            print, archive=pinned(source), options=("--a", "--b"), cache=cache, fetch=lambda _, __: source
        )
    assert os.access(home / "bin" / "kc.sh", os.X_OK)
    assert not os.access(home / "lib" / "quarkus-run.jar", os.X_OK)
    assert (home / "built").read_text() == "build --a --b\n"


def test_a_second_start_touches_no_network(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once complete, nothing is fetched, and no socket is even opened."""
    cache = tmp_path / "cache"
    first = prepared(print, archive=pinned(source), cache=cache, fetch=lambda _, __: source)

    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", no_network)
    said: list[str] = []
    assert prepared(said.append, archive=pinned(source), cache=cache) == first
    assert said == []


def test_other_build_options_are_built_from_the_kept_archive(source: Path, tmp_path: Path) -> None:
    """A changed build needs no network either, and leaves the first one in place."""
    cache = tmp_path / "cache"
    first = prepared(print, archive=pinned(source), options=("--a",), cache=cache, fetch=lambda _, __: source)
    source.unlink()
    kept = pinned(cache / "server-1.0.zip")
    second = prepared(print, archive=kept, options=("--b",), cache=cache, fetch=fetch_nothing)
    assert first != second
    assert first.is_dir()


def fetch_nothing(archive: Archive, folder: Path) -> Path:
    """A fetch that must not happen."""
    raise AssertionError(f"{archive.name} was fetched")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"sha256": "0" * 64}, "its SHA-256 is"),
        ({"size": 12}, "bytes, pinned are 12"),
    ],
)
def test_a_wrong_archive_is_refused_and_leaves_nothing(
    source: Path, tmp_path: Path, change: dict[str, object], why: str
) -> None:
    """Neither the archive nor anything unpacked of it stays behind."""
    cache = tmp_path / "cache"
    wrong = replace(pinned(source), **change)  # type: ignore[arg-type]
    with pytest.raises(ArchiveRefused, match=why):
        prepared(
            print, archive=wrong, cache=cache, fetch=lambda _, folder: shutil.copy(source, folder / "got.zip")
        )
    assert [path.name for path in cache.iterdir()] == ["keycloak.lock"]


def test_a_damaged_archive_in_the_cache_is_fetched_anew(source: Path, tmp_path: Path) -> None:
    """A disk that ran full earlier does not stop the set-up for ever."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "server-1.0.zip").write_bytes(b"half")
    home = prepared(print, archive=pinned(source), cache=cache, fetch=lambda _, __: source)
    assert (home / "lib" / "quarkus-run.jar").read_text() == "jar"


def test_a_build_that_fails_leaves_only_the_checked_archive(source: Path, tmp_path: Path) -> None:
    """The next try builds again, and need not fetch again."""

    def broken(home: Path, options: tuple[str, ...]) -> None:
        (home / "half-built").touch()
        raise ArchiveRefused("does not build")

    cache = tmp_path / "cache"
    with pytest.raises(ArchiveRefused):
        prepared(print, archive=pinned(source), cache=cache, fetch=lambda _, __: source, build=broken)
    assert sorted(path.name for path in cache.iterdir()) == ["keycloak.lock", "server-1.0.zip"]
    home = prepared(print, archive=pinned(source), cache=cache, fetch=fetch_nothing)
    assert not (home / "half-built").exists()


def test_a_failing_build_shows_what_it_said(source: Path, tmp_path: Path) -> None:
    """The message holds the last lines of the build's output."""
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "kc.sh").write_text("#!/bin/sh\necho unknown option $2\nexit 2\n")
    (home / "bin" / "kc.sh").chmod(0o755)
    with pytest.raises(ArchiveRefused, match="unknown option --x"):
        build_keycloak(home, ("--x",))


def test_two_processes_at_once_prepare_once(source: Path, tmp_path: Path) -> None:
    """The second waits for the first and uses its work; both get the same folder."""
    cache = tmp_path / "cache"
    context = multiprocessing.get_context("spawn")
    arguments = (source, pinned(source), cache)
    both = [context.Process(target=_prepare, args=arguments) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(timeout=60)
    assert [process.exitcode for process in both] == [0, 0]
    assert len((tmp_path / "fetched").read_text().splitlines()) == 1
    [home] = cache.glob("keycloak-1.0-*")
    assert len((home / "built").read_text().splitlines()) == 1


def _prepare(source: Path, archive: Archive, cache: Path) -> None:
    def fetch(_: Archive, __: Path) -> Path:
        with (source.parent / "fetched").open("a") as file:
            file.write("once\n")
        return source

    prepared(print, archive=archive, cache=cache, fetch=fetch)


def test_without_a_network_the_message_says_where_to_put_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone behind a wall learns which file by which coordinates goes where."""
    closed = 1
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed}")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "repository"))
    with pytest.raises(ArchiveRefused) as refused:
        fetch_by_coordinates(archive_of(KEYCLOAK_VERSION), tmp_path / "new")
    assert str(tmp_path / "repository" / "org" / "keycloak") in str(refused.value)
    assert f"org.keycloak:keycloak-quarkus-dist:{KEYCLOAK_VERSION}" in str(refused.value)


def test_a_copy_in_the_local_maven_repository_is_used(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Maven or a person put there needs no network."""
    place = tmp_path / "repository" / "com" / "example" / "server" / "1.0"
    place.mkdir(parents=True)
    shutil.copy(source, place / "server-1.0.zip")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "repository"))
    assert fetch_by_coordinates(pinned(source), tmp_path / "new") == place / "server-1.0.zip"


def test_an_old_java_of_the_user_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Java 17 does not run Keycloak 26: the packaged one is taken; a new enough one of the user's wins."""
    homes = {}
    for version in ("17.0.15", "21.0.2"):
        home = tmp_path / version
        (home / "bin").mkdir(parents=True)
        (home / "bin" / "java").touch()
        (home / "release").write_text(f'IMPLEMENTOR="Example"\nJAVA_VERSION="{version}"\n')
        homes[java_version(home)] = home
    monkeypatch.setenv("JAVA_HOME", str(homes[17]))
    assert (found := find_java_home()) != homes[17]
    assert (java_version(found) or 0) >= 21
    monkeypatch.setenv("JAVA_HOME", str(homes[21]))
    assert find_java_home() == homes[21]


def test_no_java_at_all_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names both ways out."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr("sync.devstack.services.java.find_spec", lambda _: None)
    with pytest.raises(NoJava, match=r"Set JAVA_HOME to a Java 21, or run `make setup`"):
        find_java_home()
