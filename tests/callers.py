"""Who asks in tests, and what they were allowed: the one place of the tests that makes callers."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import cast

from sync.commands.access import authority
from sync.domain.access.callers import Machine
from sync.domain.access.cause import Cause, Door, Origin
from sync.domain.access.granted import Granted, GrantedAccount
from sync.domain.access.permissions import Permission
from sync.domain.accounts.account import Account
from sync.store.database.transactions import Tx

WHY = "because the test says so"
NOWHERE = cast("Tx", None)
"""A login of the operating system is judged without a look into the database."""
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def machine(login: str = "dana") -> Machine:
    """Another name is another login."""
    return Machine(zlib.crc32(login.encode()), login, "host-of-the-test")


def wanted_by(login: str = "dana", reason: str = WHY, origin: Origin = Origin.PERSON) -> Cause:
    """A login at the command line."""
    return Cause(machine(login), Door.COMMAND_LINE, reason, origin)


BY = wanted_by()


def allowed(by: Cause = BY, permission: Permission = Permission.CHANGE) -> Granted:
    return authority.allow(NOWHERE, None, by, permission, NOW)


def granted(after: Account, before: Account | None = None, by: Cause = BY) -> GrantedAccount:
    """The account may become this."""
    return authority.allow_account(NOWHERE, None, by, Permission.CHANGE, before, after, NOW)
