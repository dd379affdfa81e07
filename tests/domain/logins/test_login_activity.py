"""What follows from login events, whatever their order and however often they are read (A9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain.logins.activity import NOTHING, LoginActivity, LoginEvent, LoginKind, after, doubts
from sync.domain.logins.event_reading import (
    OVERLAP,
    Gap,
    Keeping,
    Newest,
    Place,
    is_late,
    lost_to_expiry,
    lost_to_removal,
    not_kept,
    start,
)

pytestmark = pytest.mark.supports("A9")

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KINDS = st.sampled_from(list(LoginKind))
TIMES = st.integers(0, 40)


def minutes(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


def read(batches: list[list[LoginEvent]]) -> LoginActivity:
    """As the store does it: each failure counted once, all of them recent."""
    activity, failures = NOTHING, dict[str, datetime]()
    for batch in batches:
        fresh = {
            event.id: event.at for event in batch if event.kind is LoginKind.FAILURE and event.id not in failures
        }
        failures |= fresh
        activity = after(activity, batch, fresh.values(), list(failures.values()))
    return activity


@given(happened=st.lists(st.tuples(KINDS, TIMES), max_size=12), data=st.data())
def test_order_and_repetition_do_not_matter(happened: list[tuple[LoginKind, int]], data: st.DataObject) -> None:
    """A doubled poll, a crash between read and commit, a late event: the numbers stay those of what happened."""
    events = [LoginEvent(f"e{n}", minutes(at), kind, "u") for n, (kind, at) in enumerate(happened)]
    mixed = data.draw(st.permutations(events + events[: len(events) // 2]))
    cut = data.draw(st.integers(0, len(mixed)))
    found = read([mixed[:cut], mixed[cut:]])
    logins = [event.at for event in events if event.kind is LoginKind.LOGIN]
    failures = [event.at for event in events if event.kind is LoginKind.FAILURE]
    assert found.first_login_at == min(logins, default=None)
    assert found.last_login_at == max(logins, default=None)
    assert found.last_failure_at == max(failures, default=None)
    assert found.failures == sum(not logins or at > max(logins) for at in failures)


def test_a_refresh_is_use_and_no_login() -> None:
    """A mobile app that goes on for weeks is no unused account, and forgives no failed attempts."""
    known = LoginActivity(minutes(0), minutes(0), minutes(0), failures=2, last_failure_at=minutes(1))
    found = after(known, [LoginEvent("e", minutes(9), LoginKind.REFRESH, "u")], [], [])
    assert found == LoginActivity(minutes(0), minutes(0), minutes(9), failures=2, last_failure_at=minutes(1))


MONTH = timedelta(days=30)
KEPT = Keeping(NOW, (), MONTH)


@pytest.mark.parametrize(
    ("place", "keeping", "begins"),
    [
        (None, KEPT, NOW - MONTH),
        (None, Keeping(NOW, (), None), None),
        (Place(minutes(-5)), KEPT, minutes(-5) - OVERLAP),
        (Place(minutes(-5), Newest("e", minutes(-1))), KEPT, minutes(-5) - OVERLAP),
        (Place(minutes(-5), Newest("e", minutes(-600))), KEPT, minutes(-600)),
        (Place(minutes(10)), KEPT, NOW - OVERLAP),
    ],
    ids=["first", "kept for ever", "overlap", "newest after", "quiet night", "clock put back"],
)
def test_reading_begins_a_little_before_the_place(
    place: Place | None, keeping: Keeping, begins: datetime | None
) -> None:
    """By Keycloak's clock, whatever ours says."""
    assert start(place, keeping) == begins


def test_what_may_have_been_missed_is_said() -> None:
    """Expired unread, removed, or not stored: each has its times."""
    old = Place(NOW - MONTH - timedelta(days=2), Newest("e", NOW - MONTH - timedelta(days=3)))
    lost = lost_to_expiry(old, KEPT)
    assert lost is not None
    assert (lost.begins, lost.ends) == (old.until, NOW - MONTH)
    assert lost_to_expiry(Place(minutes(-5)), KEPT) is None
    assert lost_to_expiry(old, Keeping(NOW, (), None)) is None

    place = Place(minutes(-5), Newest("e", minutes(-9)))
    removed = lost_to_removal(place, KEPT, newest_seen=False)
    assert removed is not None
    assert (removed.begins, removed.ends) == (minutes(-9), NOW)
    assert lost_to_removal(place, KEPT, newest_seen=True) is None
    assert lost_to_removal(old, KEPT, newest_seen=False) is None

    off = not_kept(place, Keeping(NOW, ("LOGIN",), MONTH))
    assert off == Gap(minutes(-5), NOW, "Keycloak did not store LOGIN")
    assert not_kept(place, KEPT) is None


def test_half_of_the_time_is_an_alarm() -> None:
    """Early enough to do something before events are lost."""
    assert not is_late(Place(NOW - MONTH * 0.4), KEPT)
    assert is_late(Place(NOW - MONTH * 0.6), KEPT)
    assert not is_late(Place(NOW - MONTH * 9), Keeping(NOW, (), None))


def test_unknown_is_not_never() -> None:
    """A gap matters to accounts that were there, and as long as no login after it is known."""
    gap = Gap(minutes(0), minutes(60), "lost")
    assert doubts(NOTHING, minutes(-90), [gap]) == (gap,)
    assert doubts(NOTHING, minutes(90), [gap]) == ()
    assert doubts(LoginActivity(last_login_at=minutes(30)), minutes(-90), [gap]) == (gap,)
    assert doubts(LoginActivity(last_login_at=minutes(61)), minutes(-90), [gap]) == ()
