"""What a door works on: our database, the policy in force, the clock, the wake, and the FSM system to ask.

Nothing of Keycloak is in it, so that no door can reach it: a command stores what is wanted, and workers, which
have `sync.jobs.systems`, carry it there. Made by `sync.wiring.doors`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mappings.policy import Policy
from sync.ports.field_service import FieldService
from sync.ports.signals import Clock, Wake
from sync.store.database.transactions import Database


class BareDesk(Protocol):
    """The little of a Desk that a command needs which decides by no mapping file: those of an operator go on
    whatever is wrong with the files."""

    @property
    def db(self) -> Database: ...

    @property
    def policy(self) -> Policy | None: ...

    @property
    def wake(self) -> Wake: ...

    @property
    def policy_number(self) -> int | None: ...

    @property
    def clock(self) -> Clock: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """`policy_number` says which of the adopted policies `policy` is; None: it is not from our database, and
    nothing asks whether it is still in force."""

    db: Database
    policy: Policy
    field_service: FieldService
    wake: Wake
    clock: Clock
    policy_number: int | None = None
