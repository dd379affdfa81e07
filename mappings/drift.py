"""What to do when Keycloak holds something else than is wanted of an account, as `drift.toml` says it (G4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from mappings.attributes import ACCEPTABLE, BUILT_IN, REPAIRABLE
from mappings.files.reading import Document

Reaction = Literal["repair", "report", "accept"]

REPAIR: Final = "repair"
REPORT: Final = "report"
ACCEPT: Final = "accept"

_OF_THE_USER: Final = ("missing", "switched-off", "switched-on")
_ACCESS: Final = ("field-technicians", "second-factor", "other-group", "role")
_OF_THE_ACCOUNT: Final = {each.drift_name: each.drift for each in BUILT_IN if each.drift}
OTHER_ATTRIBUTES: Final = "attributes"
"""Attributes of a Keycloak user that have no entry of their own here: those of the company above all."""

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(_OF_THE_USER, REPAIRABLE),
    **_OF_THE_ACCOUNT,
    OTHER_ATTRIBUTES: ACCEPTABLE,
    **dict.fromkeys(_ACCESS, REPAIRABLE),
}
"""What an account may differ in, each with what the file may say of it: the state of the user, the attributes of
the account, what follows from its profile. Nothing that grants access can be accepted by a file: one change in
Keycloak's console would then rewrite what we want."""

NEED_NOT_BE_NAMED: Final = _OF_THE_ACCOUNT.keys() | {OTHER_ATTRIBUTES}
"""Repaired where the file does not name it: files that are in force may be older than an attribute."""


@dataclass(frozen=True, slots=True)
class DriftPolicy:
    """`reactions` by attribute; what is not listed there (see `sync.domain.drift.anomaly`) is only ever
    reported.

    `most_missing_percent`: a listing that lacks more of our users than this is not believed.
    """

    reactions: Mapping[str, Reaction]
    most_missing_percent: int

    def reaction(self, attribute: str) -> Reaction:
        return self.reactions.get(attribute, REPORT)


def read(document: Document) -> DriftPolicy:
    table = document.root.table("reactions")
    reactions: dict[str, Reaction] = {}
    for attribute, options in CHOICES.items():
        named = table.has(attribute) or attribute not in NEED_NOT_BE_NAMED
        chosen = table.choice(attribute, options, f"reaction to {attribute}") if named else REPAIR
        reactions[attribute] = REPAIR if chosen == REPAIR else ACCEPT if chosen == ACCEPT else REPORT
    return DriftPolicy(
        reactions=reactions,
        most_missing_percent=document.root.table("limits").integer("most_missing_percent", 1, 50),
    )
