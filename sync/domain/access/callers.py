"""Who asks: a person, a program, a login of the operating system, an HR source, or the system itself (I4).

A closed union of five values, none of them "nobody". What each may do is decided in `may`; a record of a caller is
kept beside everything it asked for, and a run keeps its caller until its last row is applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, assert_never


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account: what they may do is read from its row. `account_id` None: a break-glass name of
    realm.toml, which has no account and may everything. `name` is for people to read."""

    account_id: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Program:
    """A client of Keycloak that acts by itself. `role` is a profile, `ceiling` a data access level, both keys of
    the mapping files; `branch` None: every branch; from `ends` on it may nothing; None: no end."""

    client_id: str
    role: str
    branch: str | None
    ceiling: str
    ends: date | None

    @property
    def name(self) -> str:
        return self.client_id


@dataclass(frozen=True, slots=True)
class Machine:
    """A login of the operating system: who sits at a command line. It may everything, for whoever can read our
    settings can read our database. `login` is the name of the number, if it has one on that host."""

    number: int
    login: str | None
    host: str

    @property
    def name(self) -> str:
        return self.login or f"uid {self.number}"


@dataclass(frozen=True, slots=True)
class Source:
    """An HR source. `sets` are the fields of an account that are its to say."""

    key: str
    sets: frozenset[str]

    @property
    def name(self) -> str:
        return self.key


class System(StrEnum):
    """What happens by itself, because a file, a time or the mail server says so."""

    DRIFT_FILE = "drift.toml"
    MAPPING_FILES = "mapping files"
    WORK_ORDER_GATE = "work-order gate"
    HOLD_DEADLINE = "hold deadline"
    FIRST_DAY = "first day"
    EXPIRY = "expiry"
    RETENTION = "retention"
    MAIL_WEBHOOK = "mail webhook"


Caller = Person | Program | Machine | Source | System


def name_of(caller: Caller) -> str:
    """For people to read; it identifies nobody."""
    return caller.value if isinstance(caller, System) else caller.name


def id_of(caller: Caller) -> str:
    """What the caller is told from others of its kind by."""
    match caller:
        case Person(account_id, name):
            return account_id or name
        case Program(client_id):
            return client_id
        case Machine(number):
            return str(number)
        case Source(key):
            return key
        case System():
            return caller.value
        case _:
            assert_never(caller)


def kind_of(caller: Caller) -> str:
    return type(caller).__name__.lower()


MACHINE = Machine.__name__.lower()
"""The kind of a login of the operating system."""


@dataclass(frozen=True, slots=True)
class CallerKey:
    """What a caller is told from others by, as the history keeps it. `host` is where a login of the operating
    system was, None for anybody else; two hosts make no two callers."""

    kind: str
    id: str
    host: str | None


def key_of(caller: Caller) -> CallerKey:
    return CallerKey(kind_of(caller), id_of(caller), caller.host if isinstance(caller, Machine) else None)


def same(one: Caller, other: Caller) -> bool:
    """Of machines the number counts: one login on two hosts is one person, and so are two people who share it."""
    return kind_of(one) == kind_of(other) and id_of(one) == id_of(other)


def record(caller: Caller) -> dict[str, Any]:
    """As JSON; `from_record` makes it a caller again."""
    kind: dict[str, Any] = {"kind": kind_of(caller)}
    match caller:
        case Person(account_id, name):
            return kind | {"account_id": account_id, "name": name}
        case Program(client_id, role, branch, ceiling, ends):
            until = None if ends is None else ends.isoformat()
            return kind | {
                "client_id": client_id,
                "role": role,
                "branch": branch,
                "ceiling": ceiling,
                "ends": until,
            }
        case Machine(number, login, host):
            return kind | {"number": number, "login": login, "host": host}
        case Source(key, sets):
            return kind | {"key": key, "sets": sorted(sets)}
        case System():
            return kind | {"what": caller.value}
        case _:
            assert_never(caller)


def from_record(kept: Mapping[str, Any]) -> Caller:
    """Raises KeyError or ValueError for what `record` did not make."""
    values = {name: value for name, value in kept.items() if name != "kind"}
    match kept["kind"]:
        case "person":
            return Person(**values)
        case "program":
            ends = values.pop("ends")
            return Program(**values, ends=None if ends is None else date.fromisoformat(ends))
        case "machine":
            return Machine(**values)
        case "source":
            return Source(values["key"], frozenset(values["sets"]))
        case "system":
            return System(values["what"])
        case other:
            raise ValueError(f"no caller is a {other!r}")
