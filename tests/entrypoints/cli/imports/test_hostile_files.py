"""Files that want to hurt, at the command line: refused by name, and nothing is left of them (F8)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.entrypoints.cli.imports.conftest import Run
from tests.spreadsheet.files import package, sheet_xml

FAR = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.req("F8", "I3")
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (package(b"0" * (60 * 2**20)), "bomb"),
        (package(sheet_xml(FAR)), "XFD1048576"),
        (package(ENTITIES + sheet_xml('<row r="1"><c r="A1"><v>&b;</v></c></row>')), "document type"),
        (package(sheet_xml(""), **{"xl__vbaProject.bin": b"x"}), "macros"),
    ],
    ids=["a zip bomb", "a cell far away", "entities", "macros"],
)
def test_a_hostile_file_is_refused_by_name_and_leaves_nothing(
    run: Run, tmp_path: Path, content: bytes, said: str
) -> None:
    """One line that says what is wrong with it, soon; no run is made of it."""
    (tmp_path / "staff.xlsx").write_bytes(content)
    refused = run("review", "staff.xlsx")
    assert refused.exit_code == 1
    assert said in refused.output
    assert len(refused.output) < 400
    assert json.loads(run("list", "--json").output) == []
