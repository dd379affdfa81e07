"""Everything the mapping files say, cross-checked and frozen. `load` is the only way to make a Policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mappings.branches import Branch, Team
from mappings.data_access import DataAccessLevel
from mappings.field_service import FieldServiceSchema
from mappings.hr_rules import HrRule
from mappings.import_columns import ImportColumn
from mappings.profiles import Profile
from mappings.realm import RealmPolicy
from mappings.work_orders import WorkOrderPolicy


@dataclass(frozen=True, slots=True)
class Policy:
    """`fingerprint` is a SHA-256 over the meaning of all files (not their comments or order of keys)."""

    profiles: Mapping[str, Profile]
    branches: Mapping[str, Branch]
    teams: Mapping[str, Team]
    data_access: Mapping[str, DataAccessLevel]
    features: tuple[str, ...]
    hr_rules: tuple[HrRule, ...]
    import_columns: tuple[ImportColumn, ...]
    work_orders: WorkOrderPolicy
    field_service: FieldServiceSchema
    realm: RealmPolicy
    fingerprint: str
