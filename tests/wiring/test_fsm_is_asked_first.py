"""Every test would see it if somebody asked the FSM system inside a write transaction (`tests.asked_outside`)."""

from __future__ import annotations

import pytest

from tests.world import World


@pytest.mark.supports("D3")
def test_a_question_inside_a_write_transaction_is_seen(world: World, fsm_is_asked_outside: list[str]) -> None:
    """Before one, or while one only reads, it may be asked."""
    world.fsm.technicians()
    with world.systems.db.read():
        world.fsm.technicians()
    assert fsm_is_asked_outside == []
    with world.systems.db.write():
        world.fsm.technicians()
    assert len(fsm_is_asked_outside) == 1
    fsm_is_asked_outside.clear()
