"""The attributes that a company adds to its accounts, as `attributes.toml` says it (A10).

They have the types of `attributes`; none of them grants anything.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mappings.attributes import BUILT_IN, LONGEST, Attribute, AttributeType
from mappings.files.names import name_key
from mappings.files.reading import Document, KeyForm, Table
from mappings.import_columns import FULL_NAME, ImportColumn, column_of

MOST: Final = 20
KEYS: Final = KeyForm(
    re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*"),
    "the key of an attribute has small letters, digits and single underscores, as in cost_centre",
)
TYPES: Final = tuple(each.value for each in AttributeType if each is not AttributeType.ENTRY)
FURTHEST: Final = 10**12

OURS: Final = frozenset(
    {
        *(each.key for each in BUILT_IN),
        FULL_NAME,
        "attributes",
        "created_at",
        "features",
        "branches",
        "first_login",
        "hr_id",
        "hr_source",
        "id",
        "idp_user_id",
        "last_login",
        "life",
        "name",
        "reason",
        "status",
        "technician",
    }
)
KEYCLOAKS: Final = frozenset(
    {
        "credentials",
        "email_verified",
        "emailverified",
        "enabled",
        "first_name",
        "firstname",
        "groups",
        "last_name",
        "lastname",
        "locale",
        "password",
        "picture",
        "roles",
        "terms_and_conditions",
    }
)
"""Names that mean something else already: to us, or to Keycloak, in whatever case it writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyAttribute(Attribute):
    """`hr` is what HR systems call it."""

    title: str
    aliases: tuple[str, ...]
    hr: str


def read(document: Document, columns: Sequence[ImportColumn] | None) -> dict[str, CompanyAttribute]:
    """By key, in the file's order. `columns` are those there are already; None: they could not be read."""
    root = document.root
    tables = root.entries("attributes", keys=KEYS) if root.has("attributes") else {}
    for key, table in list(tables.items())[MOST:]:
        table.report(None, f"{key} is one too many: there can be {MOST} attributes")
    for key, table in tables.items():
        if key in OURS | KEYCLOAKS or key.startswith("fsm"):
            owner = "Keycloak" if key in KEYCLOAKS else "fsm-identity"
            table.report(None, f'"{key}" is a name of {owner} itself; choose another key, such as company_{key}')
    found = {key: _read_one(key, table) for key, table in tables.items()}
    _refuse_shared(tables, found, columns or ())
    return found


def keys_in(text: str) -> frozenset[str]:
    """The keys of a file that was good once."""
    return frozenset(tomllib.loads(text).get("attributes", {}))


def columns_of(attributes: Mapping[str, CompanyAttribute], known: Sequence[ImportColumn]) -> list[ImportColumn]:
    """The column of each attribute in a staff file, beside those that are known."""
    return [column_of(key, (each.title, *each.aliases), known) for key, each in attributes.items()]


def _read_one(key: str, table: Table) -> CompanyAttribute:
    kind = table.choice("type", TYPES, "type of attribute")
    number = kind == AttributeType.NUMBER
    least, most = (_bound(table, name) if number else None for name in ("at_least", "at_most"))
    if least is not None and most is not None and most < least:
        table.report("at_most", f"{most} is below at_least {least}")
    return CompanyAttribute(
        key=key,
        type=AttributeType(kind) if kind in TYPES else AttributeType.TEXT,
        longest=table.integer("longest", 1, LONGEST) if kind == "text" and table.has("longest") else LONGEST,
        at_least=least,
        at_most=most,
        decimals=table.integer("decimals", 0, 6) if number and table.has("decimals") else 0,
        choices=_choices(table) if kind == AttributeType.CHOICE else {},
        title=table.text("title"),
        aliases=table.texts("aliases", optional=True),
        hr=table.text("hr") if table.has("hr") else key,
    )


def _bound(table: Table, name: str) -> int | None:
    return table.integer(name, -FURTHEST, FURTHEST) if table.has(name) else None


def _choices(table: Table) -> dict[str, tuple[str, ...]]:
    """Each key with its names. A name belongs to one choice only."""
    choices = table.table("choices")
    found: dict[str, tuple[str, ...]] = {}
    owners: dict[str, str] = {}
    for key in choices.names():
        names = choices.text_or_texts(key)
        if not KEYS.pattern.fullmatch(key) or len(key) > LONGEST:
            choices.report(key, "the key of a choice has small letters, digits and single underscores")
        for name in dict.fromkeys((key, *names)):
            owner = owners.setdefault(name_key(name), key)
            if owner != key:
                choices.report(key, f'"{name}" is also a name of {owner}')
        found[key] = names
    if not found:
        table.report("choices", "must hold at least one choice")
    return found


def _refuse_shared(
    tables: Mapping[str, Table], found: Mapping[str, CompanyAttribute], columns: Sequence[ImportColumn]
) -> None:
    """A title belongs to one column, a name of the HR systems to one attribute."""
    owners = {
        name_key(title): column.field
        for column in columns
        for titles in ((column.field,), *column.titles.values())
        for title in titles
    }
    hr: dict[str, str] = {}
    for key, each in found.items():
        for place, names in (("title", (each.title, key)), ("aliases", each.aliases)):
            for name in filter(None, names):
                owner = owners.setdefault(name_key(name), key)
                if owner != key:
                    tables[key].report(place, f'"{name}" is also a title of {owner}')
        if hr.setdefault(each.hr.casefold(), key) != key:
            tables[key].report("hr", f'"{each.hr}" is the name of {hr[each.hr.casefold()]} already')
