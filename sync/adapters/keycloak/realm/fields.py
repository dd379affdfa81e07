"""Between Keycloak's nested JSON and the flat fields of an item."""

from __future__ import annotations

import copy
from typing import Any

from sync.adapters.keycloak.connection import Json
from sync.domain.realm.flow import Flow
from sync.domain.realm.item import AtLeast, Fields, SealedSecret, Secret, Value, WherePresent, listed


def flat(representation: Json) -> dict[str, Value]:
    """Scalars and lists of strings as they are, an object's entries as `object:key`; anything deeper is left
    out, no wanted item names it."""
    fields: dict[str, Value] = {}
    for name, value in representation.items():
        if isinstance(value, dict):
            fields |= {f"{name}:{key}": entry for key, entry in _scalars(value).items()}
        else:
            fields |= _scalars({name: value})
    return fields


def _scalars(values: dict[str, Any]) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    for name, value in values.items():
        if isinstance(value, bool | int | str):
            fields[name] = value
        elif isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            fields[name] = listed(value)
    return fields


def merged(representation: Json, fields: Fields) -> Json:
    """The representation with these fields set; None takes a field away. The rest stays as it was read."""
    result = copy.deepcopy(representation)
    for name, value in fields.items():
        outer, _, inner = name.partition(":")
        target = result.setdefault(outer, {}) if inner else result
        if value is None:
            target.pop(inner or outer, None)
        else:
            target[inner or outer] = _json(value)
    return result


def _json(value: Value) -> Json:
    match value:
        case tuple():
            return list(value)
        case Secret():
            return value.value
        case AtLeast() | WherePresent() | SealedSecret() | Flow():
            raise TypeError(f"{type(value).__name__} cannot be written as JSON")
        case _:
            return value
