"""The schedule of `make chaos`: a seed gives the same disturbances each time, and all that were promised."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.chaos.story.schedule import FROZEN, KEYCLOAK_AWAY, ONE_SHOT_ACTS, schedule


@pytest.mark.supports("H1")
def test_a_seed_is_a_schedule() -> None:
    """A failing seed can be run again; another seed is another schedule."""
    assert schedule(123) == schedule(123)
    assert schedule(123) != schedule(124)


@pytest.mark.supports("H1")
@pytest.mark.parametrize("seed", range(20))
def test_everything_promised_happens(seed: int) -> None:
    """Workers die every 2 to 5 seconds; Keycloak is away for a minute; one is frozen for longer than its lease."""
    planned = schedule(seed)
    when = {each.what: each.at for each in planned}
    assert when["start Keycloak"] - when["stop Keycloak"] == pytest.approx(KEYCLOAK_AWAY)
    assert when["wake the frozen worker"] - when["freeze a worker"] == pytest.approx(FROZEN)
    assert {"kill Redis and start it empty", "cut the database", "restart the database"} <= when.keys()
    assert {"a person asks", "a person asks for an act", "somebody in Keycloak's console"} <= when.keys()
    assert {each.detail for each in planned if each.what == "a person asks for an act"} == {*ONE_SHOT_ACTS}
    kills = [each.at for each in planned if each.what == "kill a worker"]
    assert all(2 <= later - earlier <= 5 for earlier, later in pairwise(kills))
