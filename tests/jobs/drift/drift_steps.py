"""What tests of drift do and look at: reactions, findings, the work of the bulk lane."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mappings.drift import DriftPolicy, Reaction
from sync.domain.work.lane import Lane
from sync.jobs.run_kinds import apply_chunk
from sync.store.drift import findings as drift
from sync.store.drift.findings import Finding
from tests.world import BRANCH, POLICY, World

OTHER_BRANCH = next(key for key in POLICY.branches if key != BRANCH.key)


def reacting(world: World, **reactions: Reaction) -> None:
    """drift.toml says this of these attributes."""
    chosen = {name.replace("_", "-"): reaction for name, reaction in reactions.items()}
    found = DriftPolicy({**POLICY.drift.reactions, **chosen}, POLICY.drift.most_missing_percent)
    world.systems = replace(world.systems, policy=replace(POLICY, drift=found))


def findings(world: World, *states: Any) -> list[Finding]:
    return list(world.read(lambda tx: drift.listed(tx, states=states or ("open", "accepted"))))


def told(world: World) -> set[tuple[str, str, str | None, str | None]]:
    return {(each.attribute, each.subject.who, each.wanted, each.found) for each in findings(world)}


def bulk(world: World) -> None:
    """Let the workers of the bulk lane apply the runs and look at the accounts."""
    while apply_chunk(world.systems):
        pass
    world.work(Lane.BULK)


def later(world: World) -> None:
    world.pass_time(600)
