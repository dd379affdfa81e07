"""Attributes that the realm's user profile demands of every user, and values made up for who lacks one.

Keycloak judges the whole user at each write of it, so an attribute that somebody made required stops `enabled`
alone for whoever has no value (fact: a-demanded-attribute-stops-every-write). The names of a person are demanded
too, and are no concern of this module: every account has them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from rstr import Rstr

NAMES = frozenset({"username", "email", "firstName", "lastName"})
MADE_UP = "set by fsm-identity"
TRIES = 6
"""Values that are made up for one pattern; most fit at once, and Keycloak has the last word."""

OF_ONE_KIND: Mapping[str, str] = {
    "email": "set-by-fsm-identity@example.com",
    "uri": "https://example.com/set-by-fsm-identity",
    "local-date": "1970-01-01",
    "iso-date": "1970-01-01",
    "integer": "0",
    "double": "0",
}
"""By the validator that only takes values of one kind."""


def demanded(profile: Mapping[str, Any]) -> frozenset[str]:
    """What the profile demands where an administrator writes a user, beside the names. `required` without a role
    and a scope means always; a scope alone asks when somebody logs in with it."""
    return frozenset(
        attribute["name"]
        for attribute in profile.get("attributes", ())
        if attribute["name"] not in NAMES and _of_administrators(attribute.get("required"))
    )


def _of_administrators(required: Mapping[str, Any] | None) -> bool:
    if required is None:
        return False
    roles, scopes = required.get("roles") or (), required.get("scopes") or ()
    return "admin" in roles or not (roles or scopes)


def made_up(profile: Mapping[str, Any], names: Iterable[str]) -> Iterator[dict[str, str]]:
    """Values for these attributes to be tried one after the other, the likeliest first; none if nothing can be
    made up for one of them."""
    declared = {attribute["name"]: attribute for attribute in profile.get("attributes", ())}
    wanted = sorted(names)
    for values in zip(*(_values(declared.get(name, {})) for name in wanted), strict=False):
        yield dict(zip(wanted, values, strict=True))


def _values(attribute: Mapping[str, Any]) -> list[str]:
    validations = attribute.get("validations") or {}
    options = (validations.get("options") or {}).get("options")
    if options:
        return [str(options[0])] * TRIES
    if "pattern" in validations:
        return list(islice(_matching(validations), TRIES))
    for kind, value in OF_ONE_KIND.items():
        if kind in validations:
            return [str((validations[kind] or {}).get("min") or value)] * TRIES
    return [_as_long_as_asked(validations)] * TRIES


def _as_long_as_asked(validations: Mapping[str, Any]) -> str:
    length = validations.get("length") or {}
    return MADE_UP.ljust(int(length.get("min") or 0), ".")[: int(length.get("max") or len(MADE_UP) * 100)]


def _matching(validations: Mapping[str, Any]) -> Iterator[str]:
    """What fits the pattern, of the length that is asked for. Nothing for one that only Java understands."""
    pattern, length = str(validations["pattern"].get("pattern") or ""), validations.get("length") or {}
    shortest, longest = int(length.get("min") or 0), int(length.get("max") or 255)
    seen = [MADE_UP]
    try:
        fits = re.compile(pattern)
        invented = Rstr(random.Random(pattern))  # noqa: S311 - the same one each time, no secret
        seen += [invented.xeger(pattern) for _ in range(TRIES * 5)]
    except (re.error, KeyError, ValueError, OverflowError):
        return
    yield from (each for each in seen if fits.fullmatch(each) and shortest <= len(each) <= longest)
