"""An account from the command line to Keycloak and back: all that it has, and what stays its own (A1, C9)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sync.domain.logins.activity import LoginKind
from sync.entrypoints.cli.accounts import technician
from sync.jobs.logins import read_logins
from sync.jobs.schedule.run_jobs import run_due_job
from sync.jobs.work.job import Job
from sync.ports.field_service import Technician
from tests.entrypoints.cli.conftest import Run, done, told
from tests.fakes.accounts import FakeUser
from tests.world import World

WHY = ("--reason", "joins the team")
LOGINS = {"login-events": Job(read_logins, timedelta(0))}


@pytest.fixture(autouse=True)
def _at_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker works at every wake."""
    monkeypatch.setattr(world.wake, "wake", world.work)
    monkeypatch.setattr(technician, "open_desk", lambda: world.systems)


def the_user(world: World) -> FakeUser:
    """The one that Keycloak holds."""
    [user] = world.accounts.users.values()
    return user


def shown(run: Run, who: str) -> dict[str, Any]:
    return dict(told(run, "show", who))


@pytest.mark.req("A1")
def test_all_that_an_account_has_reaches_keycloak_and_is_shown(run: Run, world: World) -> None:
    """Given once, on one line; status and last login come from Keycloak, the rest from who made it."""
    world.fsm.add(Technician("T-7", "Tess Tal", None, assignable=True))
    made_at = world.clock.now()
    names = ("--username", "tess", "--email", "tess@example.com", "--given-name", "Tess", "--family-name", "Tal")
    place = ("--profile", "technician", "--branch", "hamburg", "--team", "hamburg-klima", "--data-access", "team")
    done(run("create", *names, *place, "--technician", "T-7", "--employee-number", "00417", *WHY))

    user = the_user(world)
    assert (user.username, user.email, user.given_name, user.family_name) == (
        "tess",
        "tess@example.com",
        "Tess",
        "Tal",
    )
    assert user.enabled
    assert {
        "/fsm/profiles/technician",
        "/fsm/branches/hamburg",
        "/fsm/teams/hamburg-klima",
        "/fsm/data-access/team",
        "/fsm/field-technicians",
    } <= user.groups
    assert user.attributes["technician_id"] == ("T-7",)
    assert shown(run, "00417")["status"]["status"] == "pending"

    world.pass_time(3600)
    world.logins.happen(LoginKind.LOGIN, user.id)
    logged_in_at = world.clock.now()
    world.pass_time(35)
    assert run_due_job(world.systems, LOGINS) == 1
    seen = shown(run, "T-7")
    assert seen["logins"]["last_login_at"] == logged_in_at.isoformat()
    assert seen["status"]["status"] == "active"
    assert seen["account"]["created_at"] == made_at.isoformat()
    wanted = {
        "username": "tess",
        "email": "tess@example.com",
        "given_name": "Tess",
        "family_name": "Tal",
        "profile": "technician",
        "branch": "hamburg",
        "team": "hamburg-klima",
        "data_access": "team",
        "technician_id": "T-7",
        "employee_number": "00417",
    }
    assert {name: seen["account"][name] for name in wanted} == wanted
    assert seen["differs"] == []


@pytest.mark.req("C9")
def test_an_administrator_changes_username_and_address_and_it_stays_the_same_account(
    run: Run, world: World
) -> None:
    """The same user in Keycloak under other names, with its groups, and the history it had."""
    names = ("--email", "jo.lind@example.com", "--given-name", "Jo", "--family-name", "Lind")
    done(run("create", *names, "--profile", "dispatcher", "--branch", "berlin", *WHY))
    before, account = the_user(world), shown(run, "jo.lind@example.com")["account"]
    user_id, groups = before.id, set(before.groups)
    new = ("--username", "jo.berg", "--email", "jo.berg@example.com", "--reason", "married")
    done(run("change", "jo.lind@example.com", *new))
    after = the_user(world)
    assert (after.id, after.username, after.email) == (user_id, "jo.berg", "jo.berg@example.com")
    assert after.groups == groups
    seen = shown(run, "jo.berg")
    assert (seen["account"]["id"], seen["account"]["idp_user_id"]) == (account["id"], user_id)
    assert [entry["reason"] for entry in seen["timeline"] if entry.get("reason")][:1] == [WHY[1]]
    assert run("show", "jo.lind@example.com").exit_code == 1
