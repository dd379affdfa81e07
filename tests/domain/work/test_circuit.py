"""When a circuit opens, whom it lets through, and what closes it again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain.errors import Misconfigured, Transient
from sync.domain.work.circuit import (
    FAILURES_TO_OPEN,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    PROBE_LIFE,
    Admission,
    Circuit,
    CircuitName,
    CircuitState,
    pause,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FRESH = Circuit(CircuitName.KEYCLOAK)


def failing(circuit: Circuit, times: int, token: str | None = None) -> Circuit:
    for _ in range(times):
        circuit = circuit.failed(Transient("not reachable"), NOW, 0.5, token)
    return circuit


OPENED = failing(FRESH, FAILURES_TO_OPEN)


@pytest.mark.supports("H2")
def test_a_few_failures_in_a_row_open_it() -> None:
    """One fewer does not, and a success in between counts from the beginning."""
    assert failing(FRESH, FAILURES_TO_OPEN - 1).closed
    assert OPENED.state is CircuitState.OPEN
    assert OPENED.opened_at == NOW
    assert OPENED.reason == "not reachable"
    between = failing(FRESH, FAILURES_TO_OPEN - 1).worked()
    assert failing(between, FAILURES_TO_OPEN - 1).closed


@pytest.mark.supports("H2")
def test_nobody_passes_before_the_pause_is_over_and_then_one_does() -> None:
    """The probe holds the others off until its own time is over."""
    assert OPENED.probe_at is not None
    assert OPENED.admits(OPENED.probe_at - timedelta(seconds=1)) is Admission.WAIT
    assert OPENED.admits(OPENED.probe_at) is Admission.PROBE
    probing = OPENED.probing("one", OPENED.probe_at)
    assert probing.admits(OPENED.probe_at) is Admission.WAIT
    assert probing.admits(OPENED.probe_at + PROBE_LIFE) is Admission.PROBE


@pytest.mark.supports("H2")
@pytest.mark.parametrize("token", [None, "another"])
@pytest.mark.parametrize("circuit", [OPENED, OPENED.probing("one", NOW)], ids=["open", "half-open"])
def test_only_the_probes_word_counts(circuit: Circuit, token: str | None) -> None:
    """A success that began before the opening does not close it; a late failure does not make it longer."""
    assert circuit.worked(token) == circuit
    assert circuit.failed(Transient("late"), NOW + timedelta(hours=1), 0.9, token) == circuit


@pytest.mark.supports("H2")
def test_the_probe_closes_it_or_opens_it_for_longer() -> None:
    """And it keeps telling since when the system is away."""
    probing = OPENED.probing("one", NOW)
    assert probing.worked("one") == FRESH
    again = probing.failed(Misconfigured("no such realm"), NOW + timedelta(minutes=5), 0.5, "one")
    assert (again.state, again.opened_at, again.kind) == (CircuitState.OPEN, NOW, "misconfigured")
    assert again.probe_at == NOW + timedelta(minutes=5) + pause(2, 0.5)


@pytest.mark.supports("H2")
def test_a_system_that_says_how_long_it_wants_to_be_left_alone_is() -> None:
    """Up to ten minutes, and never for less long than without."""
    circuit = Circuit(CircuitName.KEYCLOAK)
    for asked in (timedelta(minutes=3), timedelta(hours=3), timedelta()):
        opened = circuit
        for _ in range(FAILURES_TO_OPEN):
            opened = opened.failed(Transient("503", system="keycloak", retry_after=asked), NOW, 0.5)
        assert opened.probe_at == NOW + max(pause(1, 0.5), min(asked, timedelta(minutes=10)))


@pytest.mark.supports("H2")
def test_a_probe_that_tells_nothing_leaves_its_place_to_another() -> None:
    """At once; nothing else of the outage is forgotten, and only the probe can say so."""
    probing = OPENED.probing("one", NOW)
    again = probing.untold("one", NOW)
    assert again == replace(OPENED, probe_at=NOW)
    assert again.admits(NOW) is Admission.PROBE
    assert probing.untold("another", NOW) == probing


@pytest.mark.supports("H2")
@given(openings=st.integers(1, 10_000), chance=st.floats(0, 1, exclude_max=True))
def test_a_pause_grows_to_its_limit_and_never_vanishes(openings: int, chance: float) -> None:
    """Half of it is fixed, half by chance."""
    assert FIRST_PAUSE / 2 <= pause(openings, chance) <= LONGEST_PAUSE
    assert pause(openings, chance) <= pause(openings + 1, chance)


STEPS = st.lists(st.sampled_from(["fail", "work", "probe", "probe fails", "probe works"]), max_size=40)


@pytest.mark.supports("H2")
@given(steps=STEPS)
def test_no_story_leaves_a_circuit_that_nobody_can_close(steps: list[str]) -> None:
    """Whatever was reported in whatever order: wait, probe, succeed, and it is as new."""
    circuit, now, tokens = FRESH, NOW, 0
    for step in steps:
        now += timedelta(seconds=7)
        token = f"{tokens}" if circuit.state is CircuitState.HALF_OPEN else None
        match step:
            case "fail":
                circuit = circuit.failed(Transient("x"), now, 0.3)
            case "work":
                circuit = circuit.worked()
            case "probe" if circuit.admits(now) is Admission.PROBE:
                tokens += 1
                circuit = circuit.probing(f"{tokens}", now)
            case "probe fails" if token:
                circuit = circuit.failed(Transient("x"), now, 0.3, token)
            case "probe works" if token:
                circuit = circuit.worked(token)
        assert circuit.closed == (circuit.probe_at is None)
    if not circuit.closed:
        later = now + PROBE_LIFE + LONGEST_PAUSE
        assert circuit.admits(later) is Admission.PROBE
        circuit = circuit.probing("last", later).worked("last")
    else:
        circuit = circuit.worked()
    assert circuit == FRESH
