"""Which profile, branch, team or level somebody means who writes its key, its title or an alias (I3). Pure.

Doors hand in what was typed and get keys; a name that nobody knows is refused with the nearest one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mappings.files.names import Named
from mappings.policy import Policy
from sync.domain.accounts.attribute_values import NotUnderstood
from sync.domain.errors import Problem, Refused


def keys_named(policy: Policy, named: Mapping[str, str], branch_now: str | None = None) -> dict[str, str]:
    """Field (profile, branch, team, data_access) to the key of what is named; other fields stay as they are.

    A team is looked for in the branch that is named beside it, else in `branch_now`. Raises Refused with every
    problem.
    """
    keys, problems = known_keys(policy, named, branch_now)
    if problems:
        raise Refused(problems)
    return keys


def known_keys(
    policy: Policy, named: Mapping[str, str], branch_now: str | None = None
) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """`keys_named` for whoever tells more problems at once: what nobody knows stays as it was typed."""
    keys: dict[str, str] = dict(named)
    problems: list[Problem] = []
    unknown_branch = False
    for field in ("profile", "branch", "data_access", "team"):
        if field not in named:
            continue
        if field == "team" and unknown_branch and _is_a_team_somewhere(policy, named["team"]):
            continue  # which of them is meant is known with the branch
        try:
            where = None if unknown_branch else keys.get("branch", branch_now)
            keys[field] = key_named(policy, field, named[field], where)
        except NotUnderstood as why:
            problems.append(Problem(field, why.reason, why.remedy))
            unknown_branch = unknown_branch or field == "branch"
    return keys, tuple(problems)


def key_named(policy: Policy, field: str, text: str, branch: str | None = None) -> str:
    """The key of the one that is meant. Raises NotUnderstood, with the nearest name or all of them."""
    found: Named | None
    match field:
        case "profile":
            found, near = policy.find_profile(text), policy.nearest_profile(text)
            known = [each.title for each in policy.profiles.values()]
        case "branch":
            found, near = policy.find_branch(text), policy.nearest_branch(text)
            known = [each.title for each in policy.branches.values()]
        case "data_access":
            found, near = policy.find_level(text), policy.nearest_level(text)
            known = [each.title for each in policy.data_access.values()]
        case "team":
            return _team(policy, text, branch)
        case _:
            raise ValueError(f"{field} has no names in the mapping files")
    if found is None:
        raise NotUnderstood(f"{text!r} is unknown", _remedy(near, known))
    return found.key


def _team(policy: Policy, text: str, branch: str | None) -> str:
    """Teams of several branches may be called alike: the branch or the key tells them apart."""
    where = branch if branch in policy.branches else None
    found = policy.find_team(text, where)
    if found is not None:
        return found.key
    alike = [each for key in policy.branches if (each := policy.find_team(text, key)) is not None]
    homes = ", ".join(policy.branches[each.branch].title for each in alike)
    if alike and where:
        here = policy.branches[where].title
        raise NotUnderstood(f"{text!r} is a team of {homes}, not of {here}", "name the team and its branch")
    if alike:
        keys = ", ".join(each.key for each in alike)
        raise NotUnderstood(f"{text!r} is a team of {homes}", f"name the branch too, or one of {keys}")
    teams = policy.branches[where].teams if where else tuple(policy.teams.values())
    raise NotUnderstood(
        f"{text!r} is unknown", _remedy(policy.nearest_team(text, where), {each.title for each in teams})
    )


def _is_a_team_somewhere(policy: Policy, text: str) -> bool:
    return any(policy.find_team(text, key) for key in policy.branches)


def _remedy(near: str | None, known: Collection[str]) -> str:
    return f"did you mean {near!r}?" if near else f"known are {', '.join(sorted(known))}"
