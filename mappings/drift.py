"""What to do when Keycloak holds something else than is wanted of an account, as `drift.toml` says it (G4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from mappings.attributes import BUILT_IN, REPAIRABLE
from mappings.reading import Document

Reaction = Literal["repair", "report", "accept"]

REPAIR: Final = "repair"
REPORT: Final = "report"
ACCEPT: Final = "accept"

_ATTRIBUTES: Final = {each.drift_name: each.drift for each in BUILT_IN if each.drift}
_OF_THE_USER: Final = ("missing", "switched-off", "switched-on")
_ACCESS: Final = ("field-technicians", "second-factor", "other-group", "role")

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(_OF_THE_USER, REPAIRABLE),
    **_ATTRIBUTES,
    **dict.fromkeys(_ACCESS, REPAIRABLE),
}
"""What an account may differ in, each with what the file may say of it: the state of the user, the attributes of
the account, what follows from its profile. Nothing that grants access can be accepted by a file: one change in
Keycloak's console would then rewrite what we want."""


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
    """An attribute that the file does not name is repaired: files that are in force may be older than it."""
    table = document.root.table("reactions")
    reactions: dict[str, Reaction] = {}
    for attribute, options in CHOICES.items():
        if attribute in _ATTRIBUTES and not table.has(attribute):
            reactions[attribute] = REPAIR
            continue
        chosen = table.choice(attribute, options, f"reaction to {attribute}")
        reactions[attribute] = REPAIR if chosen == REPAIR else ACCEPT if chosen == ACCEPT else REPORT
    return DriftPolicy(
        reactions=reactions,
        most_missing_percent=document.root.table("limits").integer("most_missing_percent", 1, 50),
    )
