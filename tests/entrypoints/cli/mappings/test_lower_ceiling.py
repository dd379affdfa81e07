"""A profile may see less from now on: whoever was given more has less, until the ceiling is raised (A5, E7)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account
from sync.store.accounts import accounts
from tests.adopting import carry_out, in_force
from tests.entrypoints.cli.conftest import done
from tests.world import World

pytestmark = pytest.mark.req("A5", "E7", "I3")

Cli = Callable[..., Result]
WHY = ("--reason", "managers see their branch")
WHO = "mia.mann@example.com"
MANAGER = 'title = "Manager"'


@pytest.fixture
def mia(world: World, cli: Cli) -> Account:
    """A manager of a branch who sees the whole company."""
    mia = world.join("mia.mann", profile="manager", data_access="global")
    world.join("max.maar", profile="manager")
    world.work()
    done(cli("mappings", "copy", "own", "--in-force"))
    guard = Path("own") / "guard.toml"
    guard.write_text(guard.read_text().replace("one_is_enough = false", "one_is_enough = true"), encoding="utf-8")
    return mia


def managers_may_have(level: str) -> None:
    path = Path("own") / "profiles.toml"
    before, manager, after = path.read_text(encoding="utf-8").partition(MANAGER)
    old = next(line for line in after.splitlines() if line.startswith("highest_data_access"))
    path.write_text(before + manager + after.replace(old, f'highest_data_access = "{level}"', 1), encoding="utf-8")


def adopt(world: World, cli: Cli) -> None:
    """From the files to Keycloak, approved where they give much: the accounts that they reach are brought there by
    the bulk lane."""
    said = cli("mappings", "adopt", "own", "--yes", *WHY)
    held = re.search(r"runs approve (\S+) --plan (\S+)", said.output)
    done(said if held is None else cli("runs", "approve", held[1], "--plan", held[2], *WHY))
    in_force(world)
    carry_out(world)


def levels_in_keycloak(world: World, account: Account) -> set[str]:
    return {group for group in world.user(account).groups if group.startswith("/fsm/data-access/")}


def test_the_plan_counts_who_would_see_less(cli: Cli, mia: Account) -> None:
    """One of the two managers: the other never had more."""
    managers_may_have("branch")
    plan = json.loads(done(cli("mappings", "plan", "own", "--json")))
    assert plan["affected"] == 1
    assert plan["counts"]["demoted"] == 1
    said = done(cli("mappings", "plan", "own"))
    assert WHO in said
    assert "able to do or see less" in said


def test_who_was_given_more_has_less_and_gets_it_back(world: World, cli: Cli, mia: Account) -> None:
    """What was asked for stays stored and is shown; nothing is written over it."""
    managers_may_have("branch")
    adopt(world, cli)
    assert levels_in_keycloak(world, mia) == {vocabulary.data_access_group("branch")}
    assert "asks Global, may have Branch" in done(cli("account", "show", WHO))
    shown = json.loads(done(cli("account", "show", WHO, "--json")))
    assert shown["data_access"] == {"asked": "global", "effective": "branch"}
    assert shown["account"]["data_access"] == "global"
    assert shown["differs"] == []

    managers_may_have("global")
    adopt(world, cli)
    assert levels_in_keycloak(world, mia) == {vocabulary.data_access_group("global")}
    assert "may have" not in done(cli("account", "show", WHO))


def test_whoever_is_above_the_new_ceiling_can_still_be_changed_and_come_back(
    world: World, cli: Cli, mia: Account
) -> None:
    """A new name, a leave and a return say nothing about the data access."""
    managers_may_have("branch")
    adopt(world, cli)
    because = ("--reason", "as usual", "--no-wait")
    done(cli("account", "change", WHO, "--family-name", "Maurer", *because))
    done(cli("account", "deactivate", WHO, *because))
    world.work()
    done(cli("account", "reactivate", WHO, *because))
    world.work()
    assert world.user(mia).enabled
    account = world.read(lambda tx: accounts.get(tx, mia.id))
    assert account is not None
    assert (account.family_name, account.data_access) == ("Maurer", "global")
    assert levels_in_keycloak(world, mia) == {vocabulary.data_access_group("branch")}


def test_nobody_is_given_more_than_the_new_ceiling(world: World, cli: Cli, mia: Account) -> None:
    """Asked for anew it is refused, for her as well after she gave it up, and for the other manager."""
    managers_may_have("branch")
    adopt(world, cli)
    because = ("--reason", "as usual", "--no-wait")
    done(cli("account", "change", WHO, "--data-access", "-", *because))
    for who in ("max.maar@example.com", WHO):
        said = cli("account", "change", who, "--data-access", "global", *because)
        assert said.exit_code == 1
        assert "Global is more than profile Manager may have (at most Branch)" in said.output


def test_other_limits_of_the_guard_are_named_with_both_values(cli: Cli, mia: Account) -> None:
    """Whoever reads the plan sees what would be let through from then on."""
    guard = Path("own") / "guard.toml"
    text = guard.read_text(encoding="utf-8")
    disabled, moved = "[limits.disabled]\naccounts = 50", "[limits.moved]\naccounts = 50\npercent = 10"
    text = text.replace(disabled, disabled.replace("50", "500"))
    text = text.replace(moved, moved.replace("10", '"unlimited"'))
    text += "\n[doors.hr.moved]\naccounts = 200\npercent = 30\npercent_from = 20\n"
    guard.write_text(text, encoding="utf-8")
    said = done(cli("mappings", "plan", "own"))
    assert "changed: guard.toml; this change is still judged by the limits in force" in said
    assert "limits disabled accounts: 50 → 500" in said
    assert "limits moved percent: 10 → unlimited" in said
    assert "doors hr moved accounts: not set → 200" in said
