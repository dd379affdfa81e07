"""Files that want to hurt, or are no spreadsheets at all: each is refused quickly and by name (F8)."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.spreadsheet import reading
from sync.spreadsheet.child import answer
from sync.spreadsheet.limits import LIMITS, FileRefused
from sync.spreadsheet.reading import load_file, read_sheet
from tests.spreadsheet.files import package, sheet_xml, workbook, zipped

DOCTYPE = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
HONEST = sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row>')
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)

SOUND = workbook(
    [["Personalnr.", "E-Mail"], *([f"{number:05}", f"p{number}@example.com"] for number in range(30))]
)


def displaced(content: bytes) -> bytes:
    """With a table of contents that says it lies 64 KiB further on, so that the parts lie before the beginning."""
    end = content.rindex(b"PK\x05\x06")
    (place,) = struct.unpack_from("<I", content, end + 16)
    return content[: end + 16] + struct.pack("<I", place + 2**16) + content[end + 20 :]


def packed_by(method: int) -> bytes:
    """A whole workbook, packed in another way."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(SOUND)) as sound, zipfile.ZipFile(packed, "w", method) as other:
        for name in sound.namelist():
            other.writestr(name, sound.read(name))
    return packed.getvalue()


HOSTILE = {
    "far cell": (
        package(
            sheet_xml(
                '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
            )
        ),
        "XFD1048576",
    ),
    "entities": (package(DOCTYPE + HONEST.replace("<v>1", "<v>&b;")), "document type"),
    "entities in UTF-16": (
        package(('<?xml version="1.0" encoding="UTF-16"?>' + DOCTYPE + HONEST).encode("utf-16")),
        "document type",
    ),
    "entities in the strings": (
        package(
            HONEST,
            **{
                "xl___rels__workbook.xml.rels": (
                    '<Relationships><Relationship Id="r1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>'
                    '<Relationship Id="r2" Type="x/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
                ),
                "xl__sharedStrings.xml": DOCTYPE + "<sst><si><t>&b;</t></si></sst>",
            },
        ),
        "document type",
    ),
    "zip bomb": (package(b"0" * (60 * 2**20)), "bomb"),
    "many parts": (zipped({f"part{number}": "" for number in range(2_500)}), "parts"),
    "macros": (package(HONEST, xl__vbaProject=b"", **{"xl__vbaProject.bin": b"x"}), "macros"),
    "binary workbook": (package(HONEST, **{"xl__workbook.bin": b"x"}), ".xlsb"),
    "open document": (zipped({"mimetype": "application/vnd", "content.xml": "<x/>"}), ".ods"),
    "another archive": (zipped({"photo.jpg": b"x"}), "not a spreadsheet"),
    "password": (OLE + "EncryptedPackage".encode("utf-16-le"), "password"),
    "old Excel": (OLE, ".xls"),
    "web page": (b"\xef\xbb\xbf \n<html><table><tr><td>E-Mail", "web page"),
    "pdf": (b"%PDF-1.7 ...", "PDF"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(50), "picture"),
    "nothing": (b"", "empty"),
    "blanks": (b" \r\n \r\n", "empty"),
    "half a file": (workbook([["a"]])[:2_000], "damaged"),
    "packed by LZMA": (packed_by(zipfile.ZIP_LZMA), "packed in a way"),
    "no such part": (zipped({"[Content_Types].xml": "", "xl/x": ""}), "lacks its part"),
    "broken XML": (package("<worksheet><sheetData><row>"), "damaged"),
    "rows backwards": (package(sheet_xml('<row r="5"/><row r="3"/>')), "row '3'"),
    "a string that is not there": (package(sheet_xml('<row r="1"><c r="A1" t="s"><v>9</v></c></row>')), "A1"),
    "merged without end": (
        package(
            HONEST.replace("</worksheet>", '<mergeCells><mergeCell ref="A1:GR100000"/></mergeCells></worksheet>')
        ),
        "merged",
    ),
    "noise": (bytes(range(128, 160)) * 100, "neither"),
    "zero bytes": (bytes([0, 0, 0, 1]) * 100, "neither"),
    "open quote": (b'a,b\n1,"2\n3,4\n', "quotation marks"),
}


