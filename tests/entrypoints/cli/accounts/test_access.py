"""`fsm-identity account show` says what somebody may see, since when, and who gave it why (A5, A7)."""

from __future__ import annotations

from typing import Any

import pytest

from sync.domain.accounts.account import Account
from tests.entrypoints.cli.conftest import Run, done, told
from tests.world import World

pytestmark = [pytest.mark.req("A7", "I3"), pytest.mark.supports("A5")]


def access(run: Run, who: Account) -> dict[str, dict[str, Any]]:
    return {each["what"]: each for each in told(run, "show", who.username)["access"]}


def change(run: Run, world: World, who: Account, reason: str, *options: str) -> str:
    """A day later; returns when."""
    world.pass_time(86400)
    done(run("change", who.username, *options, "--reason", reason, "--no-wait"))
    return world.clock.now().isoformat()


def test_the_usual_level_of_a_profile_is_shown_with_its_reason(run: Run, people: list[Account]) -> None:
    """Although nobody wrote it down for the account."""
    shown = access(run, people[0])["data access"]
    assert (shown["value"], shown["note"]) == ("Branch", "the usual level of the profile")
    assert shown["since"] == people[0].created_at.isoformat()
    assert "because the test says so" in shown["why"]
    [line] = [
        line for line in done(run("show", people[0].username)).splitlines() if line.startswith("data access")
    ]
    assert "Branch (the usual level of the profile)" in line
    assert "because the test says so" in line


def test_a_level_of_ones_own_counts_from_when_it_was_given(run: Run, world: World, people: list[Account]) -> None:
    """A change of something else gives no new reason; taken away, the usual one counts from there."""
    given_at = change(run, world, people[0], "helps out", "--data-access", "Team", "--team", "Heizung")
    change(run, world, people[0], "moved", "--team", "Klima")
    shown = access(run, people[0])
    assert (shown["data access"]["value"], shown["data access"]["note"]) == ("Team", "")
    assert shown["data access"]["since"] == given_at
    assert shown["data access"]["why"].endswith(": helps out")
    assert shown["team"]["why"].endswith(": moved")
    back_at = change(run, world, people[0], "enough", "--data-access", "-")
    assert access(run, people[0])["data access"]["since"] == back_at


def test_what_somebody_has_not_is_no_line(run: Run, people: list[Account]) -> None:
    """No team, no technician record."""
    said = done(run("show", people[0].username))
    assert not [line for line in said.splitlines() if line.startswith(("team", "technician"))]
