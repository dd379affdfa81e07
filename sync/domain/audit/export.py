"""The audit chain as a file: a line a link, the hashed text itself, and a last line that says where it ends.

Each line's `previous` is the SHA-256 of the line before, so that anybody can check a file without our program; the
last line tells a file that was cut off from a whole one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sync.domain.audit.canonical import canonical
from sync.domain.audit.link import BEGINNING, Head
from sync.domain.audit.verifying import Finding, Flaw, Stored, Verified, verify


def lines(links: Iterable[Stored]) -> Iterator[str]:
    """Without line ends. Links are passed on as they are found: an export of a chain with flaws shows them."""
    head = BEGINNING
    for each in links:
        head = Head(each.told_number or head.number, each.own_hash)
        yield each.body
    yield canonical({"head": {"number": head.number, "hash": head.hash}})


def verify_lines(read: Iterable[str], anchors: Mapping[int, str]) -> Verified:
    """Judge an export, read line by line, like `verify`."""
    ends: list[Head] = []
    found = verify(_links(read, ends), anchors)
    if not ends:
        return _with(found, Finding(Flaw.CUT_OFF, None, "its last line, which says where it ends, is not there"))
    [end] = ends[-1:]
    if end.number > found.head.number:
        return _with(
            found, Finding(Flaw.CUT_OFF, None, f"its links end at {found.head.number}, it went to {end.number}")
        )
    if end != found.head:
        return _with(found, Finding(Flaw.CHANGED, found.head.number, "it is not what the last line says"))
    return found


def _links(read: Iterable[str], ends: list[Head]) -> Iterator[Stored]:
    """What follows the last line is a link put in like any other."""
    for line in read:
        each = Stored(line.rstrip("\n"))
        end = each.fields.get("head")
        match end:
            case {"number": int(number), "hash": str(hash_)} if not ends:
                ends.append(Head(number, hash_))
            case _:
                yield each


def _with(found: Verified, finding: Finding) -> Verified:
    counts = {**found.counts, finding.flaw: found.counts.get(finding.flaw, 0) + 1}
    return replace(found, findings=(*found.findings, finding), counts=counts)
