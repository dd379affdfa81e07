"""What to do when Keycloak holds something else than is wanted of an account, as `drift.toml` says it (G4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from mappings.reading import Document

Reaction = Literal["repair", "report", "accept"]

REPAIR: Final = "repair"
REPORT: Final = "report"
ACCEPT: Final = "accept"

REPAIRABLE: Final = (REPAIR, REPORT)
ACCEPTABLE: Final = (REPAIR, REPORT, ACCEPT)

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "missing": REPAIRABLE,
    "switched-off": REPAIRABLE,
    "switched-on": REPAIRABLE,
    "username": REPAIRABLE,
    "email": ACCEPTABLE,
    "given-name": ACCEPTABLE,
    "family-name": ACCEPTABLE,
    "profile": REPAIRABLE,
    "branch": REPAIRABLE,
    "team": REPAIRABLE,
    "data-access": REPAIRABLE,
    "field-technicians": REPAIRABLE,
    "second-factor": REPAIRABLE,
    "other-group": REPAIRABLE,
    "role": REPAIRABLE,
    "technician-id": REPAIRABLE,
}
"""The attributes an account may differ in, each with what the file may say of it. Nothing that grants access can
be accepted by a file: one change in Keycloak's console would then rewrite what we want."""


@dataclass(frozen=True, slots=True)
class DriftPolicy:
    """`reactions` by attribute; what is not listed there (see `sync.domain.drift.differences`) is only ever
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
        chosen = table.choice(attribute, options, f"reaction to {attribute}")
        reactions[attribute] = REPAIR if chosen == REPAIR else ACCEPT if chosen == ACCEPT else REPORT
    return DriftPolicy(
        reactions=reactions,
        most_missing_percent=document.root.table("limits").integer("most_missing_percent", 1, 50),
    )
