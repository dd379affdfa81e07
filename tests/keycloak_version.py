"""Moves the product to another Keycloak: `python -m tests.keycloak_version 26.8.0` (`make keycloak
VERSION=26.8.0`).

Fetches the archive, pins it, and writes the number wherever it stands. Whether the product works with it is then
for the tests to say.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from sync.devstack.failure import StackFailure
from sync.devstack.services.keycloak_archive import (
    archive_of,
    cache_folder,
    checked_archive,
    fetch_by_coordinates,
    sha256_of,
)

ROOT = Path(__file__).parent.parent
VERSION = r"\d+\.\d+\.\d+"
PLACES = {
    "sync/settings.py": r'(?<=^KEYCLOAK_VERSION = ")' + VERSION,
    "compose.yaml": r"(?<=quay\.io/keycloak/keycloak:)" + VERSION,
    "docs/keycloak-facts.md": r"(?<=It is all about \*\*Keycloak )" + VERSION,
}
"""Where the number stands, and how it is found there."""
PINS = "sync/devstack/services/keycloak_archive.py"


class NotFound(Exception):
    """The number does not stand where it should. The message names the file."""


def numbers(root: Path) -> dict[str, str]:
    """Place to the number that stands there. Raises NotFound."""
    return {name: _number(root, name) for name in PLACES}


def move(root: Path, version: str, size: int, sha256: str) -> None:
    """Write the number everywhere and pin its archive. Raises NotFound, and then has written nothing."""
    numbers(root)
    for name, where in PLACES.items():
        _rewrite(root / name, lambda text, where=where: re.sub(where, version, text, flags=re.MULTILINE))
    row = f'    "{version}": ({size:_}, "{sha256}"),\n'
    _rewrite(root / PINS, lambda text: re.sub(rf'^    "{re.escape(version)}": .*\n', "", text, flags=re.MULTILINE))
    _rewrite(root / PINS, lambda text: re.sub(r"(?<=^PINNED = \{\n)", row, text, flags=re.MULTILINE))


def _number(root: Path, name: str) -> str:
    found = re.search(PLACES[name], (root / name).read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise NotFound(f"{name} does not name a version of Keycloak any more")
    return found[0]


def _rewrite(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not re.fullmatch(VERSION, arguments[0]):
        _say("usage: make keycloak VERSION=26.8.0")
        return 2
    [version] = arguments
    try:
        file = checked_archive(cache_folder(), archive_of(version), fetch_by_coordinates, _say)
        move(ROOT, version, file.stat().st_size, sha256_of(file))
    except (StackFailure, NotFound) as failure:
        _say(str(failure))
        return 1
    _say(f"This is for Keycloak {version} now. Run make test; docs/keycloak-facts.md says what was measured.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
