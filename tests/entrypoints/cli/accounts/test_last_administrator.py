"""Somebody who can administer accounts stays, whatever is typed (I4)."""

from __future__ import annotations

import pytest

from sync.domain.accounts.account import Account
from tests.entrypoints.cli.conftest import Run, done
from tests.world import World

pytestmark = pytest.mark.req("I4")

WHY = ("--reason", "leaves")
PROFILE = "/fsm/profiles/administrator"
WAYS_OUT = [
    ("deactivate", "--policy", "force", "--yes"),
    ("change", "--profile", "read-only", "--data-access", "-"),
    ("change", "--data-access", "branch", "--branch", "berlin"),
]


@pytest.fixture
def ada(world: World, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The only administrator, in Keycloak; a worker works at every wake."""
    monkeypatch.setattr(world.wake, "wake", world.work)
    ada = world.join("ada.adler", profile="administrator")
    world.work()
    return ada


def administers(world: World, account: Account) -> bool:
    user = world.user(account)
    return user.enabled and {PROFILE, "/fsm/data-access/global"} <= user.groups


@pytest.mark.parametrize("way_out", WAYS_OUT, ids=["leaves", "another profile", "one branch alone"])
def test_the_last_administrator_stays_until_there_is_another(
    run: Run, world: World, ada: Account, way_out: tuple[str, ...]
) -> None:
    """Refused with the reason, and Keycloak lets her in as before; with a second one it goes through."""
    command, *options = way_out
    leave = (command, ada.username, *options, *WHY)
    said = run(*leave)
    assert said.exit_code == 1
    assert "is the last active account that can administer" in said.output
    assert administers(world, ada)

    other = world.join("bo.bauer", profile="administrator")
    world.work()
    done(run(*leave))
    assert not administers(world, ada)
    assert administers(world, other)
