"""What happens after a failure: one table for every kind of work, pure. Accounts, acts, mails and the schedule ask
here and write down what comes of it; nobody else decides when something is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sync.domain.errors import Failure, FailureCode, Misconfigured, Transient

FIRST = timedelta(seconds=2)
LONGEST = timedelta(minutes=10)
"""The longest backoff, and the longest for which a system's own Retry-After is honoured."""

HOLD_LOOK = timedelta(minutes=1)
"""How often a held deactivation asks the gate again by itself."""

MISCONFIGURED_LOOK = timedelta(seconds=30)
"""What somebody has to mend: look again steadily."""

MISCONFIGURED_LONGEST = timedelta(minutes=8)


class Work(StrEnum):
    """`ACT` is one that was not begun: nothing of it has happened. `STARTED_ACT` may have happened."""

    ACCOUNT = "account"
    ACT = "act"
    STARTED_ACT = "started-act"
    REASSIGNMENT = "reassignment"
    MAIL = "mail"
    SCHEDULE = "schedule"


class Step(StrEnum):
    """`VERIFY`: later it is looked whether it happened, before it is done. `PERSON`: nobody tries again before a
    person wants it. `IN_TURN`: it comes round by the clock as if nothing had been."""

    AGAIN = "again"
    VERIFY = "verify"
    PERSON = "person"
    IN_TURN = "in turn"


class Pace(StrEnum):
    """`BACKOFF` grows with each failure; `STEADY` is for what somebody has to mend, one piece of work at a time;
    `RARER` for the same with ten thousand accounts that wait for it."""

    BACKOFF = "backoff"
    STEADY = "steady"
    RARER = "rarer"


@dataclass(frozen=True, slots=True)
class Next:
    """`wait` is the time until then, None where the step has no time of its own. `burns`: it counts as an attempt,
    which makes the next wait longer."""

    step: Step
    wait: timedelta | None = None
    burns: bool = True


AWAY, TRANSIENT, MISCONFIGURED, OTHER = "away", "transient", "misconfigured", "other"
"""What kind of failure it is for the ladder. `AWAY`: nothing of ours works with the system before it is mended."""

LADDER: Mapping[Work, Mapping[str, tuple[Step, Pace | None]]] = {
    Work.ACCOUNT: {
        AWAY: (Step.AGAIN, Pace.BACKOFF),
        TRANSIENT: (Step.AGAIN, Pace.BACKOFF),
        MISCONFIGURED: (Step.AGAIN, Pace.RARER),
        OTHER: (Step.PERSON, None),
    },
    Work.ACT: {
        AWAY: (Step.AGAIN, Pace.STEADY),
        TRANSIENT: (Step.AGAIN, Pace.BACKOFF),
        MISCONFIGURED: (Step.AGAIN, Pace.STEADY),
        OTHER: (Step.PERSON, None),
    },
    Work.STARTED_ACT: {
        AWAY: (Step.VERIFY, Pace.STEADY),
        TRANSIENT: (Step.VERIFY, Pace.BACKOFF),
        MISCONFIGURED: (Step.PERSON, None),
        OTHER: (Step.PERSON, None),
    },
    Work.REASSIGNMENT: {
        AWAY: (Step.AGAIN, Pace.STEADY),
        TRANSIENT: (Step.AGAIN, Pace.BACKOFF),
        MISCONFIGURED: (Step.AGAIN, Pace.STEADY),
        OTHER: (Step.PERSON, None),
    },
    Work.MAIL: {
        AWAY: (Step.AGAIN, Pace.STEADY),
        TRANSIENT: (Step.AGAIN, Pace.BACKOFF),
        MISCONFIGURED: (Step.AGAIN, Pace.STEADY),
        OTHER: (Step.PERSON, None),
    },
    Work.SCHEDULE: {
        AWAY: (Step.AGAIN, Pace.STEADY),
        TRANSIENT: (Step.AGAIN, Pace.BACKOFF),
        MISCONFIGURED: (Step.AGAIN, Pace.STEADY),
        OTHER: (Step.IN_TURN, None),
    },
}


def after(
    failure: Failure, attempts: int, work: Work, chance: float, *, probe_in: timedelta | None = None
) -> Next:
    """What to do after this failure. `attempts` counts those in a row before it; `chance` is in [0, 1).

    `probe_in` is when the open circuit of the failed system sends its next probe, None while it is closed: then no
    attempt is burnt, and the work waits for the probe. Accounts are let go by the circuit of Keycloak itself, so
    they are due at once. A system's own Retry-After only ever makes the wait longer.
    """
    step, pace = LADDER[work][_kind(failure)]
    if pace is None:
        return Next(step)
    asked = min(failure.retry_after or timedelta(), LONGEST)
    if probe_in is not None and failure.system is not None:
        return Next(step, max(asked, _for_the_probe(failure, work, chance, probe_in)), burns=False)
    return Next(step, max(asked, _wait(pace, attempts + 1, chance)))


def _kind(failure: Failure) -> str:
    if isinstance(failure, Transient):
        return TRANSIENT
    if isinstance(failure, Misconfigured):
        return AWAY if failure.system is not None else MISCONFIGURED
    return OTHER


def _for_the_probe(failure: Failure, work: Work, chance: float, probe_in: timedelta) -> timedelta:
    """An account that was not let ask comes some time after the probe, spread out, in case none of those is there
    any more that asked and failed; when the circuit closes, all accounts are due at once. Anything else goes with
    the probe."""
    if work is Work.ACCOUNT and failure.system == "keycloak":
        return timedelta()
    spread = work is Work.ACCOUNT and failure.code is FailureCode.NOT_ASKED
    return probe_in + (LONGEST * chance if spread else timedelta())


def _wait(pace: Pace, failures: int, chance: float) -> timedelta:
    doublings: int = 2 ** min(failures - 1, 20)
    match pace:
        case Pace.BACKOFF:
            return backoff(failures, chance)
        case Pace.STEADY:
            return MISCONFIGURED_LOOK
        case Pace.RARER:
            span = min(MISCONFIGURED_LONGEST, MISCONFIGURED_LOOK * doublings)
            return span / 2 + span / 2 * chance


def backoff(failures: int, chance: float) -> timedelta:
    """Full jitter: a uniform share of an exponentially growing span; never less than a tenth of the first span, so
    that a failure never spins. `failures` in a row, at least 1."""
    doublings: int = 2 ** min(failures - 1, 20)
    return max(FIRST / 10, min(LONGEST, FIRST * doublings) * chance)
