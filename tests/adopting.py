"""Other mapping files on their way into force, and workers that start by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync.commands.mappings import adopt as adopt_mappings
from sync.commands.mappings import plan as plan_mappings
from sync.commands.mappings.adopt import Adoption, adopt
from sync.commands.mappings.in_force import adopt_first
from sync.commands.mappings.plan import Affected, Proposal, propose
from sync.domain.access.cause import Cause
from sync.domain.work.lane import Lane
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.systems import Systems
from tests.company import company
from tests.fakes.accounts import FakeAccounts
from tests.world import BY, FIRST, World


def started_now(world: World) -> Systems:
    """Those of a process that starts now, with the policy in force; Keycloak is the same."""
    known = adopt_first(world.systems.db, None, FIRST, world.clock.now())
    gateway = FakeAccounts(known.policy)
    gateway.users, gateway.declared = world.accounts.users, world.accounts.declared
    return replace(
        world.systems, policy=known.policy, policy_number=known.number, accounts=gateway, bulk_accounts=gateway
    )


def in_force(world: World) -> None:
    """Everything of this world starts anew."""
    world.systems = started_now(world)
    assert isinstance(world.systems.accounts, FakeAccounts)
    world.accounts = world.systems.accounts


def while_it_walks(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """The act comes after the last account was looked at and before the files are in force."""

    def affected(systems: Systems, proposal: Proposal) -> Iterator[Affected]:
        yield from plan_mappings.affected(systems, proposal)
        act()

    monkeypatch.setattr(adopt_mappings, "affected", affected)


def adopted_by(world: World, folder: Path, attributes: str, by: Cause = BY) -> Adoption:
    """Adopt this attributes.toml; workers have the policy then in force, and have not begun."""
    company(folder, attributes)
    proposal = propose(adopt_first(world.systems.db, None, FIRST, world.clock.now()), folder)
    done = adopt(world.systems, proposal, by)
    in_force(world)
    return done


def carry_out(world: World) -> None:
    """What the workers of the bulk lane do."""
    while apply_chunk(world.systems):
        pass
    world.work(Lane.BULK)


def adopted(world: World, folder: Path, attributes: str) -> None:
    """Adopt this attributes.toml and let workers carry out the run that follows."""
    adopted_by(world, folder, attributes)
    carry_out(world)
