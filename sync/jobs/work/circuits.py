"""Asking the circuits before work is claimed, and telling them what came of it (H2).

Provisioning claims through `claim` and tells each outcome to the `Watch` it gets back; the sweep asks `admits`.
What a circuit does with a report is `sync.domain.work.circuit`'s; questions to the FSM system ask `admitted`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import structlog

from sync.domain.errors import Failure, FailureCode, Misconfigured, System, Transient
from sync.domain.work.circuit import Admission, Circuit, CircuitName
from sync.domain.work.lane import Lane
from sync.jobs.systems import Systems
from sync.store.database.transactions import Tx
from sync.store.work import circuits
from sync.store.work.circuits import Probe

Claimed = TypeVar("Claimed")

SYSTEMS: Mapping[CircuitName, System] = {
    CircuitName.KEYCLOAK: "keycloak",
    CircuitName.KEYCLOAK_IMPORT: "keycloak",
    CircuitName.FSM: "fsm",
}

log = structlog.get_logger()


def circuit_of(systems: Systems, lane: Lane) -> CircuitName:
    """The circuit of the Keycloak gateway that serves the lane."""
    return CircuitName.KEYCLOAK if systems.accounts_for(lane) is systems.accounts else CircuitName.KEYCLOAK_IMPORT


def admits(systems: Systems, tx: Tx, lane: Lane) -> bool:
    """False: nothing of the lane would be claimed now, so nobody needs to be woken for it."""
    return circuits.get(tx, circuit_of(systems, lane)).admits(systems.clock.now()) is not Admission.WAIT


def circuit_of_failure(systems: Systems, failure: Failure, lane: Lane) -> CircuitName | None:
    """The circuit of what could not be used; None where it is about one piece of work, or has no circuit."""
    match failure.system:
        case "keycloak":
            return circuit_of(systems, lane)
        case "fsm":
            return CircuitName.FSM
        case _:
            return None


def probe_in(systems: Systems, tx: Tx, failure: Failure, lane: Lane) -> timedelta | None:
    """For the ladder: when the open circuit of what failed sends a probe; None if it is closed."""
    name = circuit_of_failure(systems, failure, lane)
    return None if name is None else circuits.get(tx, name).probe_in(systems.clock.now())


@dataclass
class Watch:
    """Follows what a circuit let through, a batch of claims or one question. Writes only when the system fails, or
    works again after it had failed."""

    systems: Systems
    circuit: Circuit
    probe: Probe | None = None
    _told: Failure | None = field(default=None, init=False)

    @property
    def name(self) -> CircuitName:
        return self.circuit.name

    @property
    def closed(self) -> bool:
        """False once the circuit has opened: what is claimed and not begun is given back untouched. A probe is
        tried."""
        return self.circuit.closed or self.probe is not None

    def shares(self, failure: Failure | None) -> bool:
        """True if this very failure was told already, by another account of the same request: whoever shares it
        was not tried alone, and is given back untouched."""
        return failure is not None and failure is self._told

    def report(self, failure: Failure | None) -> None:
        """What came of one account or question, before it is recorded; None: no failure. Opens and closes the
        circuit."""
        if _about_ourselves(failure):
            self.report_nothing()
            return
        answered = _answered(failure, SYSTEMS[self.name])
        if failure is not None and (answered is False or (answered is None and self.probe is not None)):
            self._told = failure
            self._report_failure(failure)
        elif answered and (self.probe is not None or self.circuit.failures):
            self._report_answer()

    def report_nothing(self) -> None:
        """It says nothing about the system, which often was not asked: another probe may go at once."""
        if self.probe is not None:
            token, now = self.probe.token, self.systems.clock.now()
            self._change(lambda circuit: circuit.untold(token, now))

    def _report_failure(self, failure: Failure) -> None:
        now, chance = self.systems.clock.now(), random.random()  # noqa: S311 - jitter
        token = self.probe.token if self.probe is not None else None
        self._change(lambda circuit: circuit.failed(failure, now, chance, token))

    def _report_answer(self) -> None:
        token = self.probe.token if self.probe is not None else None
        self._change(lambda circuit: circuit.worked(token))

    def _change(self, to: Callable[[Circuit], Circuit]) -> None:
        """What cannot be reported now is reported by the next look."""
        was = self.circuit
        try:
            with self.systems.db.write() as tx:
                self.circuit = circuits.change(tx, self.name, to, self.systems.clock.now())
        except Transient as failure:
            log.warning("the circuit was not told", circuit=self.name.value, reason=str(failure))
            return
        self.probe = None
        log_change(was, self.circuit)


def claim(
    systems: Systems, tx: Tx, lane: Lane, take: Callable[[int], Sequence[Claimed]], at_most: int
) -> tuple[Sequence[Claimed], Watch]:
    """Claim with `take` as many as the lane's circuit admits: all, one as a probe, or none; a closed circuit costs
    one read. The watch hears what comes of them."""
    name, now = circuit_of(systems, lane), systems.clock.now()
    circuit = circuits.get(tx, name)
    match circuit.admits(now):
        case Admission.PASS:
            return take(at_most), Watch(systems, circuit)
        case Admission.WAIT:
            return (), Watch(systems, circuit)
    probe = circuits.begin_probe(tx, name, now)
    if probe is None:
        return (), Watch(systems, circuit)
    claimed = take(1)
    if not claimed:
        circuits.give_back(tx, probe, now)
    return claimed, Watch(systems, circuit, probe)


def admitted(systems: Systems, name: CircuitName) -> Watch | None:
    """For one question to a system: whoever may ask reports to the watch what came of it. None: leave it alone."""
    now = systems.clock.now()
    with systems.db.read() as tx:
        circuit = circuits.get(tx, name)
    match circuit.admits(now):
        case Admission.PASS:
            return Watch(systems, circuit)
        case Admission.WAIT:
            return None
    with systems.db.write() as tx:
        probe = circuits.begin_probe(tx, name, now)
    return None if probe is None else Watch(systems, circuit, probe)


def log_change(before: Circuit, after: Circuit) -> None:
    """One line where a circuit opens, and where it closes."""
    if before.closed and not after.closed:
        log.error("circuit opened: no work until a probe succeeds", circuit=after.name.value, reason=after.reason)
    elif after.closed and not before.closed:
        log.info("circuit closed: work goes on", circuit=after.name.value)


def _answered(failure: Failure | None, system: System) -> bool | None:
    """Whether the system could be asked. None: the failure does not tell."""
    if failure is None:
        return True
    if failure.system in ("keycloak", "fsm"):
        return failure.system != system
    return None if isinstance(failure, Transient) else True


def _about_ourselves(failure: Failure | None) -> bool:
    """It stopped on our side, often before the system was asked: by a setting that stops this account alone (a
    profile that this worker does not know yet, a password that it cannot open), a lease that was lost, or our own
    database."""
    if failure is None:
        return False
    setting = isinstance(failure, Misconfigured) and failure.system is None
    return setting or failure.code is FailureCode.LEASE_LOST or failure.system == "database"
