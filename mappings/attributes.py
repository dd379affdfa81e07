"""The attributes of an account, one entry each: what a value may be, and where the attribute appears (A1, A10).

Derived from `BUILT_IN`: columns of staff files, reactions to drift, what Keycloak declares, claims, options of the
command line. Written by hand elsewhere: rules between fields, what grants access, the work-order gate, the columns
of our table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

LONGEST: Final = 255
"""Characters of one value: Keycloak's limit for names, and long enough for anything that is no document."""

REPAIRABLE: Final = ("repair", "report")
ACCEPTABLE: Final = ("repair", "report", "accept")


class AttributeType(StrEnum):
    """What the values of an attribute are. `ENTRY` is the name of an entry of a mapping file."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    YES_NO = "yes/no"
    ENTRY = "entry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """`key` is its name everywhere. The bounds of a number are whole; `decimals` is how many digits may follow the
    point. `choices` maps the key of each choice to the names by which people call it, the title first."""

    key: str
    type: AttributeType = AttributeType.TEXT
    longest: int = LONGEST
    at_least: int | None = None
    at_most: int | None = None
    decimals: int = 0
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltIn(Attribute):
    """A field of `sync.domain.accounts.account.Account`.

    `titles`: of its column where import_columns.toml has none. `known_by`: a row of a file belongs to the account
    that has this value. `clearable`: a dash in a file takes it away. `option`: it is given by `--attribute`.
    `drift`: what drift.toml may say of it alone; empty: it is not in Keycloak, or alike to those of the company.
    `in_keycloak`: it is an attribute of the Keycloak user, of the same name, edited by administrators only;
    `own`: its person sees it there. `claim`: it is in the token.
    """

    in_files: bool = True
    titles: tuple[str, ...] = ()
    known_by: bool = False
    clearable: bool = False
    option: bool = False
    drift: tuple[str, ...] = ()
    in_keycloak: bool = False
    own: bool = False
    claim: bool = False

    @property
    def drift_name(self) -> str:
        return self.key.replace("_", "-")


BUILT_IN: Final = (
    BuiltIn(key="username", known_by=True, drift=REPAIRABLE),
    BuiltIn(key="email", known_by=True, drift=ACCEPTABLE),
    BuiltIn(key="given_name", drift=ACCEPTABLE),
    BuiltIn(key="family_name", drift=ACCEPTABLE),
    BuiltIn(key="employee_number", known_by=True),
    BuiltIn(key="profile", type=AttributeType.ENTRY, drift=REPAIRABLE),
    BuiltIn(key="branch", type=AttributeType.ENTRY, drift=REPAIRABLE),
    BuiltIn(key="team", type=AttributeType.ENTRY, clearable=True, drift=REPAIRABLE),
    BuiltIn(key="data_access", type=AttributeType.ENTRY, clearable=True, drift=REPAIRABLE),
    BuiltIn(
        key="technician_id",
        known_by=True,
        clearable=True,
        drift=REPAIRABLE,
        in_keycloak=True,
        own=True,
        claim=True,
    ),
    BuiltIn(
        key="valid_from",
        type=AttributeType.DATE,
        clearable=True,
        option=True,
    ),
    BuiltIn(
        key="valid_until",
        type=AttributeType.DATE,
        clearable=True,
        option=True,
    ),
)
"""In the order of the columns of the template."""

OF_KEYCLOAK_USERS: Final = frozenset(each.key for each in BUILT_IN if each.in_keycloak)
OPTIONS: Final = {each.key: each for each in BUILT_IN if each.option}
