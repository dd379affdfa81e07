"""Everything the mapping files say, cross-checked and frozen, and who is meant by a name people write.

`mappings.load` is the only way to make a Policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mappings.branches import UTC, Branch, Team
from mappings.company_attributes import CompanyAttribute, columns_of
from mappings.data_access import DataAccessLevel
from mappings.drift import DriftPolicy
from mappings.field_service import FieldServiceSchema
from mappings.files.names import NameIndex
from mappings.guard import GuardRules
from mappings.hr_rules import HrRule
from mappings.import_columns import ImportColumn
from mappings.profiles import Profile
from mappings.realm import RealmPolicy
from mappings.work_orders import WorkOrderPolicy


@dataclass(frozen=True, slots=True)
class Policy:
    """`fingerprint` is a SHA-256 over the meaning of all files (not their comments or order of keys).

    The `find_` methods know an entry by key, title or alias, however it is spelled (`mappings.files.names`); the
    `nearest_` methods return the name to propose for one that was not found. `attributes` are the company's own;
    `time_zone` is that of people without a branch;
    `retired_attributes` were in files that were in force before: what Keycloak still holds of them goes.
    """

    profiles: Mapping[str, Profile]
    branches: Mapping[str, Branch]
    teams: Mapping[str, Team]
    data_access: Mapping[str, DataAccessLevel]
    features: tuple[str, ...]
    hr_rules: tuple[HrRule, ...]
    import_columns: tuple[ImportColumn, ...]
    attributes: Mapping[str, CompanyAttribute]
    work_orders: WorkOrderPolicy
    field_service: FieldServiceSchema
    realm: RealmPolicy
    drift: DriftPolicy
    guard: GuardRules
    fingerprint: str
    time_zone: str = UTC
    retired_attributes: frozenset[str] = frozenset()
    _profile_names: NameIndex = field(init=False, repr=False, compare=False)
    _branch_names: NameIndex = field(init=False, repr=False, compare=False)
    _level_names: NameIndex = field(init=False, repr=False, compare=False)
    _team_names: Mapping[str | None, NameIndex] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        teams: dict[str | None, NameIndex] = {None: NameIndex.of(self.teams.values())}
        teams |= {key: NameIndex.of(branch.teams) for key, branch in self.branches.items()}
        for name, index in (
            ("_profile_names", NameIndex.of(self.profiles.values())),
            ("_branch_names", NameIndex.of(self.branches.values())),
            ("_level_names", NameIndex.of(self.data_access.values())),
            ("_team_names", teams),
        ):
            object.__setattr__(self, name, index)

    @property
    def staff_columns(self) -> tuple[ImportColumn, ...]:
        """Every column of a staff file: of import_columns.toml, and one for each attribute of the company."""
        return (*self.import_columns, *columns_of(self.attributes, self.import_columns))

    def find_profile(self, text: str) -> Profile | None:
        key = self._profile_names.find(text)
        return self.profiles[key] if key is not None else None

    def nearest_profile(self, text: str) -> str | None:
        return self._profile_names.nearest(text)

    def find_branch(self, text: str) -> Branch | None:
        key = self._branch_names.find(text)
        return self.branches[key] if key is not None else None

    def nearest_branch(self, text: str) -> str | None:
        return self._branch_names.nearest(text)

    def find_level(self, text: str) -> DataAccessLevel | None:
        key = self._level_names.find(text)
        return self.data_access[key] if key is not None else None

    def nearest_level(self, text: str) -> str | None:
        return self._level_names.nearest(text)

    def find_team(self, text: str, branch: str | None) -> Team | None:
        """A team of the branch with this key; without a branch a name that only one team has."""
        key = self._team_names[branch].find(text)
        return self.teams[key] if key is not None else None

    def nearest_team(self, text: str, branch: str | None) -> str | None:
        return self._team_names[branch].nearest(text)
