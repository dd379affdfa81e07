"""The work-order gate's decision."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sync.domain.deactivation.gate import GatePolicy, GateVerdict, OpenWorkOrder, WorkOrdersOpen, decide

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDER = OpenWorkOrder("WO-7", "in progress", "Hotel Example", date(2026, 3, 2), ("lead", "crew"))


@pytest.mark.supports("D1", "D4")
@pytest.mark.parametrize(
    ("orders", "policy", "deadline", "after", "verdict"),
    [
        ((), GatePolicy.REFUSE, None, "person", GateVerdict.PASS),
        ((), GatePolicy.FORCE, None, "person", GateVerdict.PASS),
        ((ORDER,), GatePolicy.REFUSE, None, "person", GateVerdict.REFUSED),
        ((ORDER,), GatePolicy.HOLD, None, "person", GateVerdict.HELD),
        ((ORDER,), GatePolicy.FORCE, None, "person", GateVerdict.FORCED),
        ((ORDER,), GatePolicy.HOLD, NOW + timedelta(days=1), "force", GateVerdict.HELD),
        ((ORDER,), GatePolicy.HOLD, NOW, "force", GateVerdict.FORCED),
        ((ORDER,), GatePolicy.HOLD, NOW, "person", GateVerdict.HELD),
    ],
)
def test_what_the_gate_says(
    orders: tuple[OpenWorkOrder, ...],
    policy: GatePolicy,
    deadline: datetime | None,
    after: str,
    verdict: GateVerdict,
) -> None:
    """Three policies, and a hold that ends at its deadline only where that is configured."""
    assert decide(orders, policy, now=NOW, deadline=deadline, after_deadline=after) is verdict


@pytest.mark.supports("D1")
def test_a_refusal_names_every_work_order() -> None:
    """However many there are."""
    many = [OpenWorkOrder(f"WO-{n}", "new", "Example", None, ("lead",)) for n in range(500)]
    refused = WorkOrdersOpen("Jo Lind", many)
    assert len(refused.work_orders) == 500
    assert "500 open work orders" in str(refused)
