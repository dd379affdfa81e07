"""The realm as a set of items: a role, a group, a client, a login flow, the settings. One shape for what is
wanted and for what is there, so that one comparison serves all of them.

An item has a kind, a name that is unique within the kind, and flat fields. A wanted item holds only the
fields fsm-identity decides; an observed item may hold more, and what it holds more is left alone.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from sync.domain.realm.flow import Flow


class ItemKind(StrEnum):
    """What an item is. The order is the order of creation: each may refer to those above it."""

    REALM = "realm"
    PROFILE_ATTRIBUTE = "user profile attribute"
    REQUIRED_ACTION = "required action"
    REALM_ROLE = "realm role"
    CLIENT = "client"
    FEATURE = "feature"
    SERVICE_ACCOUNT = "service account"
    SCOPE = "client scope"
    MAPPER = "claim"
    SCOPE_ROLES = "roles of client scope"
    DEFAULT_SCOPE = "default client scope of"
    GROUP = "group"
    FLOW = "login flow"
    BINDING = "login flow for"


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is compared and written but never shown."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return "(secret)"


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """What is known of a secret that Keycloak does not tell: a salted scrypt hash, kept beside it by us.

    A secret that somebody changes in Keycloak's console keeps our old hash, so such a change is not seen.
    """

    salt: str
    digest: str = field(repr=False)

    @classmethod
    def of(cls, secret: str, salt: str) -> SealedSecret:
        digest = hashlib.scrypt(secret.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=32)
        return cls(salt, digest.hex())

    def opens_with(self, secret: str) -> bool:
        return hmac.compare_digest(self.digest, self.of(secret, self.salt).digest)

    def __str__(self) -> str:
        return "(another secret)"


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A list that must contain these values; what else it contains is not ours."""

    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class WherePresent:
    """A field that not every Keycloak has: where it is missing nothing is wanted of it."""

    value: bool | int


Value: TypeAlias = (
    bool | int | str | tuple[str, ...] | Secret | SealedSecret | AtLeast | WherePresent | Flow | None
)
"""A list is a sorted tuple: Keycloak lists them in any order."""

Fields: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in the realm. Fields of an object inside are spelled `object:key`."""

    kind: ItemKind
    name: str
    fields: Fields

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class RealmState:
    """Items by kind and name."""

    items: Mapping[tuple[ItemKind, str], Item]

    @classmethod
    def of(cls, items: Iterable[Item]) -> RealmState:
        return cls({(item.kind, item.name): item for item in items})

    def get(self, kind: ItemKind, name: str) -> Item | None:
        return self.items.get((kind, name))

    def of_kind(self, kind: ItemKind) -> Iterator[Item]:
        return (item for item in self.items.values() if item.kind is kind)


def listed(values: Iterable[str]) -> tuple[str, ...]:
    """A list as a value: sorted, each entry once."""
    return tuple(sorted(set(values)))


def shown(value: Value) -> str:
    """A value as a plan shows it; never a secret."""
    match value:
        case None:
            return "(none)"
        case bool():
            return str(value).lower()
        case tuple():
            return "[" + ", ".join(value) + "]"
        case str():
            return repr(value)
        case _:
            return str(value)
