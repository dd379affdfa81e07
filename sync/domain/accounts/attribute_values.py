"""What a text says of an attribute: one canonical text for each value, or why it cannot be one. Pure.

Files, people at the command line, HR systems and Keycloak's console all come through here, so that the same value
is the same text everywhere: dates as 2026-03-01, numbers without trailing zeros, yes and no, choices by their key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from mappings.attributes import OPTIONS, Attribute, AttributeType, BuiltIn
from mappings.files.names import name_key
from mappings.files.problems import nearest
from mappings.policy import Policy
from sync.domain.accounts.spelling import code_points, invisible, one_form
from sync.domain.errors import Problem, Refused

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?: 00:00:00)?")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:[.,][0-9]{1,30})?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}[.,][0-9]{3}")

_YES = frozenset({"yes", "y", "true", "1", "x", "ja", "j", "wahr", "oui", "vrai", "si", "verdadero"})
_NO = frozenset({"no", "n", "false", "0", "nein", "falsch", "non", "faux", "falso"})
"""As `name_key` spells them."""


class NotUnderstood(ValueError):
    """The text is no value of the attribute: why, and what to write instead."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def canonical(attribute: Attribute, text: str) -> str:
    """The one text of the value. A canonical text is its own. Raises NotUnderstood."""
    unseen = invisible(text)
    if unseen:
        raise NotUnderstood(f"has a character that cannot be seen: {code_points(unseen)}", "type it again")
    found = _READ[attribute.type](attribute, one_form(text))
    if not found:
        raise NotUnderstood("is empty", "write something, or leave it out")
    if len(found) > attribute.longest:
        raise NotUnderstood(f"has {len(found)} characters", f"write at most {attribute.longest} of them")
    return found


def stated(policy: Policy, given: Mapping[str, str]) -> dict[str, str | date | None]:
    """What somebody says of attributes, by their keys: those of the company, and those of ours that have no option
    of their own. An empty text takes the value away (None). Raises Refused with every problem."""
    found, problems = read_attributes(policy, given)
    if problems:
        raise Refused(problems)
    return found


def read_attributes(
    policy: Policy, given: Mapping[str, str]
) -> tuple[dict[str, str | date | None], tuple[Problem, ...]]:
    """What is understood of it, and what is wrong with the rest: for who tells it together with other problems."""
    found: dict[str, str | date | None] = {}
    problems: list[Problem] = []
    known: dict[str, Attribute] = {**OPTIONS, **policy.attributes}
    for key, text in given.items():
        attribute = known.get(key)
        if attribute is None:
            near = nearest(key, known)
            remedy = f"did you mean {near!r}?" if near else f"known are {', '.join(sorted(known))}"
            problems.append(Problem(key, "is no attribute of an account", remedy))
        elif not text.strip():
            found[key] = None
        else:
            try:
                found[key] = value_of(attribute, text)
            except NotUnderstood as why:
                problems.append(Problem(key, why.reason, why.remedy))
    return found, tuple(problems)


def value_of(attribute: Attribute, text: str) -> str | date:
    """As the account holds it: dates of ours are dates, all else is canonical text. Raises NotUnderstood."""
    found = canonical(attribute, text)
    ours = isinstance(attribute, BuiltIn) and attribute.type is AttributeType.DATE
    return date.fromisoformat(found) if ours else found


def parse_date(text: str) -> date | None:
    """2026-03-01 or 01.03.2026. 03/01/2026 is refused: it is another day on the other side of the Atlantic."""
    iso, dotted = _ISO.fullmatch(text), _DOTTED.fullmatch(text)
    parts = iso.groups() if iso else tuple(reversed(dotted.groups())) if dotted else None
    if parts is None:
        return None
    try:
        return date(*(int(part) for part in parts))
    except ValueError:
        return None


def _text(_: Attribute, text: str) -> str:
    return text


def _date(_: Attribute, text: str) -> str:
    found = parse_date(text)
    if found is None:
        raise NotUnderstood(f"{text!r} is not a date", "write it like 2026-03-01 or 01.03.2026")
    return found.isoformat()


def _yes_no(_: Attribute, text: str) -> str:
    key = name_key(text)
    if key not in _YES | _NO:
        raise NotUnderstood(f"{text!r} is neither yes nor no", "write yes or no")
    return "yes" if key in _YES else "no"


def _choice(attribute: Attribute, text: str) -> str:
    names = {name_key(name): key for key, called in attribute.choices.items() for name in (key, *called)}
    found = names.get(name_key(text))
    if found is None:
        titles = [called[0] for called in attribute.choices.values()]
        near = nearest(text, titles)
        remedy = f"did you mean {near!r}?" if near else f"known are {', '.join(sorted(titles))}"
        raise NotUnderstood(f"{text!r} is unknown", remedy)
    return found


def _number(attribute: Attribute, text: str) -> str:
    """A decimal point, or a decimal comma where it cannot be one for thousands."""
    if not _NUMBER.fullmatch(text):
        raise NotUnderstood(f"{text!r} is not a number", "write it like 12 or 12.5, without blanks")
    if "," in text and _GROUPED.fullmatch(text):
        raise NotUnderstood(f"{text!r} may be a thousand or a fraction", "write it like 1234 or 1.234")
    value = Decimal(text.replace(",", "."))
    found = format(value.normalize(), "f")
    found = "0" if value == 0 else found
    if len(found.partition(".")[2]) > attribute.decimals:
        raise NotUnderstood(
            f"{text!r} has too many decimals",
            f"write at most {attribute.decimals}" if attribute.decimals else "write a whole number",
        )
    if attribute.at_least is not None and value < attribute.at_least:
        raise NotUnderstood(f"{found} is too small", f"at least {attribute.at_least}")
    if attribute.at_most is not None and value > attribute.at_most:
        raise NotUnderstood(f"{found} is too large", f"at most {attribute.at_most}")
    return found


_READ = {
    AttributeType.TEXT: _text,
    AttributeType.NUMBER: _number,
    AttributeType.DATE: _date,
    AttributeType.CHOICE: _choice,
    AttributeType.YES_NO: _yes_no,
    AttributeType.ENTRY: _text,
}
