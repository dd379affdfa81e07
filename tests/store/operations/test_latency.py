"""How long changes take to Keycloak, counted for the metrics (H3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from sync.domain.work.claimed import ClaimedAccount
from sync.domain.work.lane import Lane
from sync.store.database.transactions import Database
from sync.store.operations import latency
from tests.claiming import still_claimed


def counted(*took: tuple[Lane, timedelta]) -> Mapping[ClaimedAccount, tuple[Lane, timedelta]]:
    return {still_claimed(str(number)): each for number, each in enumerate(took)}


@pytest.mark.supports("H3")
def test_changes_are_counted_by_how_long_they_took(db: Database) -> None:
    """Each in its lane, in every bucket that is as long; what takes longer than all of them is counted too."""
    took = [(Lane.INTERACTIVE, timedelta(seconds=each)) for each in (0.01, 0.05, 0.3, 4000)]
    with db.write() as tx:
        latency.add(tx, counted(*took))
        latency.add(tx, counted((Lane.BULK, timedelta(seconds=7)), (Lane.INTERACTIVE, timedelta(seconds=0.3))))
    with db.read() as tx:
        read = latency.read(tx)
    interactive = read[Lane.INTERACTIVE]
    assert [interactive.buckets[le] for le in ("0.05", "0.1", "0.25", "0.5", "1800", "+Inf")] == [2, 2, 2, 4, 4, 5]
    assert interactive.seconds == pytest.approx(4000.66)
    assert (read[Lane.BULK].count, read[Lane.BULK].buckets["5"], read[Lane.BULK].buckets["10"]) == (1, 0, 1)


@pytest.mark.supports("H3")
def test_a_clock_behind_ours_is_no_negative_time(db: Database) -> None:
    """The change was stored by a machine whose clock is ahead: it counts as done at once."""
    with db.write() as tx:
        latency.add(tx, counted((Lane.BULK, timedelta(seconds=-3))))
    with db.read() as tx:
        histogram = latency.read(tx)[Lane.BULK]
    assert (histogram.buckets["0.05"], histogram.seconds) == (1, 0.0)
