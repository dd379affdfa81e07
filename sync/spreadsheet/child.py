"""The process in which a foreign file is parsed: it limits itself first, knows no secret, and writes lines.

Run by `reading` as `python -m sync.spreadsheet.child`, with the file as standard input. It writes JSON
lines: how the file was understood, one line a row, and a last line that says it is complete. A refusal is a
line too; any other end is for the parent to explain.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from collections.abc import Iterator

from sync.spreadsheet.container import kind_of
from sync.spreadsheet.delimited import read_delimited
from sync.spreadsheet.limits import LIMITS, FileRefused, Limits
from sync.spreadsheet.sheet import SheetRow
from sync.spreadsheet.xlsx import read_xlsx


def limit_this_process(limits: Limits) -> None:
    """Address space, processor time, no files written, no core dump (F8)."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer(content: bytes, limits: Limits, sheet: str | None) -> Iterator[object]:
    """The lines to send, in order. Raises FileRefused."""
    file = io.BytesIO(content)
    merged: list[str] = []
    if kind_of(file, limits) == "xlsx":
        found = read_xlsx(file, limits, sheet)
        yield {"kind": "xlsx", "detail": f"sheet {found.sheet!r}"}
        rows, merged = found.rows, found.merged
    else:
        text = read_delimited(content, limits)
        yield {"kind": "csv", "detail": f"{text.encoding}, {text.delimiter}-separated"}
        rows = text.rows
    count = 0
    for row in rows:
        count += 1
        yield [row.number, _compact(row)]
    yield {"end": count, "merged": merged}


def _compact(row: SheetRow) -> list[list[int | str]]:
    return [
        [column, cell.text] if cell.problem is None else [column, cell.text, cell.problem]
        for column, cell in row.cells.items()
    ]


def main() -> None:
    """Read standard input, write lines. Exit code 0 also for a refusal: that is an answer."""
    limit_this_process(LIMITS)
    out = sys.stdout
    try:
        for line in answer(sys.stdin.buffer.read(), LIMITS, sys.argv[1] if len(sys.argv) > 1 else None):
            out.write(json.dumps(line) + "\n")
    except FileRefused as refusal:
        out.write(json.dumps({"refused": refusal.reason, "remedy": refusal.remedy}) + "\n")
    except MemoryError:
        out.write(json.dumps({"refused": "reading the file takes too much memory", "remedy": "split it"}) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