@pytest.mark.supports("F8")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_refused_by_name(name: str) -> None:
    """Each refusal says what is wrong with the file, within seconds."""
    content, said = HOSTILE[name]
    begun = time.monotonic()
    with pytest.raises(FileRefused, match=said):
        read_sheet(content)
    assert time.monotonic() - begun < 20


@pytest.mark.supports("F8")
def test_a_part_before_the_beginning_is_refused_where_it_is_read() -> None:
    """One wrong byte in the table of contents is enough; zipfile calls that a ValueError."""
    with pytest.raises(FileRefused, match="damaged"):
        list(answer(displaced(SOUND), LIMITS, None))


@pytest.mark.supports("F8")
@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6))
def test_damaged_bytes_are_read_or_refused(damage: list[tuple[int, int]]) -> None:
    """Whatever bytes have changed on the way, the answer is rows or a refusal, never another error."""
    content = bytearray(SOUND)
    for place, byte in damage:
        content[place % len(content)] = byte
    try:
        lines = list(answer(bytes(content), LIMITS, None))
    except FileRefused:
        return
    assert isinstance(lines[-1], dict)
    assert lines[-1]["end"] == len(lines) - 2


@pytest.mark.supports("F8")
def test_reading_that_takes_too_long_is_ended() -> None:
    """The wall clock ends the child, and the message says what to do."""
    content = workbook([["x"] * 20] * 5_000)
    with pytest.raises(FileRefused, match="takes too long"):
        read_sheet(content, limits=replace(LIMITS, wall_seconds=0.05))


@pytest.mark.supports("F8")
def test_cells_without_end_do_not_fill_our_memory() -> None:
    """A file of 40 MB can hold 20 million cells of one sign: some gigabytes once they are rows."""
    with pytest.raises(FileRefused, match="more than 1,000 cells"):
        read_sheet(b"1,2,3,4,5,6,7,8,9,10\n" * 200, limits=replace(LIMITS, cells=1_000))


@pytest.mark.supports("F8")
def test_child_cannot_allocate_beyond_its_limit() -> None:
    """The allocation that aborts an unlimited process is a MemoryError in the limited one."""
    program = (
        "from sync.spreadsheet.child import limit_this_process\n"
        "from sync.spreadsheet.limits import LIMITS\n"
        "limit_this_process(LIMITS)\n"
        "try:\n    bytearray(2 * 2**30)\nexcept MemoryError:\n    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "refused"


@pytest.mark.supports("F8")
def test_child_knows_none_of_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that parses a foreign file has no secret to give away."""
    tell = "import os, json; print(json.dumps({'refused': ' '.join(os.environ), 'remedy': ''}))"
    monkeypatch.setattr(reading, "_COMMAND", (sys.executable, "-c", tell))
    monkeypatch.setenv("FSM_SECRET_KEYS", "secret")
    with pytest.raises(FileRefused) as refusal:
        read_sheet(b"a,b\n")
    assert "PATH" in refusal.value.reason
    assert "FSM" not in refusal.value.reason


def test_child_that_dies_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash of the parser is a refusal of the file, not a traceback."""
    monkeypatch.setattr(reading, "_COMMAND", (sys.executable, "-c", "import os; os.abort()"))
    with pytest.raises(FileRefused, match="damaged"):
        read_sheet(b"a,b\n")


def test_rows_that_stop_half_way_are_never_taken_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the last line the rows read so far are thrown away."""
    tell = 'print(\'{"kind": "csv", "detail": ""}\'); print(\'[1, [[1, "a"]]]\')'
    monkeypatch.setattr(reading, "_COMMAND", (sys.executable, "-c", tell))
    with pytest.raises(FileRefused, match="damaged"):
        read_sheet(b"a,b\n")


@pytest.mark.supports("F8")
def test_too_large_a_file_is_not_even_read(tmp_path: Path) -> None:
    """The size is checked before anything else."""
    path = tmp_path / "large.csv"
    path.write_bytes(b"x" * 200)
    with pytest.raises(FileRefused, match="larger"):
        load_file(path, replace(LIMITS, file_size=100))


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    """A wrong name is told apart from a wrong file."""
    with pytest.raises(FileRefused, match="there is no file"):
        load_file(tmp_path / "missing.xlsx")
    with pytest.raises(FileRefused, match="is a folder"):
        load_file(tmp_path)
