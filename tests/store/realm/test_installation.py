"""The id of the installation: made once, and the same in a copy."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from sync.domain.errors import Misconfigured
from sync.store import realm
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.tables import installation
from sync.store.database.transactions import Database

pytestmark = pytest.mark.supports("H1", "J4")


def test_an_upgrade_makes_one_id_and_another_upgrade_keeps_it(database_url: str, sealer: Sealer) -> None:
    """An emptied database that is upgraded again is another installation."""
    found = []
    database = Database(database_url, sealer)
    for _ in range(2):
        schema.upgrade(database_url)
        with database.read() as tx:
            found.append(realm.installation(tx))
    assert found[0] == found[1]
    schema.downgrade(database_url, "base")
    schema.upgrade(database_url)
    with database.read() as tx:
        assert realm.installation(tx) != found[0]
    database.close()


def test_a_database_without_an_id_says_what_to_do(database_url: str, sealer: Sealer) -> None:
    """Nobody can tell whose the realm is."""
    schema.upgrade(database_url)
    database = Database(database_url, sealer)
    with database.write() as tx:
        tx.connection.execute(delete(installation))
    with database.read() as tx, pytest.raises(Misconfigured, match="restore the table `installation`"):
        realm.installation(tx)
    database.close()
