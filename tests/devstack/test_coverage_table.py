"""The table of requirements and the tests that show or support them."""

from __future__ import annotations

import pkgutil
from pathlib import Path

import pytest

from tests.coverage_table import (
    REQUIREMENTS,
    Marked,
    NotReadable,
    Requirement,
    collect,
    coverage_page,
    read_requirements,
)
from tests.doors import DOORS

ROWS = [Requirement("A1", "A. The account", "It exists."), Requirement("J1", "J. Running", "It runs.")]


def test_the_page_of_requirements_has_every_row_once() -> None:
    """All 75 rows are read, in order, with their headings."""
    rows = read_requirements(REQUIREMENTS.read_text())
    counts = {group[0]: 0 for group in dict.fromkeys(row.group for row in rows)}
    for row in rows:
        counts[row.id[0]] += 1
        assert row.id == f"{row.group[0]}{counts[row.id[0]]}"
    assert counts == {"A": 10, "B": 5, "C": 9, "D": 9, "E": 8, "F": 9, "G": 6, "H": 6, "I": 7, "J": 6}


def test_a_row_lists_its_tests_or_says_not_yet() -> None:
    """Tests are grouped by file; a row nobody shows says so, whatever supports it."""
    shown = {"J1": ["tests/a.py::test_one", "tests/a.py::test_two"]}
    page = coverage_page(ROWS, Marked(shown, {"A1": ["tests/b.py::test_three"], "J1": ["tests/b.py::test_four"]}))
    assert "1 of 2 rows are shown, 0 of them in part; 1 of the others are supported." in page
    assert "**A1** It exists.\n\n- not yet\n- supported by [b.py](../tests/b.py) (1)\n" in page
    assert "- shown by [a.py](../tests/a.py): test_one, test_two\n- supported by [b.py]" in page


def test_a_row_that_is_there_in_part_is_counted_as_such() -> None:
    """It says what is missing; one that nobody shows is not there at all."""
    rows = [Requirement("A1", "A. The account", "It exists. Not yet: its face."), ROWS[1]]
    for id_, in_part in (("A1", 1), ("J1", 0)):
        page = coverage_page(rows, Marked({id_: ["tests/a.py::test"]}))
        assert f"1 of 2 rows are shown, {in_part} of them in part; 0 of the others" in page


@pytest.mark.parametrize("kind", ["shown", "supported"])
def test_a_mark_with_an_unknown_id_is_refused(kind: str) -> None:
    """A typing mistake in a mark would hide a test from the table."""
    marked = Marked(**{"shown": {}, kind: {"Z9": ["tests/a.py::test_one"]}})
    with pytest.raises(NotReadable, match=r"Z9 \(tests/a.py::test_one\)"):
        coverage_page(ROWS, marked)


def test_tests_are_collected_and_not_run(tmp_path: Path) -> None:
    """Parameters of one test count once; nothing is executed."""
    (tmp_path / "test_marked.py").write_text(
        "import pytest\n"
        "@pytest.mark.supports('A1', 'J1')\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "def test_it(n):\n"
        "    open('ran', 'w')\n"
    )
    found = collect(tmp_path).supported
    assert list(found) == ["A1", "J1"]
    assert [test.rpartition("::")[2] for test in found["A1"]] == ["test_it"]
    assert not (tmp_path / "ran").exists()


STORES = """
import pytest

pytestmark = pytest.mark.req("A1")

def test_it_is_stored():
    assert {"name": "jo"}["name"] == "jo"
"""


def marked_in(folder: Path, text: str) -> Marked:
    """The marks of a module with this text. Its name is its own: modules of one process are kept by name."""
    (folder / f"{folder.name}_test.py").write_text(text)
    return collect(folder)


def test_who_goes_through_no_door_shows_nothing(tmp_path: Path) -> None:
    """A test of what is stored cannot be marked `req`; the message names it and says what to do."""
    with pytest.raises(NotReadable, match=r"(?s)tests/doors.py: mark them `supports`.*test_it_is_stored"):
        coverage_page(ROWS, marked_in(tmp_path, STORES))


def test_the_mark_of_a_test_goes_before_that_of_its_module(tmp_path: Path) -> None:
    """One test of a module may only support what the others show."""
    own = STORES.replace("def test", '@pytest.mark.supports("A1")\ndef test')
    marked = marked_in(tmp_path, own)
    assert (list(marked.shown), list(marked.supported), list(marked.doorless)) == ([], ["A1"], [])


WAYS = {
    "the test": """
def test_it():
    CliRunner().invoke(app)
""",
    "a fixture, which hands on a way through it": """
@pytest.fixture
def run():
    return lambda: CliRunner().invoke(app)

def test_it(run):
    run()
""",
    "a method of what a fixture makes, of its base": """
class Door:
    @property
    def opened(self):
        return CliRunner()

class Place(Door):
    pass

@pytest.fixture
def place():
    return Place()

def test_it(place):
    place.opened.invoke(app)
""",
    "a helper in a parameter": """
def typed():
    CliRunner().invoke(app)

@pytest.mark.parametrize("act", [typed])
def test_it(act):
    act()
""",
    "a module of the tests": """
import subprocess

def test_it():
    subprocess.run(["fsm-identity", "account", "list"])
""",
}


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_a_door_is_found_on_whichever_way_a_test_comes_to_it(tmp_path: Path, way: str) -> None:
    """Else tests that show a row could not say so."""
    head = "import pytest\nfrom typer.testing import CliRunner\npytestmark = pytest.mark.req('A1')\napp = None\n"
    assert "- shown by" in coverage_page(ROWS, marked_in(tmp_path, head + way))


@pytest.mark.parametrize("door", list(DOORS))
def test_every_door_is_there(door: str) -> None:
    """One that was renamed would lead nowhere."""
    assert callable(pkgutil.resolve_name(door))


def test_a_module_that_cannot_be_imported_is_not_left_out_silently(tmp_path: Path) -> None:
    """The table would look as if its tests did not exist."""
    (tmp_path / "test_broken.py").write_text("import there_is_no_such_module\n")
    with pytest.raises(NotReadable, match="there_is_no_such_module"):
        collect(tmp_path)
