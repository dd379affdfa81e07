"""Profiles: what a person may do, as `profiles.toml` says it (A3, A4).

A profile is the only thing that grants features; nobody is granted a feature one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mappings.data_access import DataAccessLevel
from mappings.files.reading import KEY, Document, Table, refuse_repeated, refuse_shared_names


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile. `rank` orders who may grant what: nobody grants above the own rank (I4)."""

    key: str
    title: str
    rank: int
    features: frozenset[str]
    default_data_access: str
    highest_data_access: str
    second_factor: bool
    session_cap: int | None
    field_work: bool
    """True: with a technician link the account carries the field-technician role (B3)."""
    aliases: tuple[str, ...] = ()


ADMINISTER = "user-management"
"""The feature of those who keep accounts; fsm-identity itself acts on it."""

OPERATE = "operations"
"""The feature of those who look after the work: lanes, circuits, quarantine, mails that failed."""

UNLIMITED = "unlimited"


def read(
    document: Document, levels: Mapping[str, DataAccessLevel] | None
) -> tuple[dict[str, Profile], tuple[str, ...]]:
    """The profiles by key, and the features in the file's order. `levels` None: they could not be read."""
    features = document.root.texts("features")
    for feature in features:
        if not KEY.fullmatch(feature):
            document.root.report("features", f'"{feature}" is not a key: small letters, digits, single hyphens')
    tables = document.root.entries("profiles")
    profiles = {key: _read_one(key, table, features, levels) for key, table in tables.items()}
    refuse_repeated(tables, "rank", lambda key: profiles[key].rank)
    refuse_shared_names(tables, profiles, "profile")
    for key, profile in profiles.items():
        _check(profile, tables[key], levels)
    if not any(ADMINISTER in profile.features for profile in profiles.values()):
        document.root.report("profiles", f'no profile has the feature "{ADMINISTER}": nobody could keep accounts')
    return profiles, features


def _read_one(
    key: str, table: Table, features: tuple[str, ...], levels: Mapping[str, DataAccessLevel] | None
) -> Profile:
    return Profile(
        key=key,
        title=table.text("title"),
        rank=table.integer("rank", 1, 1000),
        features=frozenset(table.choices("features", features, "feature")),
        default_data_access=table.choice("default_data_access", levels, "data access level"),
        highest_data_access=table.choice("highest_data_access", levels, "data access level"),
        second_factor=table.boolean("second_factor"),
        session_cap=table.integer_or("session_cap", UNLIMITED, 1, 100),
        field_work=table.boolean("field_work"),
        aliases=table.texts("aliases", optional=True),
    )


def _check(profile: Profile, table: Table, levels: Mapping[str, DataAccessLevel] | None) -> None:
    """A5: the default is not above the ceiling. C6: administrators always have a second factor."""
    if levels is not None:
        default = levels.get(profile.default_data_access)
        highest = levels.get(profile.highest_data_access)
        if default and highest and default.width > highest.width:
            table.report(
                "default_data_access", f'"{default.key}" is wider than highest_data_access "{highest.key}"'
            )
    if ADMINISTER in profile.features and not profile.second_factor:
        table.report("second_factor", f'must be true: the profile has the feature "{ADMINISTER}"')
