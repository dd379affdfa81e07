"""The mass-change guard: how many accounts a run does what to, and whether a person has to approve it (E7).

Pure. Each door that can change many judges its whole run before anything is handed out (rule:
judge-the-whole-run), together with what the same source has let pass within an hour, a day and a week before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeAlias

from mappings.guard import KINDS, WINDOWS, ChangeKind, GuardedDoor, GuardRules, Limit, Window
from sync.domain.access.callers import Caller, id_of, kind_of

LENGTH: Final[Mapping[Window, timedelta]] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
"""Each longer than the one before: what the last does not reach is not counted any more."""


@dataclass(frozen=True, slots=True)
class Impact:
    """How many accounts of a run each kind of change happens to; an account may be counted under several."""

    counts: Mapping[ChangeKind, int] = field(default_factory=dict)

    @classmethod
    def of(cls, accounts: Iterable[Iterable[ChangeKind]]) -> Impact:
        """From the effects on each account, in any order."""
        return cls(Counter(kind for kinds in accounts for kind in kinds))

    def __getitem__(self, kind: ChangeKind) -> int:
        return self.counts.get(kind, 0)

    def __add__(self, other: Impact) -> Impact:
        return Impact({kind: self[kind] + other[kind] for kind in KINDS})

    def __neg__(self) -> Impact:
        return Impact({kind: -number for kind, number in self.counts.items()})

    def without(self, kinds: Collection[ChangeKind]) -> Impact:
        return Impact({kind: number for kind, number in self.counts.items() if kind not in kinds})


@dataclass(frozen=True, slots=True)
class Pass:
    """Nothing is exceeded."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A person has to approve it; `reasons` say which limits are exceeded, in the order of the kinds."""

    reasons: tuple[str, ...]


GuardVerdict: TypeAlias = Pass | Hold
Windows: TypeAlias = Mapping[Window, Impact]
"""What one source has let pass without an approval, by how long ago at most."""

WORDS: Mapping[ChangeKind, str] = {
    "created": "created",
    "changed": "changed",
    "disabled": "disabled",
    "moved": "moved to another branch or team",
    "demoted": "able to do or see less",
    "unlinked": "without their technician record, or with another one",
    "promoted": "able to do or see more",
    "privileged": "able to keep accounts, or to see the whole company beyond what their profile has by default",
}


def source_of(caller: Caller) -> str:
    """What a caller does, file after file and account after account, comes from one source."""
    return f"{kind_of(caller)} {id_of(caller)}"


def judge(
    impact: Impact, population: int, rules: GuardRules, door: GuardedDoor, earlier: Windows | None = None
) -> GuardVerdict:
    """A run, or one change that a source pushes. `population` is how many accounts are active before it,
    `earlier` what the same source has let pass before. Only what this run does counts: a joiner is not held
    because many have left."""
    limits = rules.of(door)
    reasons = tuple(
        f"{what} would be {WORDS[kind]}: {exceeded}"
        for kind in KINDS
        if impact[kind]
        for what, exceeded in _first(_steps(kind, impact, earlier or {}), population, limits[kind])
    )
    return Hold(reasons) if reasons else Pass()


def beyond(passed: Windows, kinds: Collection[ChangeKind], population: int, rules: GuardRules) -> tuple[str, ...]:
    """Which limits are exceeded by what a person has done to one account after the other, of these kinds: for a
    warning, for such acts are not held."""
    return tuple(
        f"{WORDS[kind]}: {what}, {exceeded}"
        for kind in KINDS
        if kind in kinds
        for what, exceeded in _first(_steps(kind, Impact(), passed), population, rules.limits[kind])
    )


def _steps(kind: ChangeKind, impact: Impact, earlier: Windows) -> Iterator[tuple[Window, str, int]]:
    """The run alone, then with each window, the shortest first: by which limit, since when, how many accounts."""
    yield "hour", "", impact[kind]
    for window in WINDOWS:
        before = earlier[window][kind] if window in earlier else 0
        if before:
            yield window, f" within {'an' if window == 'hour' else 'a'} {window}", before + impact[kind]


def _first(steps: Iterable[tuple[Window, str, int]], population: int, limit: Limit) -> Iterator[tuple[str, str]]:
    """The first that is too much, in words, if there is one: what follows from it is not said again."""
    for window, when, number in steps:
        exceeded = _exceeded(number, population, limit.within(window))
        if exceeded:
            yield f"{_accounts(number)}{when}", exceeded
            return


def _exceeded(number: int, population: int, limit: Limit) -> str:
    """In words; empty if nothing is."""
    if limit.accounts is not None and number > limit.accounts:
        return f"more than {limit.accounts or 'none'}"
    if limit.percent is None or population == 0 or number < limit.percent_from:
        return ""
    if number * 100 > limit.percent * population:
        return f"{number * 100 // population} % of {population} active ones, more than {limit.percent} %"
    return ""


def _accounts(number: int) -> str:
    return "1 account" if number == 1 else f"{number} accounts"
