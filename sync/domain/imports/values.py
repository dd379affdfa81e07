"""What a row of a staff file says, in the words of the policy: keys instead of titles, dates instead of texts.

An empty cell says nothing (the account keeps what it has); a dash takes away what may be missing. Whatever
cannot be understood becomes a finding that names the cell and how to mend it (F2).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from mappings.attributes import BUILT_IN, Attribute, AttributeType
from mappings.files.names import Named, name_key, names_of
from mappings.policy import Policy
from sync.domain.accounts.account import login_key
from sync.domain.accounts.attribute_values import NotUnderstood, value_of
from sync.domain.accounts.spelling import code_points, invisible
from sync.domain.imports.row import ImportRow

Value = str | date | None
"""None: taken away by a dash."""

Wrong = tuple[str, str]
"""Why a text means nothing, and the remedy."""

Find: TypeAlias = Callable[[str], Named | None]
Unknown: TypeAlias = Callable[[str], Wrong | None]
"""What is wrong with a text that no entry has as a name; None: nothing that would have to be said."""

DASHES = frozenset({"-", "–", "—"})
CLEARABLE = frozenset(each.key for each in BUILT_IN if each.clearable)
KNOWN_BY = tuple(each.key for each in BUILT_IN if each.known_by)
READ_OTHERWISE = {*KNOWN_BY, "given_name", "family_name"}
PLAIN = tuple(each for each in BUILT_IN if each.type is not AttributeType.ENTRY and each.key not in READ_OTHERWISE)
"""Attributes of which a cell is all there is to be looked at."""

_PARTICLES = frozenset(
    {
        "von",
        "van",
        "vom",
        "zu",
        "zum",
        "zur",
        "de",
        "del",
        "della",
        "di",
        "da",
        "dos",
        "du",
        "des",
        "der",
        "den",
        "la",
    }
)
"""Words with which a family name begins; `split_name` keeps them with it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with, or remarkable about, a row. `address` is the cell, or `row 17`."""

    address: str
    field: str
    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.address}: {self.reason}" + (f" ({self.remedy})" if self.remedy else "")


@dataclass(frozen=True, slots=True)
class Stated:
    """What the row says; a field that is missing here was empty or could not be understood."""

    values: Mapping[str, Value]
    findings: tuple[Finding, ...]
    warnings: tuple[Finding, ...] = ()


def identity(row: ImportRow) -> Mapping[str, str]:
    """What the person is known by: username and e-mail as login keys, employee number and technician id."""
    found = row.identity
    for field in () if found else KNOWN_BY:
        text = _usable(row, field)
        if text and text not in DASHES:
            found[field] = login_key(text) if field in {"username", "email"} else text
    return found


def stated_name(row: ImportRow) -> str:
    """The name as the row says it, given name first; empty if it says none."""
    parts = [row.text("given_name"), row.text("family_name")]
    if not any(parts):
        parts = list(split_name(row.text("full_name")))
    return " ".join(part for part in parts if part)


class Reader:
    """Understands the rows of one file. `technicians`: those of the FSM system; None: not known, not checked."""

    def __init__(self, policy: Policy, technicians: Collection[str] | None) -> None:
        self._policy = policy
        self._technicians = technicians
        self._plain = (*PLAIN, *policy.attributes.values())
        self._clearable = CLEARABLE | policy.attributes.keys()
        self._entries: tuple[tuple[str, Find, Unknown], ...] = (
            ("profile", policy.find_profile, _near(policy.nearest_profile, _titles(policy.profiles))),
            ("branch", policy.find_branch, _near(policy.nearest_branch, _titles(policy.branches))),
            ("data_access", policy.find_level, _near(policy.nearest_level, _titles(policy.data_access))),
        )

    def read(self, row: ImportRow, branch_now: str | None) -> Stated:
        """Everything the row says. `branch_now` is the branch of the account it belongs to, if there is one: a
        team's name is looked up there when the row names no branch."""
        findings = [
            Finding(cell.address, field, cell.problem)
            for field, cell in row.cells.items()
            if cell.problem is not None
        ]
        values: dict[str, Value] = {**identity(row), **_names(row)}
        for field, text in row.texts.items():
            if text in DASHES and field in self._clearable:
                values[field] = None
        for field, find, unknown in self._entries:
            _look_up(row, field, find, unknown, values, findings)
        if "team" in row.texts:
            self._read_team(row, branch_now, values, findings)
        self._refuse_technician(row, values, findings)
        for attribute in self._plain:
            if attribute.key in row.texts:
                _read_plain(row, attribute, values, findings)
        return Stated(values, tuple(findings), tuple(_left_out(row)))

    def _read_team(
        self, row: ImportRow, branch_now: str | None, values: dict[str, Value], findings: list[Finding]
    ) -> None:
        policy = self._policy
        branch_is_wrong = any(each.field == "branch" for each in findings)
        branch = None if branch_is_wrong else values.get("branch", branch_now)
        where = branch if isinstance(branch, str) and branch in policy.branches else None
        unknown = _unknown_team(policy, where, branch_is_wrong=branch_is_wrong)
        _look_up(
            row,
            "team",
            lambda text: policy.find_team(text, where) or policy.find_team(text, None),
            unknown,
            values,
            findings,
        )

    def _refuse_technician(self, row: ImportRow, values: dict[str, Value], findings: list[Finding]) -> None:
        technician, known = values.get("technician_id"), self._technicians
        if known is None or not isinstance(technician, str) or technician in known:
            return
        reason = f"there is no technician {technician!r}"
        remedy = _near_technician(technician, known)
        findings.append(Finding(row.address("technician_id"), "technician_id", reason, remedy))
        del values["technician_id"]


