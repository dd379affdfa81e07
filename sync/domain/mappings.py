"""What other mapping files mean for the accounts there are, and what else is different in them (E7).

Pure. `commands.mappings.plan` walks over all accounts with it, before anything of the new files is in force.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeAlias

from mappings.guard import UNLIMITED, ChangeKind, GuardRules
from mappings.policy import Policy
from sync.domain.accounts.account import Account
from sync.domain.provisioning.desired import desired_state
from sync.domain.runs.effects import Access, access_of, effects

Changes: TypeAlias = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
"""What goes and what comes, sorted, by what it is: groups in Keycloak, features of the profile, data access."""


FOR_WORKERS = frozenset({"groups", "attributes"})


@dataclass(frozen=True, slots=True)
class PolicyEffect:
    """`kinds` are those of the mass-change guard. Memberships are for workers to carry to Keycloak; features hang
    on the groups, where `realm apply` changes them for all members at once."""

    kinds: frozenset[ChangeKind]
    changes: Changes

    @property
    def for_workers(self) -> bool:
        return not self.changes.keys().isdisjoint(FOR_WORKERS)

    def record(self) -> dict[str, list[list[str]]]:
        """As JSON: what goes and what comes."""
        return {name: [list(gone), list(new)] for name, (gone, new) in self.changes.items()}


class PolicyComparison:
    """Two policies, compared for one account after the other. What follows from the policy is the same for all
    accounts with the same profile, place and life, so each such combination is decided once."""

    def __init__(self, before: Policy, after: Policy) -> None:
        self._policies = before, after
        self._known: dict[tuple[object, ...], PolicyEffect | None] = {}

    def of(self, account: Account) -> PolicyEffect | None:
        """None: nothing is different for the account. Its keys must be in both policies
        (rule: keys-in-use-stay)."""
        alike = (
            account.life,
            account.profile,
            account.branch,
            account.team,
            account.data_access,
            account.technician_id is not None,
            frozenset(account.attributes),
        )
        if alike not in self._known:
            self._known[alike] = self._decide(account)
        return self._known[alike]

    def _decide(self, account: Account) -> PolicyEffect | None:
        before, after = (access_of(account, each) for each in self._policies)
        changes = dict(_changes(before, after))
        was, is_ = (desired_state(account, each).groups for each in self._policies)
        if was != is_:
            changes["groups"] = _gone_and_new(was, is_)
        had, has = (frozenset(account.attributes.keys() & each.attributes.keys()) for each in self._policies)
        if had != has:
            changes["attributes"] = _gone_and_new(had, has)
        kinds = effects(before, after)
        if not changes and kinds == {"changed"}:
            return None
        return PolicyEffect(kinds, changes)


def _changes(before: Access, after: Access) -> Iterator[tuple[str, tuple[tuple[str, ...], tuple[str, ...]]]]:
    if before.features != after.features:
        yield "features", _gone_and_new(before.features, after.features)


def _gone_and_new(before: frozenset[str], after: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(sorted(before - after)), tuple(sorted(after - before))


ENTRIES = {
    "profiles": "profile",
    "branches": "branch",
    "teams": "team",
    "data_access": "data access level",
    "attributes": "attribute",
}
OTHER_FILES = {
    "hr_rules": "hr_rules.toml",
    "import_columns": "import_columns.toml",
    "work_orders": "work_orders.toml",
    "field_service": "field_service.toml",
    "realm": "realm.toml; what it means for Keycloak: fsm-identity realm plan",
    "guard": "guard.toml; this change is still judged by the limits in force",
    "drift": "drift.toml",
}


def other_changes(before: Policy, after: Policy) -> tuple[str, ...]:
    """A line for each entry that comes, goes or reads otherwise, and for each other file that is not the same."""
    lines = [
        line
        for name, what in ENTRIES.items()
        for line in _entries(what, getattr(before, name), getattr(after, name))
    ]
    lines += [
        f"changed: {what}" for name, what in OTHER_FILES.items() if getattr(before, name) != getattr(after, name)
    ]
    lines += [f"guard.toml: {line}" for line in _limits(before.guard, after.guard)]
    return tuple(lines)


def needs_realm_apply(before: Policy, after: Policy) -> bool:
    """True if groups, their roles or the settings of the realm are to follow: everything but rules and columns may
    reach it, and an apply with nothing to do does nothing."""
    return any(getattr(before, name) != getattr(after, name) for name in (*ENTRIES, "features", "realm"))


def _entries(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(before.keys() | after.keys()):
        if key not in before:
            yield f"new: {what} {key}"
        elif key not in after:
            yield f"gone: {what} {key}"
        elif before[key] != after[key]:
            yield f"changed: {what} {key} ({', '.join(_fields(before[key], after[key]))})"


def _fields(before: Any, after: Any) -> Iterator[str]:  # noqa: ANN401 - an entry of any mapping file
    for each in fields(before):
        was, is_ = getattr(before, each.name), getattr(after, each.name)
        if was != is_:
            name = each.name.replace("_", " ")
            simple = all(value is None or isinstance(value, str | int) for value in (was, is_))
            yield f"{name}: {_said(was)} → {_said(is_)}" if simple else name


def _limits(before: GuardRules, after: GuardRules) -> Iterator[str]:
    """Each number of the guard that is another one, with both."""
    was, is_ = dict(_flat(before)), dict(_flat(after))
    for name in sorted(was.keys() | is_.keys()):
        if was.get(name, _NOT_SET) != is_.get(name, _NOT_SET):
            yield f"{name}: {was.get(name, _NOT_SET)} → {is_.get(name, _NOT_SET)}"


_NOT_SET = "not set"


def _flat(rules: Any, *path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - a part of the guard's rules
    """Each number by the words that lead to it in the file."""
    if is_dataclass(rules):
        inner: Mapping[str, Any] = {each.name: getattr(rules, each.name) for each in fields(rules)}
    elif isinstance(rules, Mapping):
        inner = rules
    else:
        yield " ".join(path).replace("_", " "), UNLIMITED if rules is None else _said(rules)
        return
    for name, each in inner.items():
        yield from _flat(each, *path, name)


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
