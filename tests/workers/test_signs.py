"""The thread that says that a process lives, when our database does what nobody foresaw (H1)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.domain.errors import Transient
from sync.store.work import processes
from tests.waiting import wait_until
from tests.world import World
from workers import signs
from workers.signs import SignsOfLife


@pytest.mark.supports("H1")
@pytest.mark.parametrize("error", [Transient("the database is away"), RuntimeError("internal error")], ids=str)
def test_a_sign_that_fails_is_followed_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whatever the reason: a process without signs would lose everything that it claims."""
    monkeypatch.setattr(signs, "SIGN_EVERY", timedelta(milliseconds=10))
    living = SignsOfLife(world.systems.db)
    given: list[bool] = []

    def fails_once(*_: object) -> None:
        given.append(True)
        if len(given) == 1:
            raise error

    monkeypatch.setattr(processes, "lives", fails_once)
    living.start()
    try:
        wait_until(lambda: len(given) > 2, 20, "no sign after one that failed")
    finally:
        living.end()
        living.join(10)
