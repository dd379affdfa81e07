"""What repairing the drift of one account does to it, in the words of the mass-change guard (E7). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mappings.guard import ChangeKind
from sync.domain.provisioning.aspect import Aspect, Deviation

TAKES: Mapping[Aspect, ChangeKind] = {
    Aspect.SWITCHED_ON: "disabled",
    Aspect.PROFILE: "demoted",
    Aspect.DATA_ACCESS: "demoted",
    Aspect.FIELD_TECHNICIANS: "demoted",
    Aspect.OTHER_GROUP: "demoted",
    Aspect.ROLE: "demoted",
    Aspect.TECHNICIAN_ID: "unlinked",
}
"""What somebody loses who has what was found until it is repaired; giving back what was taken is none of these."""


def effects_of_repair(deviations: Iterable[Deviation]) -> frozenset[ChangeKind]:
    found: set[ChangeKind] = {"changed"}
    for each in deviations:
        if each.attribute is Aspect.MISSING:
            found.add("created")
        elif each.attribute in {Aspect.BRANCH, Aspect.TEAM}:
            found.add("moved")
        elif each.attribute in TAKES and each.found is not None:
            found.add(TAKES[each.attribute])
    return frozenset(found)
