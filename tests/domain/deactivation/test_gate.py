"""The work-order gate's decision, and when to look again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.domain.deactivation.gate import GatePolicy, OpenWorkOrder, Verdict, WorkOrdersOpen, decide
from sync.domain.work.retry import FIRST, LONGEST, backoff

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDER = OpenWorkOrder("WO-7", "in progress", "Hotel Example", date(2026, 3, 2), ("lead", "crew"))


@pytest.mark.req("D1", "D4")
@pytest.mark.parametrize(
    ("orders", "policy", "deadline", "after", "verdict"),
    [
        ((), GatePolicy.REFUSE, None, "person", Verdict.PASS),
        ((), GatePolicy.FORCE, None, "person", Verdict.PASS),
        ((ORDER,), GatePolicy.REFUSE, None, "person", Verdict.REFUSED),
        ((ORDER,), GatePolicy.HOLD, None, "person", Verdict.HELD),
        ((ORDER,), GatePolicy.FORCE, None, "person", Verdict.FORCED),
        ((ORDER,), GatePolicy.HOLD, NOW + timedelta(days=1), "force", Verdict.HELD),
        ((ORDER,), GatePolicy.HOLD, NOW, "force", Verdict.FORCED),
        ((ORDER,), GatePolicy.HOLD, NOW, "person", Verdict.HELD),
    ],
)
def test_what_the_gate_says(
    orders: tuple[OpenWorkOrder, ...],
    policy: GatePolicy,
    deadline: datetime | None,
    after: str,
    verdict: Verdict,
) -> None:
    """Three policies, and a hold that ends at its deadline only where that is configured."""
    assert decide(orders, policy, now=NOW, deadline=deadline, after_deadline=after) is verdict


@pytest.mark.req("D1")
def test_a_refusal_names_every_work_order() -> None:
    """However many there are."""
    many = [OpenWorkOrder(f"WO-{n}", "new", "Example", None, ("lead",)) for n in range(500)]
    refused = WorkOrdersOpen("Jo Lind", many)
    assert len(refused.work_orders) == 500
    assert "500 open work orders" in str(refused)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_backoff_is_bounded_and_never_spins(attempts: int, chance: float) -> None:
    """However often it failed: not more than the longest span, not less than a tenth of the first."""
    assert FIRST / 10 <= backoff(attempts, chance) <= LONGEST


def test_backoff_grows() -> None:
    """The span doubles until it is the longest."""
    spans = [backoff(attempts, 0.999999) for attempts in range(1, 12)]
    assert spans == sorted(spans)
    assert spans[-1] > LONGEST * 0.99
