"""Taking over a realm: what is written down before it is changed."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from sync.commands.realm import decide_take_over
from sync.store.database.tables import audit
from tests.world import BY, World

SHOWN = ("action", "reason", "before", "after")

pytestmark = pytest.mark.supports("G1", "H1")


def test_the_decision_is_written_down_with_its_reason(world: World) -> None:
    """Whose the realm was, whose it is from now on, who said so and why."""
    decide_take_over(world.systems, "north", "old-id", "new-id", BY)
    [entry] = world.read(lambda tx: tx.connection.execute(select(audit.c[*SHOWN])).all())
    assert (entry.action, entry.reason) == ("take over the realm", BY.reason)
    assert (entry.before["installation"], entry.after["installation"]) == ("old-id", "new-id")
