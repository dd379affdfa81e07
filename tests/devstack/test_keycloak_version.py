"""Another Keycloak: for a trial by one variable, for good by one command."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from sync.devstack.services.keycloak_archive import PINNED, Archive, archive_of, prepared
from sync.settings import KEYCLOAK_VERSION
from tests.keycloak_version import PINS, PLACES, ROOT, NotFound, move, numbers

pytestmark = pytest.mark.supports("J6")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that hold the number."""
    for name in (*PLACES, PINS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def pins_of(root: Path) -> dict[str, tuple[int, str]]:
    [pinned] = [
        node.value
        for node in ast.parse((root / PINS).read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PINNED"
    ]
    return dict(ast.literal_eval(pinned))


def test_the_number_is_the_same_wherever_it_stands() -> None:
    """Code, containers and documents speak of one Keycloak."""
    assert set(numbers(ROOT).values()) == {KEYCLOAK_VERSION}


def test_the_archive_of_the_number_is_pinned() -> None:
    """Whoever sets up fetches the file that was tested. `make keycloak VERSION=…` pins it."""
    assert KEYCLOAK_VERSION in PINNED


def test_one_command_moves_all_of_it(copy: Path) -> None:
    """And the old one stays pinned, to be tried again. A second time changes nothing."""
    move(copy, "26.9.1", 1_234, "0" * 64)
    once = {name: (copy / name).read_text() for name in (*PLACES, PINS)}
    move(copy, "26.9.1", 1_234, "0" * 64)
    assert {name: (copy / name).read_text() for name in (*PLACES, PINS)} == once
    assert set(numbers(copy).values()) == {"26.9.1"}
    assert pins_of(copy) == {"26.9.1": (1_234, "0" * 64), **PINNED}


def test_a_place_that_lost_its_number_stops_the_move(copy: Path) -> None:
    """Half a move would leave two Keycloaks."""
    (copy / "compose.yaml").write_text("services: {}\n")
    with pytest.raises(NotFound, match=r"compose\.yaml"):
        move(copy, "26.9.1", 1_234, "0" * 64)
    shutil.copy(ROOT / "compose.yaml", copy / "compose.yaml")
    assert set(numbers(copy).values()) == {KEYCLOAK_VERSION}


def test_one_variable_tries_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_keycloak: Path
) -> None:
    """It is fetched, told with the checksum of what came, built and kept beside the tested one."""
    fetched: list[Archive] = []

    def fetch(archive: Archive, _: Path) -> Path:
        fetched.append(archive)
        return small_keycloak

    monkeypatch.setenv("FSM_DEV_KEYCLOAK_VERSION", "26.7.0")
    said: list[str] = []
    home = prepared(said.append, cache=tmp_path / "cache", fetch=fetch)
    assert fetched == [archive_of("26.7.0")]
    assert home.name.startswith("keycloak-26.7.0-")
    assert any("No checksum of Keycloak 26.7.0 is pinned here" in line for line in said)
    assert prepared(said.append, cache=tmp_path / "cache", fetch=fetch) == home
    assert len(fetched) == 1
