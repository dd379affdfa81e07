"""The table of requirements and the tests that show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.coverage_table import REQUIREMENTS, NotReadable, Requirement, collect, coverage_page, read_requirements

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
    """Tests are grouped by file; a row nobody shows says so."""
    page = coverage_page(ROWS, {"J1": ["tests/a.py::test_one", "tests/a.py::test_two"]})
    assert "1 of 2 rows are shown by tests, 0 of them in part." in page
    assert "**A1** It exists.\n\n- not yet\n" in page
    assert "- [tests/a.py](../tests/a.py): test_one, test_two\n" in page


def test_a_row_that_is_there_in_part_is_counted_as_such() -> None:
    """It says what is missing; one that nobody shows is not there at all."""
    rows = [Requirement("A1", "A. The account", "It exists. Not yet: its face."), ROWS[1]]
    assert "1 of 2 rows are shown by tests, 1 of them in part." in coverage_page(
        rows, {"A1": ["tests/a.py::test"]}
    )
    assert "1 of 2 rows are shown by tests, 0 of them in part." in coverage_page(
        rows, {"J1": ["tests/a.py::test"]}
    )


def test_a_mark_with_an_unknown_id_is_refused() -> None:
    """A typing mistake in a mark would hide a test from the table."""
    with pytest.raises(NotReadable, match=r"Z9 \(tests/a.py::test_one\)"):
        coverage_page(ROWS, {"Z9": ["tests/a.py::test_one"]})


def test_tests_are_collected_and_not_run(tmp_path: Path) -> None:
    """Parameters of one test count once; nothing is executed."""
    (tmp_path / "test_marked.py").write_text(
        "import pytest\n"
        "@pytest.mark.req('A1', 'J1')\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "def test_it(n):\n"
        "    open('ran', 'w')\n"
    )
    found = collect(tmp_path)
    assert list(found) == ["A1", "J1"]
    assert [test.rpartition("::")[2] for test in found["A1"]] == ["test_it"]
    assert not (tmp_path / "ran").exists()


def test_a_module_that_cannot_be_imported_is_not_left_out_silently(tmp_path: Path) -> None:
    """The table would look as if its tests did not exist."""
    (tmp_path / "test_broken.py").write_text("import there_is_no_such_module\n")
    with pytest.raises(NotReadable, match="there_is_no_such_module"):
        collect(tmp_path)
