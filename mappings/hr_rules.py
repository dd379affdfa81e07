"""HR rules, as `hr_rules.toml` says it: HR attributes to profile, branch, team and data access (E3).

An ordered table; the first rule whose every condition holds wins; no match is for a person to decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HrRule:
    """`when` maps an HR attribute to the values (case-insensitive, `*` wildcards) one of which must match."""

    name: str
    when: Mapping[str, tuple[str, ...]]
    profile: str
    branch: str | None
    team: str | None
    data_access: str | None
