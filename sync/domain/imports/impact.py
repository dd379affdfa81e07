"""What a planned import does to how many accounts, judged as a whole (E7). Review and confirmation call it."""

from __future__ import annotations

from collections.abc import Iterator

from mappings.guard import ChangeKind
from mappings.policy import Policy
from sync.domain.imports.match import World
from sync.domain.imports.plan import ImportPlan
from sync.domain.imports.verdict import RowVerdict
from sync.domain.runs.guard import GuardVerdict, Impact, access_of, effects, judge


def judge_import(plan: ImportPlan, world: World, policy: Policy, population: int) -> GuardVerdict:
    """`world` is the one the plan was made in; `population` is how many accounts are active in it."""
    return judge(impact_of_import(plan, world, policy), population, policy.guard, "import")


def impact_of_import(plan: ImportPlan, world: World, policy: Policy) -> Impact:
    """`world` as for `judge_import`."""
    return Impact.of(_effects(plan, world, policy))


def _effects(plan: ImportPlan, world: World, policy: Policy) -> Iterator[frozenset[ChangeKind]]:
    for row in plan.rows:
        if row.verdict is RowVerdict.CREATE:
            yield frozenset({"created"})
        elif row.change is not None and row.account_id is not None:
            before = world.accounts[row.account_id]
            yield effects(access_of(before, policy), access_of(row.change.applied_to(before), policy))
