"""Keycloak on this machine: fetched once by its Maven coordinates, checked, unpacked and built once a user.

`prepared` returns the folder of a built Keycloak. It is complete as soon as it has its name, is shared by
all stacks and tests of the user, and is never written to afterwards (`keycloak_server` keeps data elsewhere).
FSM_DEV_KEYCLOAK_VERSION makes stacks and tests use another version; of several each is kept.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from sync.devstack.failure import StackFailure
from sync.devstack.lock import exclusive
from sync.devstack.part import Say
from sync.devstack.process import last_lines
from sync.devstack.services.java import find_java_home
from sync.settings import KEYCLOAK_VERSION

if TYPE_CHECKING:
    from jgo.maven import Artifact

FETCH_SECONDS = 60
"""How long the server may be silent while the archive is fetched."""
BUILD_SECONDS = 300


class ArchiveRefused(StackFailure):
    """The archive could not be fetched, is not the pinned one, or does not build. Nothing of it is kept."""


@dataclass(frozen=True)
class Archive:
    """An archive by its Maven coordinates. What it must be is pinned: size in bytes, SHA-256 as hexadecimal
    digits. None: nobody has looked at this version yet, and it is taken as it was fetched."""

    group: str
    artifact: str
    version: str
    size: int | None
    sha256: str | None

    @property
    def name(self) -> str:
        return f"{self.artifact}-{self.version}.zip"


PINNED = {
    "26.7.3": (176_710_367, "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f"),
}
"""What the archive of a version must be. `make keycloak VERSION=…` adds to it."""
OTHER_VERSION = "FSM_DEV_KEYCLOAK_VERSION"
BUILD_OPTIONS = ("--db=dev-file", "--health-enabled=true", "--metrics-enabled=true", "--cache=local")

Fetch = Callable[[Archive, Path], Path]
Build = Callable[[Path, tuple[str, ...]], None]


def cache_folder() -> Path:
    """Where the user's cache of this program lives."""
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "fsm-identity"


def archive_of(version: str) -> Archive:
    """Of one version of Keycloak, with what is pinned of it."""
    size, sha256 = PINNED.get(version, (None, None))
    return Archive("org.keycloak", "keycloak-quarkus-dist", version, size, sha256)


def wanted_version() -> str:
    """The Keycloak that the product is made for, or the one that FSM_DEV_KEYCLOAK_VERSION names."""
    return os.environ.get(OTHER_VERSION) or KEYCLOAK_VERSION


def prepared(
    say: Say,
    *,
    archive: Archive | None = None,
    options: tuple[str, ...] = BUILD_OPTIONS,
    cache: Path | None = None,
    fetch: Fetch | None = None,
    build: Build | None = None,
) -> Path:
    """The folder of a built Keycloak, of the wanted version unless `archive` says otherwise; made now if it is not
    there, without touching the network if it is.

    `say` is told what takes long. Processes that ask at once wait for the first. Raises ArchiveRefused.
    """
    archive = archive or archive_of(wanted_version())
    cache = cache or cache_folder()
    key = hashlib.sha256("\n".join((archive.sha256 or "", *sorted(options))).encode()).hexdigest()[:10]
    home = cache / f"keycloak-{archive.version}-{key}"
    if home.is_dir():
        return home
    with exclusive(cache / "keycloak.lock"):
        if home.is_dir():
            return home
        kept = checked_archive(cache, archive, fetch or fetch_by_coordinates, say)
        with tempfile.TemporaryDirectory(prefix="unfinished-", dir=cache) as folder:
            unfinished = Path(folder) / "keycloak"
            say(f"Unpacking and building Keycloak {archive.version}, once (about half a minute)")
            unpack(kept, unfinished)
            (build or build_keycloak)(unfinished, options)
            unfinished.rename(home)
    return home


def fetch_by_coordinates(archive: Archive, folder: Path) -> Path:
    """The archive from the user's local Maven repository if it is there, else fetched into `folder`.

    Raises ArchiveRefused if it is neither there nor can be fetched.
    """
    local = _artifact(archive, repository=None).cached_path
    if local is not None and local.is_file() and refusal(local, archive) is None:
        return local
    try:
        return _artifact(archive, repository=folder).resolve()
    except (OSError, RuntimeError) as error:
        raise ArchiveRefused(
            f"{archive.name} cannot be fetched: {error}\nIs there a network? Without one, fetch it elsewhere by "
            f"its Maven coordinates {archive.group}:{archive.artifact}:{archive.version} (packaging zip) and put "
            f"it at\n  {local}"
        ) from error


def refusal(file: Path, archive: Archive) -> str | None:
    """Why the file is not the pinned archive; None if it is. Where nothing is pinned it has to be whole."""
    if archive.sha256 is None:
        return None if zipfile.is_zipfile(file) else "it is no zip file, or not whole"
    size = file.stat().st_size
    if size != archive.size:
        return f"it has {size} bytes, pinned are {archive.size}"
    found = sha256_of(file)
    return None if found == archive.sha256 else f"its SHA-256 is {found}, pinned is {archive.sha256}"


def sha256_of(file: Path) -> str:
    """As hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def unpack(file: Path, target: Path) -> None:
    """Unpack without the archive's top folder, keeping the permission to execute."""
    with zipfile.ZipFile(file) as content:
        for entry in content.infolist():
            inside = PurePosixPath(*PurePosixPath(entry.filename).parts[1:])
            path = target / inside
            if entry.is_dir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with content.open(entry) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy)
            if (entry.external_attr >> 16) & 0o100:
                path.chmod(path.stat().st_mode | 0o111)


def build_keycloak(home: Path, options: tuple[str, ...]) -> None:
    """Run Keycloak's own build step, so that it starts in seconds. Raises ArchiveRefused with its last lines."""
    log = home / "build.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KC_")}
    with log.open("wb") as output:
        done = subprocess.run(
            [str(home / "bin" / "kc.sh"), "build", *options],
            env={**environment, "JAVA_HOME": str(find_java_home())},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=BUILD_SECONDS,
        )
    if done.returncode != 0:
        raise ArchiveRefused("Keycloak does not build:\n" + "\n".join(f"  | {line}" for line in last_lines(log)))


def checked_archive(cache: Path, archive: Archive, fetch: Fetch, say: Say) -> Path:
    """The archive in the user's cache, fetched now unless it is there. Raises ArchiveRefused."""
    kept = cache / archive.name
    if kept.is_file() and refusal(kept, archive) is None:
        return kept
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=cache) as folder:
        say(f"Fetching {archive.name} (about 180 MB), once")
        fetched = fetch(archive, Path(folder))
        wrong = refusal(fetched, archive)
        if wrong is not None:
            raise ArchiveRefused(f"{archive.name} is not the archive that is pinned: {wrong}. It was thrown away.")
        if archive.sha256 is None:
            say(f"No checksum of Keycloak {archive.version} is pinned here; fetched was {sha256_of(fetched)}")
        checked = Path(folder) / "checked.zip"
        try:
            checked.hardlink_to(fetched)
        except OSError:
            shutil.copyfile(fetched, checked)
        checked.rename(kept)
    return kept


def _artifact(archive: Archive, repository: Path | None) -> Artifact:
    """The archive in a local Maven repository; None means the user's own (M2_REPO, else ~/.m2)."""
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=repository, timeout=FETCH_SECONDS)
    return context.project(archive.group, archive.artifact).at_version(archive.version).artifact(packaging="zip")
