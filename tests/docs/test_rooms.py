"""The rooms of docs/architecture.md are those of the tree: each concept under one name on every floor."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FLOORS = {
    "domain": "domain",
    "store": "store",
    "commands": "commands",
    "views": "views",
    "jobs": "jobs",
    "cli": "entrypoints/cli",
    "web": "entrypoints/web",
}
"""A column of the grid, and its folder below `sync/` and below `tests/`."""

LARGEST = 12


def table(first: str) -> list[dict[str, str]]:
    """The rows of the table whose first column has this title, by the titles of its columns; none without it."""
    found = re.search(rf"^\| {first} \|.*\n\|[-|]+\n(?:\|.*\n)*", PAGE, re.MULTILINE)
    if found is None:
        return []
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in found[0].splitlines()]
    return [dict(zip(lines[0], row, strict=True)) for row in lines[2:]]


ROOMS = {row["room"]: row for row in table("room")}
PLACES = {row["floor"]: set(row["places"].split(", ")) for row in table("floor")}
EXCEPTIONS = {row["exception"] for row in table("exception")}


def modules(folder: Path) -> set[str]:
    """What stands in a folder and is of a module's or a package's kind."""
    return {
        path.stem
        for path in folder.iterdir()
        if (path.is_dir() and path.name != "__pycache__") or (path.suffix == ".py" and path.stem != "__init__")
    }


def there(floor: str) -> set[str]:
    return modules(ROOT / "sync" / FLOORS[floor]) - PLACES.get(floor, set())


@pytest.mark.parametrize("floor", FLOORS)
def test_the_rooms_of_a_floor_are_those_of_the_grid(floor: str) -> None:
    """Nothing stands there that has no row, and nothing has a mark that is not there."""
    assert there(floor) == {name for name, row in ROOMS.items() if row[floor]}


@pytest.mark.parametrize("wing", ["commands", "views", "jobs"])
def test_the_directions_of_a_wing_are_those_that_the_linter_keeps(wing: str) -> None:
    """In words and as a contract."""
    [said] = re.findall(rf"^- {wing}: ((?:.|\n  )*)[;.]$", PAGE, re.MULTILINE)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [kept] = [each["layers"] for each in contracts if each.get("containers") == [f"sync.{wing}"]]
    as_written = [{room.strip() for room in step.split(",")} for step in said.split("→")]
    assert as_written == [{room.strip() for room in layer.split("|")} for layer in kept]


@pytest.mark.parametrize("floor", FLOORS)
def test_what_belongs_to_no_concept_is_there(floor: str) -> None:
    """A place that is gone has no name any more."""
    assert PLACES.get(floor, set()) <= modules(ROOT / "sync" / FLOORS[floor])


def test_tests_stand_in_the_same_rooms() -> None:
    """Below each floor of tests/ are rooms of the grid or places of that floor, and all of them are marked."""
    tested = set()
    for floor, folder in FLOORS.items():
        here = ROOT / "tests" / folder
        rooms = {path.name for path in here.glob("*/") if path.name != "__pycache__"}
        unknown = rooms - ROOMS.keys() - PLACES.get(floor, set())
        assert not unknown, f"tests/{folder}: {sorted(unknown)}"
        tested |= rooms & ROOMS.keys()
    assert tested == {name for name, row in ROOMS.items() if row["tests"]}


def test_a_room_is_a_folder_from_two_modules_on_and_no_hall() -> None:
    """One module is a file, more than twelve are two concepts; who differs says why on the page."""
    odd = {
        f"{floor}/{room}"
        for floor, folder in FLOORS.items()
        for room in there(floor)
        if (here := ROOT / "sync" / folder / room).is_dir() and not 2 <= len(modules(here)) <= LARGEST
    }
    assert odd == EXCEPTIONS
