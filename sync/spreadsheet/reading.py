"""Read a staff file: check its size, let a limited child process parse it, take the rows back within bounds.

The only way from a foreign file to rows. Nothing is ever parsed in the process that holds our secrets (F8).
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

from sync.domain.imports.row import Cell
from sync.spreadsheet.limits import LIMITS, FileRefused, Limits
from sync.spreadsheet.sheet import Sheet, SheetRow, Source, column_letters, fill_merged

_COMMAND = (sys.executable, "-P", "-m", "sync.spreadsheet.child")
_LONGEST_LINE = 16 * 2**20


def load_file(path: Path, limits: Limits = LIMITS) -> bytes:
    """The bytes of a file, once: digest and rows come from the same ones. Raises FileRefused."""
    try:
        with path.open("rb") as file:
            content = file.read(limits.file_size + 1)
    except IsADirectoryError:
        raise FileRefused(f"{path} is a folder", "name the staff file in it") from None
    except FileNotFoundError:
        raise FileRefused(f"there is no file {path}", "check the name") from None
    except OSError as error:
        raise FileRefused(f"{path} cannot be read: {error.strerror}", "check its permissions") from None
    if len(content) > limits.file_size:
        raise FileRefused(f"the file is larger than {limits.file_size // 2**20} MiB", "split it")
    return content


def digest(content: bytes) -> str:
    """SHA-256 of the file's bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def read_sheet(content: bytes, sheet: str | None = None, limits: Limits = LIMITS) -> Sheet:
    """Every row with something in it. Raises FileRefused, in bounded time and memory, for anything else.

    `sheet` names one sheet of a workbook; without it the first visible one with something in it is read.
    """
    if len(content) > limits.file_size:
        raise FileRefused(f"the file is larger than {limits.file_size // 2**20} MiB", "split it")
    with tempfile.TemporaryFile() as handed_over:
        handed_over.write(content)
        handed_over.seek(0)
        child = subprocess.Popen(  # noqa: S603 - a fixed command; the sheet's name is an argument, not code
            [*_COMMAND, *([sheet] if sheet else [])],
            stdin=handed_over,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        timed_out = threading.Event()
        watch = threading.Timer(limits.wall_seconds, _end, (child, timed_out))
        watch.start()
        try:
            assert child.stdout is not None  # noqa: S101 - it was asked for above
            return _take(child.stdout, digest(content), limits)
        except _BrokenOff:
            child.kill()
            raise _explain(child.wait(), timed_out=timed_out.is_set()) from None
        finally:
            watch.cancel()
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()


class _BrokenOff(Exception):
    """The child ended, or was ended, without its last line."""


def _take(stream: IO[bytes], content_digest: str, limits: Limits) -> Sheet:
    source = _line(stream)
    rows: list[SheetRow] = []
    taken = cell_count = 0
    while True:
        line = _line(stream)
        if isinstance(line, dict):
            break
        number, cells = line
        taken += sum(len(cell[1]) for cell in cells)
        cell_count += len(cells)
        if cell_count > limits.cells:
            raise FileRefused(f"more than {limits.cells:,} cells hold something", "split it, or leave columns out")
        if taken > limits.output or len(rows) >= limits.rows:
            raise FileRefused("the file holds more text than a staff file", "split it")
        rows.append(
            SheetRow(number, {cell[0]: Cell(f"{column_letters(cell[0])}{number}", *cell[1:]) for cell in cells})
        )
    if line["end"] != len(rows):
        raise _BrokenOff
    if not rows:
        raise FileRefused("the file is empty", "choose the staff file again")
    return Sheet(
        Source(source["kind"], source["detail"], content_digest), fill_merged(rows, line["merged"], limits)
    )


def _line(stream: IO[bytes]) -> Any:  # noqa: ANN401 - JSON of our own child
    raw = stream.readline(_LONGEST_LINE)
    if not raw.endswith(b"\n"):
        raise _BrokenOff
    line = json.loads(raw)
    if isinstance(line, dict) and "refused" in line:
        raise FileRefused(line["refused"], line["remedy"])
    return line


def _end(child: subprocess.Popen[bytes], timed_out: threading.Event) -> None:
    timed_out.set()
    child.kill()


def _explain(exit_code: int, *, timed_out: bool) -> FileRefused:
    if timed_out or exit_code == -signal.SIGXCPU:
        return FileRefused("reading the file takes too long", "split it, or save it as .csv")
    return FileRefused("the file cannot be read: its contents are damaged", "open it and save it again")


def _environment() -> dict[str, str]:
    """Nothing of ours: no setting, no secret."""
    return {key: os.environ[key] for key in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH") if key in os.environ}