def _look_up(
    row: ImportRow,
    field: str,
    find: Find,
    unknown: Unknown,
    values: dict[str, Value],
    findings: list[Finding],
) -> None:
    text = _usable(row, field)
    if not text or field in values:
        return
    found = find(text)
    if found is not None:
        values[field] = found.key
    elif wrong := unknown(text):
        findings.append(Finding(row.address(field), field, *wrong))


def _left_out(row: ImportRow) -> Iterator[Finding]:
    """What is read otherwise than it stands there."""
    for field, cell in row.cells.items():
        unseen = invisible(cell.text) if cell.problem is None else ()
        if unseen:
            reason = f"a character that cannot be seen is left out: {code_points(unseen)}"
            yield Finding(cell.address, field, reason)


def _usable(row: ImportRow, field: str) -> str:
    """The text of a cell that has no problem; empty where there is none."""
    text = row.texts.get(field, "")
    return text if text and row.cells[field].problem is None else ""


def _titles(entries: Mapping[str, Named]) -> Collection[str]:
    return [each.title for each in entries.values()]


def _near(nearest: Callable[[str], str | None], known: Collection[str]) -> Callable[[str], Wrong]:
    def unknown(text: str) -> Wrong:
        near = nearest(text)
        if near is not None and name_key(near) == name_key(text):
            return f"{text!r} is what several are called", "write the key of the one that is meant"
        return (
            f"{text!r} is unknown",
            f"did you mean {near!r}?" if near else f"known are {', '.join(sorted(known))}",
        )

    return unknown


def _unknown_team(policy: Policy, where: str | None, *, branch_is_wrong: bool) -> Unknown:
    """Several branches have a team of one name: which is meant cannot be said while the branch is missing, and
    need not be said while it is wrong."""
    teams = policy.branches[where].teams if where else tuple(policy.teams.values())
    unknown = _near(lambda text: policy.nearest_team(text, where), [team.title for team in teams])

    def wrong(text: str) -> Wrong | None:
        called = [team.key for team in teams if name_key(text) in map(name_key, names_of(team))]
        if not called:
            return unknown(text)
        if branch_is_wrong:
            return None
        return f"{text!r} is a team of several branches", f"name the branch, or write one of {', '.join(called)}"

    return wrong


def _near_technician(wrong: str, technicians: Collection[str]) -> str:
    near = difflib.get_close_matches(wrong, sorted(technicians), n=1)
    return f"did you mean {near[0]!r}?" if near else "the FSM system has no technician of that id"


def _names(row: ImportRow) -> dict[str, Value]:
    """Given and family name, from their own columns or from the full name."""
    if not (row.text("given_name") or row.text("family_name")):
        full = _usable(row, "full_name")
        return dict(zip(("given_name", "family_name"), split_name(full), strict=True)) if full else {}
    return {field: text for field in ("given_name", "family_name") if (text := _usable(row, field))}


def split_name(full: str) -> tuple[str, str]:
    """`Muster, Anna` and `Anna Muster` → (Anna, Muster); `Ludwig van Beethoven` → (Ludwig, van Beethoven).

    A single word is a family name; the missing given name is then reported by the account's rules.
    """
    if "," in full:
        family, _, given = full.partition(",")
        return given.strip(), family.strip()
    words = full.split()
    start = next(
        (place for place, word in enumerate(words) if 0 < place < len(words) - 1 and word.lower() in _PARTICLES),
        len(words) - 1,
    )
    return " ".join(words[:start]), " ".join(words[start:])


def _read_plain(row: ImportRow, attribute: Attribute, values: dict[str, Value], findings: list[Finding]) -> None:
    field, text = attribute.key, _usable(row, attribute.key)
    if not text or field in values:
        return
    try:
        values[field] = value_of(attribute, text)
    except NotUnderstood as why:
        findings.append(Finding(row.address(field), field, why.reason, why.remedy))
