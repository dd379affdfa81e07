"""What repairing the drift of one account does to it, in the words of the mass-change guard (E7). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mappings.guard import ChangeKind
from sync.domain.drift.differences import Attribute, Difference

TAKES: Mapping[Attribute, ChangeKind] = {
    Attribute.SWITCHED_ON: "disabled",
    Attribute.PROFILE: "demoted",
    Attribute.DATA_ACCESS: "demoted",
    Attribute.FIELD_TECHNICIANS: "demoted",
    Attribute.OTHER_GROUP: "demoted",
    Attribute.ROLE: "demoted",
    Attribute.TECHNICIAN_ID: "unlinked",
}
"""What somebody loses who has what was found until it is repaired; giving back what was taken is none of these."""


def effects_of_repair(differences: Iterable[Difference]) -> frozenset[ChangeKind]:
    found: set[ChangeKind] = {"changed"}
    for each in differences:
        if each.attribute is Attribute.MISSING:
            found.add("created")
        elif each.attribute in {Attribute.BRANCH, Attribute.TEAM}:
            found.add("moved")
        elif each.attribute in TAKES and each.found is not None:
            found.add(TAKES[each.attribute])
    return frozenset(found)
