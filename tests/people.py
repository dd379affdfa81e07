"""Accounts for tests to which most of one does not matter: they name what does, and the rest is filled in."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sync.domain.accounts.account import Account, Life


def an_account(address: str, **given: Any) -> Account:
    """An active dispatcher in Hamburg who logs in with the e-mail address, but for what is given."""
    account = Account(
        id=str(uuid.uuid4()),
        username=address,
        email=address,
        given_name="Kim",
        family_name="Example",
        profile="dispatcher",
        branch="hamburg",
        team=None,
        data_access=None,
        technician_id=None,
        employee_number=None,
        life=Life.ACTIVE,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return replace(account, **given)
