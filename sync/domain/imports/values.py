"""What a row of a staff file says, in the words of the policy: keys instead of titles, dates instead of texts.

An empty cell says nothing (the account keeps what it has); a dash takes away what may be missing. Whatever
cannot be understood becomes a finding that names the cell and how to mend it (F2).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from mappings.attributes import BUILT_IN, Attribute, AttributeType
from mappings.names import name_key, names_of
from mappings.policy import Policy
from sync.domain.accounts.account import login_key
from sync.domain.accounts.attribute_values import NotUnderstood, value_of
from sync.domain.accounts.spelling import code_points, invisible
from sync.domain.imports.row import ImportRow

Value = str | date | None
"""None: taken away by a dash."""

Wrong = tuple[str, str]
"""Why a text means nothing, and the remedy."""

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
        text = row.text(field)
        if text and text not in DASHES and not _problem(row, field):
            found[field] = login_key(text) if field in {"username", "email"} else text
    return found


def stated_name(row: ImportRow) -> str:
    """The name as the row says it, given name first; empty if it says none."""
    parts = [row.text("given_name"), row.text("family_name")]
    if not any(parts):
        parts = list(split_name(row.text("full_name")))
    return " ".join(part for part in parts if part)


def read_values(
    row: ImportRow, policy: Policy, branch_now: str | None, technicians: Collection[str] | None
) -> Stated:
    """Everything the row says. `branch_now` is the branch of the account it belongs to, if there is one: a
    team's name is looked up there when the row names no branch. `technicians` None: not known, not checked."""
    findings = [
        Finding(cell.address, field, cell.problem) for field, cell in row.cells.items() if cell.problem is not None
    ]
    values: dict[str, Value] = {**identity(row), **_names(row)}
    for field in (CLEARABLE | policy.attributes.keys()) & row.cells.keys():
        if row.text(field) in DASHES:
            values[field] = None

    def look_up(field: str, find: Callable[[str], str | None], unknown: Callable[[str], Wrong | None]) -> None:
        text = row.text(field)
        if not text or field in values or _problem(row, field):
            return
        key = find(text)
        if key is not None:
            values[field] = key
        elif wrong := unknown(text):
            findings.append(Finding(row.address(field), field, *wrong))

    look_up(
        "profile",
        _key_of(policy.find_profile),
        _near(policy.nearest_profile, [each.title for each in policy.profiles.values()]),
    )
    look_up(
        "branch",
        _key_of(policy.find_branch),
        _near(policy.nearest_branch, [each.title for each in policy.branches.values()]),
    )
    look_up(
        "data_access",
        _key_of(policy.find_level),
        _near(policy.nearest_level, [each.title for each in policy.data_access.values()]),
    )
    branch = None if any(each.field == "branch" for each in findings) else values.get("branch", branch_now)
    where = branch if isinstance(branch, str) and branch in policy.branches else None
    look_up(
        "team",
        _key_of(lambda text: policy.find_team(text, where) or policy.find_team(text, None)),
        _unknown_team(policy, where, branch_is_wrong=any(each.field == "branch" for each in findings)),
    )
    technician = values.get("technician_id")
    if technicians is not None and isinstance(technician, str) and technician not in technicians:
        remedy = _near_technician(technician, technicians)
        findings.append(
            Finding(
                row.address("technician_id"), "technician_id", f"there is no technician {technician!r}", remedy
            )
        )
        del values["technician_id"]
    for attribute in (*PLAIN, *policy.attributes.values()):
        _read_plain(row, attribute, values, findings)
    return Stated(values, tuple(findings), tuple(_left_out(row)))


def _left_out(row: ImportRow) -> Iterator[Finding]:
    """What is read otherwise than it stands there."""
    for field, cell in row.cells.items():
        unseen = invisible(cell.text) if cell.problem is None else ()
        if unseen:
            reason = f"a character that cannot be seen is left out: {code_points(unseen)}"
            yield Finding(cell.address, field, reason)


def _problem(row: ImportRow, field: str) -> bool:
    cell = row.cells.get(field)
    return cell is not None and cell.problem is not None


def _key_of(find: Callable[[str], object | None]) -> Callable[[str], str | None]:
    return lambda text: getattr(find(text), "key", None)


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


def _unknown_team(policy: Policy, where: str | None, *, branch_is_wrong: bool) -> Callable[[str], Wrong | None]:
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
    found: dict[str, Value] = {
        field: row.text(field) for field in ("given_name", "family_name") if row.text(field)
    }
    full = row.text("full_name")
    if full and not found and not _problem(row, "full_name"):
        given, family = split_name(full)
        return {"given_name": given, "family_name": family}
    return {field: value for field, value in found.items() if not _problem(row, field)}


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
    field = attribute.key
    text = row.text(field)
    if not text or field in values or _problem(row, field):
        return
    try:
        values[field] = value_of(attribute, text)
    except NotUnderstood as why:
        findings.append(Finding(row.address(field), field, why.reason, why.remedy))
