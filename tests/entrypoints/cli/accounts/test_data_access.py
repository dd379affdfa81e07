"""What somebody may see: the profile's level, another one up to its ceiling, and what a level needs (A5)."""

from __future__ import annotations

import pytest

from tests.entrypoints.cli.conftest import Run, done
from tests.world import World

pytestmark = pytest.mark.req("A5")

JO = ("--email", "jo@example.com", "--given-name", "Jo", "--family-name", "Lind", "--reason", "joins the team")
LEVELS = "/fsm/data-access/"


@pytest.fixture(autouse=True)
def _at_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker works at every wake."""
    monkeypatch.setattr(world.wake, "wake", world.work)


def level_in_keycloak(world: World) -> list[str]:
    """Of the one user there is."""
    [user] = world.accounts.users.values()
    return [group.removeprefix(LEVELS) for group in user.groups if group.startswith(LEVELS)]


@pytest.mark.parametrize(
    ("profile", "usual", "given", "place"),
    [
        ("read-only", "branch", "global", ("--branch", "hamburg")),
        ("technician", "personal", "team", ("--branch", "hamburg", "--team", "hamburg-klima")),
        ("accountant", "global", "branch", ("--branch", "berlin")),
        ("dispatcher", "branch", "personal", ("--branch", "berlin")),
    ],
)
def test_it_is_the_profiles_own_or_another_one_up_to_the_ceiling(
    run: Run, world: World, profile: str, usual: str, given: str, place: tuple[str, ...]
) -> None:
    """In Keycloak there is one level at a time; taken away, the profile's own is back."""
    done(run("create", *JO, "--employee-number", "00417", "--profile", profile, *place))
    assert level_in_keycloak(world) == [usual]
    done(run("change", "jo@example.com", "--data-access", given, "--reason", "helps out"))
    assert level_in_keycloak(world) == [given]
    done(run("change", "jo@example.com", "--data-access", "-", "--reason", "enough"))
    assert level_in_keycloak(world) == [usual]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("--profile", "dispatcher"), "data access Branch needs a branch"),
        (("--profile", "technician", "--branch", "hamburg"), "data access Personal needs a person"),
        (
            ("--profile", "technician", "--branch", "hamburg", "--data-access", "team"),
            "data access Team needs a team",
        ),
        (
            ("--profile", "dispatcher", "--branch", "hamburg", "--data-access", "global"),
            "Global is more than profile Dispatcher may have (at most Branch)",
        ),
    ],
)
def test_what_a_level_needs_or_the_profile_may_not_have_is_told(
    run: Run, world: World, given: tuple[str, ...], why: str
) -> None:
    """In one line, and nobody gets anything."""
    said = run("create", *JO, *given)
    assert said.exit_code == 1
    assert why in said.output
    assert world.accounts.users == {}


def test_who_loses_what_the_level_needs_is_refused_and_keeps_it(run: Run, world: World) -> None:
    """A team that is taken away would leave a level about nothing."""
    place = ("--branch", "hamburg", "--team", "hamburg-klima", "--data-access", "team")
    done(run("create", *JO, "--profile", "technician", *place))
    said = run("change", "jo@example.com", "--team", "-", "--reason", "left the team")
    assert said.exit_code == 1
    assert "data access Team needs a team" in said.output
    assert level_in_keycloak(world) == ["team"]
