"""When to leave a system that cannot work in peace, and when to try it again (H2).

A circuit counts failures in a row that say "the next account would fail the same way": no answer, 5xx, no sign-in,
an answer that is no JSON. Closed: all work goes through. Open: nobody asks before `probe_at`. Half-open: one probe
is on its way; its success closes the circuit, its failure opens it again for longer. Pure;
`sync.store.work.circuits` keeps the rows, the jobs report.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sync.domain.errors import Failure
from sync.domain.work.ladder import LONGEST

FAILURES_TO_OPEN = 3
"""In a row, over all workers: one reset connection opens nothing, an outage opens within as many requests."""

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=1)
"""After an hour's outage work goes on within a minute; a probe a minute harms no system that is starting."""

PROBE_LIFE = timedelta(seconds=90)
"""A probe without a word after this long belongs to a dead worker, and another one may be sent: longer than the
lease of the account that is the probe."""


class CircuitName(StrEnum):
    """`KEYCLOAK_IMPORT` is Keycloak as the bulk lane's own client meets it: its secret may be wrong alone, and
    then the interactive lane goes on."""

    KEYCLOAK = "keycloak"
    KEYCLOAK_IMPORT = "keycloak-import"
    FSM = "fsm"


class CircuitState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Admission(StrEnum):
    """What somebody who wants to ask the system is told."""

    PASS = "pass"  # noqa: S105 - no password
    PROBE = "probe"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Circuit:
    """`failures` are those in a row while closed, since `failing_since`; `openings` those in a row.

    `opened_at` stays while probes fail: it says since when the system is away. `probe_at` is when to try next or,
    half-open, when the probe counts as lost. `reason` and `kind` are those of the last failure, of a Failure's
    kind.
    """

    name: CircuitName
    state: CircuitState = CircuitState.CLOSED
    failures: int = 0
    openings: int = 0
    failing_since: datetime | None = None
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    probe_token: str | None = None
    reason: str | None = None
    kind: str | None = None

    @property
    def closed(self) -> bool:
        return self.state is CircuitState.CLOSED

    def admits(self, now: datetime) -> Admission:
        if self.closed or self.probe_at is None:
            return Admission.PASS
        return Admission.PROBE if now >= self.probe_at else Admission.WAIT

    def probing(self, token: str, now: datetime) -> Circuit:
        """One probe is sent; `token` is how its outcome is recognised."""
        return replace(self, state=CircuitState.HALF_OPEN, probe_at=now + PROBE_LIFE, probe_token=token)

    def failed(self, failure: Failure, now: datetime, chance: float, token: str | None = None) -> Circuit:
        """The system could not be used. `chance` is in [0, 1). While open only the probe's failure counts: what
        fails besides began before. Where the system says how long to leave it alone, it is left alone so long."""
        if not self.closed and (token is None or token != self.probe_token):
            return self
        failures = self.failures + 1
        counted = replace(
            self,
            failures=failures,
            failing_since=self.failing_since or now,
            reason=str(failure),
            kind=failure.kind,
        )
        if self.closed and failures < FAILURES_TO_OPEN:
            return counted
        openings = self.openings + 1
        return replace(
            counted,
            state=CircuitState.OPEN,
            openings=openings,
            opened_at=self.opened_at or now,
            probe_at=now + max(pause(openings, chance), min(failure.retry_after or timedelta(), LONGEST)),
            probe_token=None,
        )

    def worked(self, token: str | None = None) -> Circuit:
        """The system answered. While open only the probe's success counts: another answer is from before."""
        if self.closed or (token is not None and token == self.probe_token):
            return Circuit(self.name)
        return self

    def probe_in(self, now: datetime) -> timedelta | None:
        """When the next probe may go; None while closed."""
        return None if self.closed else max(timedelta(), (self.probe_at or now) - now)

    def untold(self, token: str, now: datetime) -> Circuit:
        """The probe ended with a word that says nothing about the system: another one may go at once."""
        if token != self.probe_token:
            return self
        return replace(self, state=CircuitState.OPEN, probe_at=now, probe_token=None)


def pause(openings: int, chance: float) -> timedelta:
    """How long to leave the system alone after it was opened that often in a row, at least 1: a growing span, the
    upper half of it by chance, so that circuits that opened together do not probe together."""
    doublings: int = 2 ** min(openings - 1, 20)
    span = min(LONGEST_PAUSE, FIRST_PAUSE * doublings)
    return span / 2 + span / 2 * chance
