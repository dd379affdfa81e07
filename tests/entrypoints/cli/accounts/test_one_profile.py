"""A change of the profile, watched in Keycloak between any two of its steps (A4)."""

from __future__ import annotations

import pytest

from sync.domain.accounts.account import Account
from sync.domain.provisioning.change import Change
from tests.entrypoints.cli.conftest import Run, done
from tests.world import World

PROFILES = "/fsm/profiles/"


def profiles_of(world: World, account: Account) -> set[str]:
    return {group.removeprefix(PROFILES) for group in world.user(account).groups if group.startswith(PROFILES)}


@pytest.mark.req("A4")
@pytest.mark.parametrize("profile", ["manager", "read-only", "administrator"])
def test_nobody_has_two_profiles_at_any_moment(
    run: Run, world: World, people: list[Account], monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    """Up or down: the old one is taken before the new one is given."""
    who, seen = people[0], [{"dispatcher"}]
    assert profiles_of(world, who) == {"dispatcher"}
    apply = world.accounts.apply

    def watched(idp_user_id: str, change: Change) -> Change:
        made = apply(idp_user_id, change)
        seen.append(profiles_of(world, who))
        return made

    monkeypatch.setattr(world.accounts, "apply", watched)
    monkeypatch.setattr(world.wake, "wake", world.work)
    done(run("change", who.username, "--profile", profile, "--reason", "another post"))
    assert {len(each) for each in seen} == {0, 1}
    assert seen[-1] == {profile}
