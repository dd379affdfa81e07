"""Unused, never used, and not known are three things (D8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync.domain.logins.activity import LoginActivity
from sync.domain.logins.event_reading import Gap
from sync.domain.logins.unused import Patience, Use, use_of

pytestmark = pytest.mark.supports("D8")

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PATIENCE = Patience(timedelta(days=90), timedelta(days=30))


def ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


@pytest.mark.parametrize(
    ("login", "refresh", "made", "gap_ended", "use"),
    [
        (10, None, 400, None, None),
        (200, 10, 400, None, None),
        (200, 91, 400, None, Use.UNUSED),
        (200, None, 400, 100, Use.UNUSED),
        (200, None, 400, 80, Use.UNKNOWN),
        (10, None, 400, 80, None),
        (None, None, 31, None, Use.NEVER),
        (None, None, 29, None, None),
        (None, None, 31, 40, Use.NEVER),
        (None, None, 31, 30, Use.UNKNOWN),
        (None, 100, 400, None, Use.UNUSED),
    ],
)
def test_how_an_account_is_used(
    login: int | None, refresh: int | None, made: int, gap_ended: int | None, use: Use | None
) -> None:
    """Days ago; a gap makes only that unknown which may have happened in it."""
    activity = LoginActivity(
        last_login_at=None if login is None else ago(login),
        last_used_at=None if refresh is None else ago(refresh),
    )
    gaps = [] if gap_ended is None else [Gap(ago(500), ago(gap_ended), "away")]
    assert use_of(activity, ago(made), gaps, PATIENCE, NOW) == use
