"""What kind of file this is, by its content and never by its name, and the ZIP checks before anything is parsed.

Formats that are known and not read yet (.xls, .ods, .xlsb) are refused by name here; reading one of them
later means a kind here and a reader beside `xlsx`.
"""

from __future__ import annotations

import zipfile
from typing import BinaryIO, Literal

from sync.spreadsheet.limits import FileRefused, Limits

FileKind = Literal["xlsx", "csv"]

SAVE_AS = "open it in a spreadsheet program and save it as .xlsx or .csv"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""All that a spreadsheet's package may use (ECMA-376 part 2)."""

_FOREIGN = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"{\\rtf", "an RTF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
)


def kind_of(file: BinaryIO, limits: Limits) -> FileKind:
    """The kind of an importable file. Raises FileRefused for every other one, saying what it is instead."""
    head = file.read(4096)
    file.seek(0)
    if not head.strip():
        raise FileRefused("the file is empty", "choose the staff file again")
    if head.startswith(_OLE):
        raise _ole_refusal(file.read(limits.file_size))
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise FileRefused(f"this is {what}, not a spreadsheet", "choose the staff file (.xlsx or .csv)")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        _check_package(file, limits)
        file.seek(0)
        return "xlsx"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")):
        raise FileRefused("this is a web page or XML with the name of a spreadsheet", SAVE_AS)
    return "csv"


def _ole_refusal(content: bytes) -> FileRefused:
    if _ENCRYPTED_PACKAGE in content:
        return FileRefused("the file is protected with a password", "save it without one and import it again")
    return FileRefused("this is an old Office file (.xls), which is not read yet", SAVE_AS)


def _check_package(file: BinaryIO, limits: Limits) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise FileRefused("the file is damaged or was not copied completely", "copy it again") from None
    if len(entries) > limits.zip_entries:
        raise FileRefused(f"the file has {len(entries):,} parts, a spreadsheet has fewer", SAVE_AS)
    if sum(entry.file_size for entry in entries) > limits.unpacked_size:
        raise FileRefused(f"the file unpacks to more than {limits.unpacked_size // 2**20} MiB", "split it")
    for entry in entries:
        if entry.file_size > limits.ratio_from and entry.file_size > limits.ratio * max(1, entry.compress_size):
            raise FileRefused("the file is packed suspiciously tight (a ZIP bomb?)", SAVE_AS)
    if any(entry.compress_type not in _PACKED for entry in entries):
        raise FileRefused("the file is packed in a way that no spreadsheet is", SAVE_AS)
    if any(entry.flag_bits & 1 for entry in entries):
        raise FileRefused("the file is protected with a password", "save it without one and import it again")
    _check_parts({entry.filename.lower() for entry in entries}, [entry.filename for entry in entries])


def _check_parts(names: set[str], listed: list[str]) -> None:
    if len(names) != len(listed):
        raise FileRefused("the file holds two parts of the same name", SAVE_AS)
    if any(name.endswith("vbaproject.bin") for name in names):
        raise FileRefused("the file contains macros (.xlsm)", "save it as .xlsx without macros")
    if "xl/workbook.bin" in names:
        raise FileRefused("this is a binary workbook (.xlsb), which is not read yet", SAVE_AS)
    if "content.xml" in names and "mimetype" in names:
        raise FileRefused("this is an OpenDocument file (.ods), which is not read yet", SAVE_AS)
    if "[content_types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise FileRefused("this is an archive, not a spreadsheet", "choose the staff file (.xlsx or .csv)")
