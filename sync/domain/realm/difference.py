"""What differs between the realm as wanted and as it is, and in which order it is mended.

Creation follows the order of `ItemKind`, removal the reverse; flows are built before they are bound and removed
after. Removed is only what fsm-identity makes: see `REMOVED`. Everything the realm holds besides is left alone.
A difference is a value with its data: screen, JSON and fingerprint are made of that here, and hold no secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from mappings.fingerprint import fingerprint
from sync.domain.access import vocabulary
from sync.domain.realm.item import (
    AtLeast,
    Fields,
    Item,
    ItemKind,
    RealmState,
    SealedSecret,
    Secret,
    Value,
    WherePresent,
    listed,
    shown,
)

REMOVED = frozenset({ItemKind.REALM_ROLE, ItemKind.FEATURE, ItemKind.MAPPER, ItemKind.GROUP, ItemKind.FLOW})
"""Kinds of which the adapter observes only what is ours, so that what is not wanted any more may go."""

_ORDER = {kind: position for position, kind in enumerate(ItemKind)}

Order: TypeAlias = tuple[int, int, int, str]
"""Creating and changing before removing; by kind; a group's children are removed before it; by name."""


@dataclass(frozen=True, slots=True)
class Create:
    item: Item

    @property
    def order(self) -> Order:
        return 0, _ORDER[self.item.kind], 0, self.item.name

    def __str__(self) -> str:
        return f"+ {self.item}: {', '.join(self.details)}"

    @property
    def details(self) -> tuple[str, ...]:
        return tuple(f"{name} {shown(value)}" for name, value in sorted(self.item.fields.items()))


@dataclass(frozen=True, slots=True)
class Update:
    """`existing` and `new` hold only the fields that differ; None: the field is not there, or is to go."""

    kind: ItemKind
    name: str
    existing: Fields
    new: Fields

    @property
    def order(self) -> Order:
        return 0, _ORDER[self.kind], 0, self.name

    def __str__(self) -> str:
        return f"~ {self.kind} {self.name}: {'; '.join(self.details)}"

    @property
    def details(self) -> tuple[str, ...]:
        return tuple(_changed(name, self.existing[name], self.new[name]) for name in sorted(self.new))


@dataclass(frozen=True, slots=True)
class Remove:
    item: Item

    @property
    def order(self) -> Order:
        return 1, -_ORDER[self.item.kind], -self.item.name.count("/"), self.item.name

    def __str__(self) -> str:
        return f"- {self.item}"


RealmDifference = Create | Update | Remove


def record(difference: RealmDifference) -> dict[str, object]:
    """The difference as plain JSON, for programs and for fingerprints; a secret only as a word."""
    match difference:
        case Create(item=item):
            return {"action": "create", "kind": item.kind, "name": item.name, "new": _values(item.fields)}
        case Update(kind=kind, name=name, existing=existing, new=new):
            values = {"existing": _values(existing), "new": _values(new)}
            return {"action": "change", "kind": kind, "name": name, **values}
        case Remove(item=item):
            return {"action": "remove", "kind": item.kind, "name": item.name}


def _values(fields: Fields) -> dict[str, object]:
    return {
        name: value if isinstance(value, bool | int | str | tuple | None) else shown(value)
        for name, value in fields.items()
    }


@dataclass(frozen=True, slots=True)
class RealmPlan:
    """Differences in the order in which they are to be carried out. `findings` are what fsm-identity sees and
    does not mend, because it is not ours: ways around the second factor that somebody else has opened.
    `installation`: for whom it was made; a realm of another one is not changed by it."""

    differences: tuple[RealmDifference, ...]
    findings: tuple[str, ...] = ()
    installation: str | None = None

    @property
    def in_order(self) -> bool:
        return not self.differences and not self.findings

    @property
    def fingerprint(self) -> str:
        """Over the records of the differences, in their order."""
        return fingerprint([record(each) for each in self.differences])


def realm_differences(wanted: RealmState, observed: RealmState) -> tuple[RealmDifference, ...]:
    """Pure, total, and empty once applied; login flows are compared by `flow_changes`."""
    return in_safe_order(_differences(wanted, observed))


def in_safe_order(found: Iterable[RealmDifference]) -> tuple[RealmDifference, ...]:
    return tuple(sorted(found, key=lambda each: each.order))


def _differences(wanted: RealmState, observed: RealmState) -> Iterator[RealmDifference]:
    for key, item in wanted.items.items():
        present = observed.items.get(key)
        if present is None:
            yield Create(Item(item.kind, item.name, {name: _plain(value) for name, value in item.fields.items()}))
            continue
        update = _update(item, present)
        if update is not None:
            yield update
    for key, item in observed.items.items():
        if item.kind in REMOVED and item.kind is not ItemKind.FLOW and key not in wanted.items:
            yield Remove(item)


def _update(item: Item, present: Item) -> Update | None:
    new: dict[str, Value] = {}
    for name, value in item.fields.items():
        existing = present.fields.get(name)
        target = _target(value, existing, there=name in present.fields)
        if not _same(target, existing):
            new[name] = target
    if item.kind is ItemKind.GROUP:
        extra = (name for name in present.fields if name.startswith("attributes:") and name not in item.fields)
        new |= dict.fromkeys(extra, None)
    if not new:
        return None
    return Update(item.kind, item.name, {name: present.fields.get(name) for name in new}, new)


def _target(value: Value, existing: Value, *, there: bool) -> Value:
    match value:
        case AtLeast(values=values):
            return listed([*values, *_strings(existing)])
        case WherePresent(value=wanted):
            return wanted if there else existing
        case _:
            return value


def _same(wanted: Value, existing: Value) -> bool:
    if isinstance(wanted, Secret) and isinstance(existing, SealedSecret):
        return existing.opens_with(wanted.value)
    return wanted == existing


def _plain(value: Value) -> Value:
    return _target(value, None, there=True)


def _strings(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _changed(name: str, existing: Value, new: Value) -> str:
    if isinstance(existing, tuple) and isinstance(new, tuple):
        roles = name in {"roles", "scope", "composites"}
        gone = [
            f"- {entry} (not ours)" if roles and not vocabulary.owns_spelled_role(entry) else f"- {entry}"
            for entry in existing
            if entry not in new
        ]
        return f"{name}: " + ", ".join([*gone, *(f"+ {entry}" for entry in new if entry not in existing)])
    return f"{name}: {shown(existing)} -> {shown(new)}"


def counts(plan: RealmPlan) -> Mapping[str, int]:
    """How many of each: create, change, remove."""
    return {
        "create": sum(isinstance(each, Create) for each in plan.differences),
        "change": sum(isinstance(each, Update) for each in plan.differences),
        "remove": sum(isinstance(each, Remove) for each in plan.differences),
    }
