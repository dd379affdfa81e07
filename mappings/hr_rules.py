"""HR rules, as `hr_rules.toml` says it: HR attributes to profile, branch, team and data access (E3).

An ordered table; the first rule whose every condition holds wins; no match is for a person to decide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mappings.branches import Branch, Team
from mappings.data_access import DataAccessLevel
from mappings.files.problems import nearest
from mappings.files.reading import Document, Table
from mappings.profiles import Profile


@dataclass(frozen=True, slots=True)
class HrRule:
    """`when` maps an HR attribute to the values (case-insensitive, `*` wildcards) one of which must match."""

    name: str
    when: Mapping[str, tuple[str, ...]]
    profile: str
    branch: str | None
    team: str | None
    data_access: str | None


def explain(rules: Sequence[HrRule], attributes: Mapping[str, str]) -> HrRule | None:
    """The first rule whose every condition holds for a person's HR attributes; None: a person decides (E3)."""
    return next((rule for rule in rules if _holds(rule, attributes)), None)


def read(
    document: Document,
    *,
    profiles: Mapping[str, Profile] | None,
    branches: Mapping[str, Branch] | None,
    teams: Mapping[str, Team] | None,
    levels: Mapping[str, DataAccessLevel] | None,
) -> tuple[HrRule, ...]:
    """The rules in the file's order. None for what could not be read: then nothing is compared with it."""
    attributes = document.root.texts("attributes")
    tables = document.root.rows("rules")
    rules = []
    for table in tables:
        rule = HrRule(
            name=table.text("name"),
            when=_conditions(table.table("when"), attributes),
            profile=table.choice("profile", profiles, "profile"),
            branch=table.choice("branch", branches, "branch") if table.has("branch") else None,
            team=table.choice("team", teams, "team") if table.has("team") else None,
            data_access=(
                table.choice("data_access", levels, "data access level") if table.has("data_access") else None
            ),
        )
        rules.append(rule)
        _check_team(rule, table, teams)
        _check_data_access(rule, table, profiles, levels)
    _check_order(rules, tables)
    return tuple(rules)


def _holds(rule: HrRule, attributes: Mapping[str, str]) -> bool:
    return all(
        attribute in attributes and any(_matches(pattern, attributes[attribute]) for pattern in patterns)
        for attribute, patterns in rule.when.items()
    )


def _matches(pattern: str, value: str) -> bool:
    expression = ".*".join(re.escape(part) for part in pattern.strip().casefold().split("*"))
    return re.fullmatch(expression, value.strip().casefold(), re.DOTALL) is not None


def _conditions(table: Table, attributes: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    for name in table.names():
        if name not in attributes:
            table.report(name, f'"{name}" is not one of the attributes above', near=nearest(name, attributes))
    return {name: table.text_or_texts(name) for name in table.names()}


def _check_team(rule: HrRule, table: Table, teams: Mapping[str, Team] | None) -> None:
    team = (teams or {}).get(rule.team or "")
    if team is not None and team.branch != rule.branch:
        table.report("team", f'"{team.key}" belongs to the branch {team.branch}', near=None)


def _check_data_access(
    rule: HrRule,
    table: Table,
    profiles: Mapping[str, Profile] | None,
    levels: Mapping[str, DataAccessLevel] | None,
) -> None:
    """A5: not above the profile's ceiling, and with the branch or team that the level needs."""
    profile = (profiles or {}).get(rule.profile)
    if profile is None or levels is None:
        return
    level = levels.get(rule.data_access or profile.default_data_access)
    highest = levels.get(profile.highest_data_access)
    if level is None or highest is None:
        return
    if level.width > highest.width:
        table.report(
            "data_access", f'"{level.key}" is wider than profile {profile.key} may have', near=highest.key
        )
    if level.needs == "branch" and rule.branch is None:
        table.report("branch", f'is missing: data access "{level.key}" needs one')
    if level.needs == "team" and rule.team is None:
        table.report("team", f'is missing: data access "{level.key}" needs one')


def _check_order(rules: Sequence[HrRule], tables: Sequence[Table]) -> None:
    """The first match wins, so a rule below one that matches everyone, or the same people, is never reached."""
    names: set[str] = set()
    catch_all: str | None = None
    for rule, table in zip(rules, tables, strict=True):
        if rule.name in names:
            table.report("name", f'"{rule.name}" is the name of an earlier rule')
        names.add(rule.name)
        if catch_all is not None:
            table.report(None, f'is never reached: the rule "{catch_all}" before it matches everyone')
        elif not rule.when and not table.has_problem("when"):
            catch_all = rule.name
