"""The web process has what commands work on, and it is always by the mapping files in force."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from mappings.loading import read_texts
from sync.commands.mappings.in_force import put_in_force
from sync.settings import Settings
from sync.store import mappings
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from sync.views.mappings import CurrentPolicy
from sync.wiring.doors import Desks
from tests.callers import wanted_by
from tests.world import set_up


@pytest.mark.supports("E7")
def test_a_desk_is_of_the_policy_in_force_and_remembers_which(tmp_path: Path) -> None:
    """Somebody adopts other files: the next request decides by them, and one under way stores nothing."""
    url = f"sqlite:///{tmp_path / 'desks.db'}"
    set_up(url)
    settings = Settings.model_validate(
        {
            "database_url": url,
            "redis_url": "redis://:hidden@127.0.0.1:9/0",
            "field_service_url": f"sqlite:///{tmp_path / 'fsm.db'}",
            "secret_keys": Fernet.generate_key().decode(),
            "public_url": "https://console.example.com",
            "mail": {"login_url": "https://console.example.com"},
            "keycloak": {"url": "http://127.0.0.1:9"},
        }
    )
    db = Database(url, Sealer(settings.keys))
    desks = Desks(settings, db, CurrentPolicy(db))
    before = desks()
    assert desks() is before
    files = dict(read_texts())
    files["work_orders.toml"] = files["work_orders.toml"].replace("deadline_days = 14", "deadline_days = 3")
    with db.write() as tx:
        mappings.adopt_one_at_a_time(tx)
        put_in_force(tx, None, files, "other", wanted_by("lee", "longer holds"), datetime.now(UTC))
    after = desks()
    assert (before.policy.work_orders.hold_deadline_days, before.policy_number) == (14, 1)
    assert (after.policy.work_orders.hold_deadline_days, after.policy_number) == (3, 2)
    db.close()
