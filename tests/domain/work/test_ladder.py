"""What happens after a failure, for every kind of work, and what never does."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain.errors import Conflict, Failure, FailureCode, Misconfigured, NeedsPerson, Transient, Unsafe
from sync.domain.work.ladder import FIRST, LONGEST, MISCONFIGURED_LOOK, Step, Work, after, backoff
from sync.ports.signals import MayHaveLeft

pytestmark = pytest.mark.supports("H2")

AWAY = Transient("no answer", system="keycloak")
REFUSED = Misconfigured("wrong secret", system="keycloak")
NO_GROUP = Misconfigured("no such group")
MINUTE = timedelta(minutes=1)

FAILURES: list[Failure] = [
    AWAY,
    Transient("no answer", system="fsm"),
    Transient("not asked", system="fsm", code=FailureCode.NOT_ASKED),
    Transient("once more"),
    REFUSED,
    NO_GROUP,
    NeedsPerson("look"),
    Conflict("taken"),
    Unsafe("not ours"),
    NeedsPerson("a bug", code=FailureCode.UNFORESEEN, about="ValueError"),
    MayHaveLeft("nobody knows"),
]


@pytest.mark.parametrize(
    ("work", "failure", "step", "longest"),
    [
        (Work.ACCOUNT, AWAY, Step.AGAIN, FIRST),
        (Work.ACCOUNT, REFUSED, Step.AGAIN, FIRST),
        (Work.ACCOUNT, NO_GROUP, Step.AGAIN, MISCONFIGURED_LOOK),
        (Work.ACCOUNT, Conflict("taken"), Step.PERSON, None),
        (Work.ACCOUNT, Unsafe("not ours"), Step.PERSON, None),
        (Work.ACT, AWAY, Step.AGAIN, FIRST),
        (Work.ACT, NO_GROUP, Step.AGAIN, MISCONFIGURED_LOOK),
        (Work.ACT, NeedsPerson("gone"), Step.PERSON, None),
        (Work.STARTED_ACT, AWAY, Step.VERIFY, FIRST),
        (Work.STARTED_ACT, REFUSED, Step.VERIFY, MISCONFIGURED_LOOK),
        (Work.STARTED_ACT, NO_GROUP, Step.PERSON, None),
        (Work.REASSIGNMENT, Transient("no answer", system="fsm"), Step.AGAIN, FIRST),
        (Work.REASSIGNMENT, NeedsPerson("not assignable"), Step.PERSON, None),
        (Work.MAIL, Transient("later", system="mail"), Step.AGAIN, FIRST),
        (Work.MAIL, Misconfigured("no server", system="mail"), Step.AGAIN, MISCONFIGURED_LOOK),
        (Work.MAIL, MayHaveLeft("nobody knows"), Step.PERSON, None),
        (Work.SCHEDULE, AWAY, Step.AGAIN, FIRST),
        (Work.SCHEDULE, REFUSED, Step.AGAIN, MISCONFIGURED_LOOK),
        (Work.SCHEDULE, NeedsPerson("look"), Step.IN_TURN, None),
    ],
)
@given(chance=st.floats(0, 1, exclude_max=True))
def test_what_follows_the_first_failure(
    work: Work, failure: Failure, step: Step, longest: timedelta | None, chance: float
) -> None:
    """What passes by itself comes soon, what somebody has to mend steadily, anything else waits for a person."""
    then = after(failure, 0, work, chance)
    assert then.step is step
    assert (then.wait is None) == (longest is None)
    if then.wait is not None and longest is not None:
        assert then.wait <= longest


@pytest.mark.parametrize(
    ("work", "failure", "wait"),
    [
        (Work.ACCOUNT, AWAY, timedelta()),
        (Work.ACCOUNT, Transient("no answer", system="fsm"), MINUTE),
        (Work.ACCOUNT, Transient("not asked", system="fsm", code=FailureCode.NOT_ASKED), MINUTE + LONGEST / 2),
        (Work.REASSIGNMENT, Transient("not asked", system="fsm", code=FailureCode.NOT_ASKED), MINUTE),
        (Work.ACT, AWAY, MINUTE),
        (Work.STARTED_ACT, REFUSED, MINUTE),
        (Work.SCHEDULE, AWAY, MINUTE),
    ],
)
def test_while_a_circuit_is_open_work_waits_for_the_probe(work: Work, failure: Failure, wait: timedelta) -> None:
    """Accounts are kept back by Keycloak's own circuit and go when it says so."""
    then = after(failure, 7, work, 0.5, probe_in=MINUTE)
    assert (then.wait, then.burns) == (wait, False)


@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        (timedelta(seconds=90), timedelta(seconds=90)),
        (timedelta(hours=3), LONGEST),
        (timedelta(), FIRST / 10),
    ],
)
def test_a_system_says_how_long_to_leave_it_alone(asked: timedelta, wait: timedelta) -> None:
    """Honoured up to ten minutes, and never a reason to come sooner."""
    busy = Transient("503", system="keycloak", retry_after=asked)
    assert after(busy, 0, Work.ACCOUNT, 0.0).wait == wait
    assert after(busy, 30, Work.ACCOUNT, 0.99999).wait == max(wait, backoff(31, 0.99999))


@pytest.mark.parametrize("work", Work)
def test_an_open_circuit_does_not_make_it_sooner_than_the_system_asked(work: Work) -> None:
    """The one that opened it may have asked for less, or for nothing."""
    busy = Transient("503", system="keycloak", retry_after=timedelta(minutes=3))
    assert after(busy, 0, work, 0.5, probe_in=timedelta(seconds=1)).wait == timedelta(minutes=3)


failures = st.sampled_from(FAILURES)
chances = st.floats(0, 1, exclude_max=True)
probes = st.none() | st.timedeltas(timedelta(), timedelta(minutes=20))


@given(failures, st.integers(0, 10_000), st.sampled_from(Work), chances, probes)
def test_what_the_ladder_never_does(
    failure: Failure, attempts: int, work: Work, chance: float, probe_in: timedelta | None
) -> None:
    """A mail that may have left is never repeated, an act that may have happened is verified, the schedule goes to
    nobody, nothing spins, and nothing counts against the work while a system is left alone."""
    then = after(failure, attempts, work, chance, probe_in=probe_in)
    if failure.code is FailureCode.MAY_HAVE_LEFT:
        assert then.step in (Step.PERSON, Step.IN_TURN)
    if work is Work.STARTED_ACT:
        assert then.step in (Step.VERIFY, Step.PERSON)
    if work is Work.SCHEDULE:
        assert then.step is not Step.PERSON
    left_alone = probe_in is not None and failure.system is not None and then.wait is not None
    assert then.burns is not left_alone
    if then.wait is not None and not left_alone:
        assert FIRST / 10 <= then.wait <= LONGEST


@given(failures, st.integers(0, 100), st.sampled_from(Work), chances)
def test_one_more_failure_never_makes_it_sooner(
    failure: Failure, attempts: int, work: Work, chance: float
) -> None:
    """With the same luck."""
    first, second = after(failure, attempts, work, chance), after(failure, attempts + 1, work, chance)
    assert first.step is second.step
    assert first.wait is None or second.wait is None or first.wait <= second.wait


def test_every_kind_of_work_has_a_step_for_every_failure() -> None:
    """No combination is left out."""
    assert all(after(failure, 0, work, 0.5) for failure, work in product(FAILURES, Work))
