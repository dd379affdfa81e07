"""The world an import is planned against: every account its rows may belong to or resemble, read in bulk.

Nothing is locked here: what a row was decided on is pinned by the account's wanted version
(rule: approve-a-fingerprint).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import Column, select

from sync.domain.accounts.account import Account
from sync.domain.imports.match import Keys, World
from sync.store.accounts.rows import COLUMNS, from_row
from sync.store.database.batches import batches
from sync.store.database.tables import account, login_name
from sync.store.database.transactions import Tx
from sync.store.provisioning import work_state


def read_world(tx: Tx, keys: Keys, technicians: Collection[str] | None) -> World:
    """`technicians` are the ids of the FSM system, None when the file names no technician."""
    found: dict[str, Account] = {}
    for column, wanted in (
        (account.c.employee_number, keys.employee_numbers),
        (account.c.technician_id, keys.technicians),
        (account.c.name_key, keys.names),
        (account.c.email_local, keys.local_parts),
        (account.c.id, _owners(tx, keys.logins)),
    ):
        found.update((each.id, each) for each in _having(tx, column, wanted))
    return World(found, work_state.wanted_versions(tx, found), technicians)


def _having(tx: Tx, column: Column[str], wanted: Collection[str]) -> Iterator[Account]:
    for some in batches(wanted):
        for row in tx.connection.execute(select(*COLUMNS).where(column.in_(some))).mappings():
            yield from_row(row)


def _owners(tx: Tx, logins: Collection[str]) -> frozenset[str]:
    return frozenset(
        owner
        for some in batches(logins)
        for owner in tx.connection.scalars(select(login_name.c.account_id).where(login_name.c.key.in_(some)))
    )
