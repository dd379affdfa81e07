"""What each part of the realm can do: read its items, create, update and remove one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from sync.domain.realm.difference import Update
from sync.domain.realm.item import Item, ItemKind


class Section(Protocol):
    """One part of the realm, answering for the items of `kinds`."""

    kinds: frozenset[ItemKind]

    def read(self) -> Iterator[Item]: ...

    def create(self, item: Item) -> None: ...

    def update(self, update: Update) -> None: ...

    def remove(self, item: Item) -> None: ...


class Unremovable:
    """For sections whose items fsm-identity never takes away."""

    def remove(self, item: Item) -> None:
        raise TypeError(f"{item} is never removed")
