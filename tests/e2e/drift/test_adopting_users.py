"""Users that were in Keycloak before us: planned, adopted, brought to what is wanted, and let go again (G4)."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

from sync.commands.accounts.change import create
from sync.domain.access import vocabulary
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import NewAccount
from sync.domain.provisioning.observed import ACCOUNT_ID
from sync.domain.work.lane import Lane
from sync.jobs.adoption.scheduled import ADOPTION
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.schedule.run_jobs import run_due_job
from sync.store import schedule
from tests.e2e.command_line import CommandLine
from tests.e2e.place import BY, Place

pytestmark = [pytest.mark.keycloak, pytest.mark.req("G4")]

HAMBURG = vocabulary.branch_group("hamburg")
WHY = ("--reason", "they were there before us")


def join(place: Place, name: str) -> Account:
    """A dispatcher in Hamburg, not yet in Keycloak."""
    new = NewAccount(f"{name}@example.com", "Kim", name.title(), "dispatcher", "hamburg")
    return place.do(lambda tx: create(tx, place.systems.policy, new, BY, place.clock.now()))


def before_us(place: Place, username: str, email: str) -> str:
    """A user as somebody made it in Keycloak's console."""
    return place.realm.create_user(username=username, email=email, firstName="K.", lastName="Old")


def work(place: Place) -> None:
    """What the workers of both lanes do."""
    for lane in (Lane.INTERACTIVE, Lane.BULK):
        while provision_some(place.systems, lane):
            pass


def typed(place: Place, shell: CommandLine, *arguments: str) -> Any:
    """What a command answers to programs while workers of all lanes are there."""
    with ThreadPoolExecutor(1) as person:
        answer = person.submit(shell.json, *arguments)
        while not answer.done():
            run_due_job(place.systems, {schedule.ADOPTION: ADOPTION})
            work(place)
            wait([answer], timeout=0.2)
        return answer.result()


def mark(place: Place, user: str) -> list[str]:
    """Our mark on the user, as Keycloak's administrator sees it."""
    return list(place.realm.get(f"users/{user}").get("attributes", {}).get(ACCOUNT_ID, []))


def groups(place: Place, user: str) -> set[str]:
    return {group["path"] for group in place.realm.get(f"users/{user}/groups")}


def test_a_person_from_before_us_is_adopted_and_let_go(place: Place, shell: CommandLine) -> None:
    """The plan lists the match and the conflicts and touches nobody; the match gets our mark and then its groups;
    an administrator of the realm is refused; what was adopted by mistake is nobody's again."""
    lot = secrets.token_hex(3)
    ann, ben, cem, dee = (join(place, f"{name}{lot}") for name in ("ann", "ben", "cem", "dee"))
    match = before_us(place, f"ann.old{lot}", ann.email)
    either = before_us(place, ben.username, cem.email)
    boss = before_us(place, f"boss{lot}", dee.email)
    management = place.realm.get("clients", clientId="realm-management")[0]["id"]
    rights = place.realm.get(f"clients/{management}/roles/manage-users")
    place.realm.send("POST", f"users/{boss}/role-mappings/clients/{management}", [rights])
    guest = before_us(place, f"guest{lot}", f"guest{lot}@elsewhere.example.com")
    work(place)
    assert all(place.state(account).quarantine for account in (ann, ben, cem, dee)), "each met a stranger"

    plan = typed(place, shell, "adopt", "plan", *WHY)
    said = {row["original"]["id"]: "; ".join(row["messages"]["errors"]) for row in plan["rows"]}
    assert said == {
        match: "",
        either: f"several accounts match: {ben.username}, {cem.username}",
        boss: "it administers the realm",
    }
    assert guest not in said
    everybody = [match, either, boss, guest]
    assert [mark(place, user) for user in everybody] == [[]] * len(everybody)

    rows = typed(place, shell, "adopt", "apply", "last", "--plan", plan["run"]["fingerprint"], *WHY)
    assert {row["original"]["id"] for row in rows if row["result"] == "applied"} == {match}
    assert mark(place, match) == [ann.id]
    assert place.account(ann).idp_user_id == match
    work(place)
    user = place.realm.get(f"users/{match}")
    assert (user["username"], user["lastName"], user["enabled"]) == (ann.username, ann.family_name, True)
    assert {HAMBURG, vocabulary.profile_group("dispatcher")} <= groups(place, match)
    others = [either, boss, guest]
    assert [(mark(place, user), groups(place, user)) for user in others] == [([], set())] * len(others)

    released = typed(place, shell, "adopt", "release", ann.username, *WHY)
    assert released["released"] == match
    assert (mark(place, match), groups(place, match)) == ([], set())
    assert place.account(ann).idp_user_id is None


def test_rights_given_since_the_plan_are_seen(place: Place, shell: CommandLine) -> None:
    """Somebody made the user an administrator of the realm between the review and the adoption: it is refused,
    and the user stays as it is."""
    lot = secrets.token_hex(3)
    eva = join(place, f"eva{lot}")
    user = before_us(place, f"eva.old{lot}", eva.email)
    plan = typed(place, shell, "adopt", "plan", *WHY)
    management = place.realm.get("clients", clientId="realm-management")[0]["id"]
    rights = place.realm.get(f"clients/{management}/roles/realm-admin")
    place.realm.send("POST", f"users/{user}/role-mappings/clients/{management}", [rights])
    rows = typed(place, shell, "adopt", "apply", "last", "--plan", plan["run"]["fingerprint"], *WHY)
    [row] = [each for each in rows if each["original"]["id"] == user]
    assert row["result"] == "refused"
    assert "realm-management role" in row["result_message"]
    assert mark(place, user) == []
    assert place.account(eva).idp_user_id is None
