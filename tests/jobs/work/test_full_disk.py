"""A disk without room under our SQLite file: told with its remedy, nothing lost, and work goes on when there is
room."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sync.domain.errors import Transient
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import LEASE, provision_some
from sync.store.database import schema
from sync.store.database.sealing import Sealer
from sync.store.database.transactions import Database
from sync.store.operations import space
from tests.disks import fill, small_disk  # noqa: F401 - a fixture
from tests.world import World

MIB = 1024 * 1024


def go_on(world: World) -> None:
    """Work and store, as long as there is room."""
    world.work()
    for number in range(1000):
        world.join(f"pat.p{number}")


@pytest.mark.supports("H1", "H2", "H3")
def test_a_full_disk_stops_with_its_remedy_and_loses_nothing(
    world: World,
    small_disk: Path,  # noqa: F811
) -> None:
    """A change is refused as a whole, the worker's word is not half kept, the remedy is shown; with room again
    what Keycloak has already is found there."""
    url = f"sqlite:///{small_disk / 'our.db'}"
    schema.upgrade(url)
    db = Database(url, Sealer(["7bYtrcE_KjVVmDDnhpzuqlY4q7MhsmvlfG2m7cVEcSU="]))
    here = replace(world, systems=replace(world.systems, db=db))
    account = here.join()
    done: list[Path] = []
    create = here.accounts.create

    def create_and_fill(users: object) -> object:
        """The disk gets full between the claim and the record."""
        made = create(users)  # type: ignore[arg-type]
        done.append(fill(small_disk))
        return made

    here.accounts.create = create_and_fill  # type: ignore[method-assign,assignment]
    with pytest.raises(Transient, match="no disk space left"):
        go_on(here)
    here.accounts.create = create  # type: ignore[method-assign]
    found = space.troubles_of(db, here.clock.now())
    assert any("MiB left" in each.what for each in found)
    assert all("free disk space" in each.remedy for each in found)
    done[0].unlink()
    here.pass_time(LEASE.total_seconds() + 1)
    while provision_some(here.systems, Lane.INTERACTIVE):
        pass
    assert here.user(account).enabled
    assert [user.account_id for user in here.accounts.users.values()].count(account.id) == 1
    assert [each for each in space.troubles_of(db, here.clock.now()) if "MiB" not in each.what] == []
    db.close()
