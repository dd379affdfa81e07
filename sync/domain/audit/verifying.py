"""Whether a chain is whole: read once from its beginning, in bounded memory, from our database or from an export.

Says apart what was changed, what is missing, what was put in, and what was cut off its end. The last is seen only
against a head that was kept elsewhere; without one a chain that was written anew from some place on is consistent
in itself, and that proves nothing (G1).
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from sync.domain.audit.link import BEGINNING, Entry, Head, body_of, hash_of

TOLD = 100
"""So many findings are kept; the rest is counted."""

AHEAD = 2
"""Links that are read before one is judged: whether a link was put in shows by what the next ones follow."""


class Flaw(StrEnum):
    """What was done to a chain."""

    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    CUT_OFF = "end cut off"


@dataclass(frozen=True, slots=True)
class Finding:
    """`number` is that of the link it is about; None: the entry has none."""

    flaw: Flaw
    number: int | None
    what: str


@dataclass(frozen=True)
class Stored:
    """A link as it was found. `hash` None: an export, in which the text alone stands. `entry` is the entry that
    our database has for it, None if it is gone; it counts where `compared`."""

    body: str
    number: int | None = None
    hash: str | None = None
    entry: Entry | None = None
    compared: bool = False

    @cached_property
    def own_hash(self) -> str:
        return hash_of(self.body)

    @cached_property
    def fields(self) -> Mapping[str, object]:
        """Empty for what is no link at all."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def told_number(self) -> int | None:
        """The number in the hashed text."""
        number = self.fields.get("number")
        return number if isinstance(number, int) else None

    @property
    def previous(self) -> object:
        return self.fields.get("previous")


@dataclass(frozen=True, slots=True)
class Verified:
    """`head` is where the chain ends. `anchored` is the last head kept elsewhere that the chain agrees with."""

    head: Head
    findings: tuple[Finding, ...]
    counts: Mapping[Flaw, int]
    anchored: Head | None

    @property
    def whole(self) -> bool:
        return not self.counts


class Findings:
    """Keeps the first ones and counts all."""

    def __init__(self) -> None:
        self.first: list[Finding] = []
        self.counts: Counter[Flaw] = Counter()

    def add(self, flaw: Flaw, number: int | None, what: str, many: int = 1) -> None:
        self.counts[flaw] += many
        if len(self.first) < TOLD:
            self.first.append(Finding(flaw, number, what))


def verify(links: Iterable[Stored], anchors: Mapping[int, str], strangers: Iterable[str] = ()) -> Verified:
    """Judge the links in their order. `anchors` are heads that were kept elsewhere, number to hash; `strangers`
    the ids of entries that are neither chained nor waiting for it."""
    found = Findings()
    head, anchored = BEGINNING, None
    for each, ahead in _with_those_ahead(links):
        after = _follow(head, each, ahead, found)
        if after is None:
            continue
        head = after
        _compare(each, head, found)
        if head.number in anchors:
            if anchors[head.number] == head.hash:
                anchored = head
            else:
                what = "it, or one before it, is not what was anchored"
                found.add(Flaw.CHANGED, head.number, what)
    last = max(anchors, default=0)
    if last > head.number:
        found.add(Flaw.CUT_OFF, None, f"it ends at {head.number}, and number {last} was anchored")
    for entry_id in strangers:
        found.add(Flaw.INSERTED, None, f"entry {entry_id} was put past the chain: no number, not waiting for one")
    return Verified(head, tuple(found.first), dict(found.counts), anchored)


def _with_those_ahead(links: Iterable[Stored]) -> Iterator[tuple[Stored, tuple[Stored, ...]]]:
    window = deque[Stored]()
    for each in links:
        window.append(each)
        if len(window) > AHEAD:
            yield window.popleft(), tuple(window)
    while window:
        yield window.popleft(), tuple(window)


def _follow(head: Head, each: Stored, ahead: tuple[Stored, ...], found: Findings) -> Head | None:
    """The head after this link; None: the link does not belong to the chain."""
    expected = head.number + 1
    followed = any(other.previous == each.own_hash for other in ahead)
    passed_by = any(other.previous == head.hash for other in ahead)
    if each.hash is not None and each.hash != each.own_hash:
        found.add(Flaw.CHANGED, each.number, "its text is not the one that was hashed")
        return Head(each.number or expected, each.own_hash if followed else each.hash)
    told = each.told_number
    if told is None or (passed_by and not followed):
        found.add(Flaw.INSERTED, each.number or told, "the chain goes on without it")
        return None
    if each.previous != head.hash or told != expected:
        if told < expected:
            found.add(Flaw.INSERTED, told, "this number was there before")
            return None
        if told > expected:
            gone = f"number {expected}" if told == expected + 1 else f"numbers {expected} to {told - 1}"
            found.add(Flaw.MISSING, expected, f"{gone} not there", many=told - expected)
        else:
            what = "it is not what the next one was hashed after" if head.number else "it does not begin the chain"
            found.add(Flaw.CHANGED, max(head.number, 1), what)
    return Head(told, each.own_hash)


def _compare(each: Stored, head: Head, found: Findings) -> None:
    """Whether our database still says what was hashed."""
    if not each.compared or each.hash != each.own_hash:
        return
    if each.entry is None:
        found.add(Flaw.MISSING, head.number, f"entry {each.fields.get('id')} is gone from the audit trail")
        return
    now = body_of(each.entry, head.number, str(each.previous), str(each.fields.get("chained_at")))
    if now != each.body:
        fields = json.loads(now)
        differ = sorted(name for name, value in each.fields.items() if fields.get(name) != value)
        what = f"entry {each.entry.id} of the audit trail says something else in {', '.join(differ)}"
        found.add(Flaw.CHANGED, head.number, what)
