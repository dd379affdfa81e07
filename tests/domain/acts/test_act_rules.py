"""Which one-shot acts go when, and what is known of one whose worker died over it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync.domain.acts import (
    PASSWORD,
    PASSWORD_HISTORY,
    Act,
    ActKind,
    ActState,
    Credential,
    Found,
    Verified,
    change_fulfilled,
    comes_again_at,
    expiry_of,
    found_before,
    lock_told,
    stamp_of,
    to_carry_out,
    verify_reset,
    was_there,
)
from sync.domain.provisioning.observed import LockState
from tests.callers import BY

NOW = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
BEFORE = NOW - timedelta(days=3)


def act(number: int, kind: ActKind, **fields: object) -> Act:
    made = Act(f"c-{number}", "a-1", kind, NOW, BY, due_at=NOW)
    return replace(made, **fields)  # type: ignore[arg-type]


def carried_out(*acts: Act, as_wanted: bool = True) -> list[str]:
    return [each.id for each in to_carry_out(acts, as_wanted=as_wanted, now=NOW)]


@pytest.mark.supports("C1", "C3")
def test_acts_go_in_the_order_in_which_they_were_asked_for() -> None:
    """However they come out of the database."""
    first, second = act(1, ActKind.UNLOCK), act(2, ActKind.RESET_PASSWORD)
    assert carried_out(second, first) == ["c-1", "c-2"]


@pytest.mark.supports("C1", "H2")
def test_one_that_comes_again_later_holds_the_later_ones_back() -> None:
    """A second reset is not overtaken by the first, which would leave the older password in place."""
    later = act(1, ActKind.RESET_PASSWORD, due_at=NOW + timedelta(seconds=1))
    assert carried_out(later, act(2, ActKind.RESET_PASSWORD)) == []


@pytest.mark.supports("C1")
def test_an_expiry_before_its_time_holds_nothing_back() -> None:
    """It waits three days; an unlock meanwhile does not."""
    expiry = act(1, ActKind.EXPIRE_PASSWORD, due_at=NOW + timedelta(days=3))
    assert carried_out(expiry, act(2, ActKind.UNLOCK)) == ["c-2"]


@pytest.mark.supports("H2")
def test_the_account_is_looked_at_again_when_the_one_put_off_goes() -> None:
    """Not at once for those behind it: that would spin."""
    put_off = act(1, ActKind.RESET_PASSWORD, due_at=NOW + timedelta(seconds=9))
    expiry = act(3, ActKind.EXPIRE_PASSWORD, due_at=NOW + timedelta(seconds=5))
    behind = act(2, ActKind.UNLOCK)
    assert comes_again_at([put_off, behind, expiry], NOW) == put_off.due_at
    assert comes_again_at([behind, expiry], NOW) is None


@pytest.mark.supports("D6", "H2")
@pytest.mark.parametrize("kind", ActKind)
def test_only_what_opens_no_way_in_goes_while_the_account_is_not_as_wanted(kind: ActKind) -> None:
    """Sessions can be ended on an account in quarantine; an unlock waits until a person has looked."""
    goes = kind not in (ActKind.UNLOCK, ActKind.SET_PASSWORD_MAIL)
    assert carried_out(act(1, kind), as_wanted=False) == (["c-1"] if goes else [])


def password(at: datetime, kind: str = PASSWORD) -> Credential:
    return Credential("p", kind, at)


STARTED = act(
    1,
    ActKind.RESET_PASSWORD,
    state=ActState.STARTED,
    started_at=NOW,
    found=Found(password_created_at=BEFORE),
)
OURS = datetime(2026, 3, 2, 9, 0, 0, 123000, tzinfo=UTC)
LATER = NOW + timedelta(seconds=20)


@pytest.mark.supports("C1", "H1")
@pytest.mark.parametrize(
    ("credentials", "verified"),
    [
        ([password(OURS)], Verified.DONE),
        ([password(LATER), password(OURS, PASSWORD_HISTORY)], Verified.DONE),
        ([password(BEFORE)], Verified.NOT_DONE),
        ([password(BEFORE), password(LATER, PASSWORD_HISTORY)], Verified.NOT_DONE),
        ([password(LATER), password(BEFORE, PASSWORD_HISTORY)], Verified.UNKNOWN),
        ([], Verified.UNKNOWN),
    ],
)
def test_whether_a_reset_was_done(credentials: list[Credential], verified: Verified) -> None:
    """Ours by its creation time, present or in the history; the old one means no; anything else is not guessed."""
    assert stamp_of(STARTED) == OURS
    assert verify_reset(STARTED, credentials) is verified


@pytest.mark.supports("C1", "H1")
def test_a_reset_of_a_user_without_a_password_was_not_done_while_there_is_none() -> None:
    """It had none before either."""
    assert verify_reset(replace(STARTED, found=Found()), []) is Verified.NOT_DONE


@pytest.mark.supports("C2", "H1")
def test_a_change_that_the_person_has_made_is_not_asked_for_again() -> None:
    """The password is another one than before the act was started."""
    assert not change_fulfilled(STARTED, [password(BEFORE)])
    assert change_fulfilled(STARTED, [password(LATER)])


def test_what_is_kept_of_a_look() -> None:
    """The second factors there were, and not the password's history."""
    look = [password(BEFORE), password(BEFORE, PASSWORD_HISTORY), Credential("o", "otp", BEFORE)]
    assert found_before(LockState(temporary=True), look) == Found(LockState(temporary=True), BEFORE, ("o",))


@pytest.mark.supports("C3")
@pytest.mark.parametrize(
    ("lock", "told"),
    [
        (LockState(), "it was not locked"),
        (LockState(failures=2), "it was not locked; 2 failures are forgotten"),
        (LockState(temporary=True, failures=5), "it was locked for a time, after 5 failures"),
        (LockState(permanent=True), "it was locked permanently"),
    ],
)
def test_an_unlock_says_which_lock_it_was(lock: LockState, told: str) -> None:
    """The administrator learns what had happened."""
    assert lock_told(lock) == told


@pytest.mark.supports("C1", "H1")
@pytest.mark.parametrize(("before", "there"), [(OURS, True), (BEFORE, False), (None, False)])
def test_an_expiry_knows_whether_its_password_was_there(before: datetime | None, there: bool) -> None:
    """So that one whose worker died over it tells that the password was taken away, not that it was replaced."""
    expiry = expiry_of(STARTED, "c-9", NOW)
    assert was_there(replace(expiry, found=Found(password_created_at=before))) is there
