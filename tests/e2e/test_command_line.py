"""A person's day at the command line: each command a process, and behind it a real worker, Redis and Keycloak."""

from __future__ import annotations

from typing import Any

import pytest

from examples.browser import payload
from sync.domain.access.vocabulary import FIELD_TECHNICIANS
from tests.commands.imports.import_sites import person, staff_file
from tests.e2e.command_line import PASSWORD_SHOWN, CommandLine
from tests.e2e.place import Place
from tests.realms import PASSWORD
from tests.waiting import wait_until

pytestmark = [pytest.mark.usefixtures("a_worker"), pytest.mark.keycloak, pytest.mark.stack]

WHY = ("--reason", "as the ticket says")


def create(shell: CommandLine, email: str, profile: str, *more: str) -> str:
    """What is printed when an account is created."""
    given, family = email.partition("@")[0].split(".")
    names = ("--given-name", given.title(), "--family-name", family.title())
    return shell.done("account", "create", "--email", email, *names, "--profile", profile, *more, *WHY)


@pytest.mark.req("B1", "I3")
def test_an_account_is_created_and_its_owner_logs_in(shell: CommandLine, place: Place) -> None:
    """The password is shown once and to nobody else; it opens the real login, which wants a new one."""
    printed = create(shell, "jo.lind@example.com", "dispatcher", "--branch", "hamburg")
    [password] = PASSWORD_SHOWN.findall(printed)
    assert "shown once" in printed
    assert "Keycloak has jo.lind@example.com as wanted" in printed
    browser = place.browser()
    page = browser.log_in("jo.lind@example.com", password)
    assert page.asks == "new password"
    page = browser.submit(page, **{"password-new": PASSWORD, "password-confirm": PASSWORD})
    assert payload(browser.tokens(page)["access_token"])["fsm"]["profile"] == ["dispatcher"]
    assert password not in shell.done("account", "show", "jo.lind@example.com", "--json")


@pytest.mark.req("A7", "A8", "E6", "I3")
def test_an_account_is_changed_shown_and_listed(shell: CommandLine, place: Place) -> None:
    """Wanted, observed and the timeline with who and why; Keycloak holds the new profile and no other."""
    create(shell, "mia.berg@example.com", "read-only", "--branch", "berlin", "--employee-number", "0071")
    printed = shell.done("account", "change", "mia.berg@example.com", "--profile", "accountant", *WHY)
    assert "Keycloak has mia.berg@example.com as wanted" in printed
    shown = shell.json("account", "show", "0071")
    assert (shown["account"]["profile"], shown["differs"]) == ("accountant", [])
    assert shown["observed"]["enabled"]
    profiles = [path for path in groups(place, shown) if path.startswith("/fsm/profiles/")]
    assert profiles == ["/fsm/profiles/accountant"]
    text = shell.done("account", "show", "0071")
    told = ("wanted", "observed", "Timeline", "profile: read-only -> accountant", WHY[1], "Keycloak is as wanted")
    assert [each for each in told if each not in text] == []
    assert "leave /fsm/profiles/read-only" in text

    [row] = shell.json("account", "list", "berg", "--profile", "accountant", "--branch", "berlin")
    assert (row["username"], row["status"]["status"]) == ("mia.berg@example.com", "pending")
    assert "pending (has not set a password)" in shell.done("account", "list", "mia")


@pytest.mark.req("B2", "B3", "B4", "I3")
def test_a_technician_is_linked_and_unlinked(shell: CommandLine, place: Place) -> None:
    """Group and technician id follow in Keycloak; the list says who can be given work and why not."""
    technician = place.free_technician()
    here, _ = place.join(None)
    other, _ = place.join(None)
    assert here.username in shell.done("account", "list", "--unlinked")
    assert f"{technician} is linked" in shell.done("technician", "link", technician, here.username, *WHY)
    shown = shell.json("account", "show", technician)
    assert FIELD_TECHNICIANS in groups(place, shown)
    assert attributes(place, shown)["technician_id"] == [technician]
    [row] = [each for each in shell.json("technician", "list") if each["technician"]["id"] == technician]
    assert (row["account"]["username"], row["reasons"]) == (here.username, [])
    shell.run("technician", "link", technician, other.username, *WHY).refused(technician, here.username)
    shell.run("technician", "link", "T-9999", other.username, *WHY).refused("'T-9999' is not in the FSM system")

    assert "no longer linked" in shell.done("technician", "unlink", here.username, *WHY)
    assert FIELD_TECHNICIANS not in groups(place, shown)
    assert "technician_id" not in attributes(place, shown)
    assert technician in shell.done("technician", "list", "--unlinked")


@pytest.mark.req("D1", "D5", "D6", "D7", "I3")
def test_a_leaver_is_refused_reassigned_deactivated_and_back(shell: CommandLine, place: Place) -> None:
    """The work orders are printed as a table; after the reassignment the same command goes through."""
    leaver, taker = place.free_technician(), place.free_technician()
    numbers = place.give_work(leaver, 3)
    here, _ = place.join(leaver)
    place.join(taker)
    leave = ("account", "deactivate", here.username, *WHY)
    shell.run(*leave).refused(f"{here.full_name} still has 3 open work orders", "reassign them first", *numbers)
    assert [each["number"] for each in shell.json("work-orders", "list", leaver)] == list(numbers)
    printed = shell.done("work-orders", "reassign", leaver, "--to", taker, *WHY)
    assert f"3 work orders moved from {leaver} to {taker}" in printed
    assert shell.json("work-orders", "list", leaver) == []

    assert f"Keycloak has {here.username} as wanted" in shell.done(*leave)
    shown = shell.json("account", "show", here.username)
    assert (shown["status"]["status"], shown["observed"]["enabled"]) == ("inactive", False)
    assert not enabled(place, shown)
    shell.run(*leave).refused("inactive already")
    shell.done("account", "reactivate", here.username, *WHY)
    assert enabled(place, shown)
    assert FIELD_TECHNICIANS in groups(place, shown)


@pytest.mark.req("D4", "I3")
def test_a_hold_is_shown_and_ends_with_the_reassignment(shell: CommandLine, place: Place) -> None:
    """The list and the account say what holds it; reassigning completes it without another command."""
    leaver, taker = place.free_technician(), place.free_technician()
    numbers = place.give_work(leaver, 1)
    here, _ = place.join(leaver)
    place.join(taker)
    printed = shell.done("account", "deactivate", here.username, "--policy", "hold", *WHY)
    assert "is held by 1 open work order;" in printed
    assert numbers[0] in shell.done("account", "list", "--held")
    held = shell.json("account", "show", here.username)
    assert (held["deactivation"]["policy"], enabled(place, held)) == ("hold", True)
    shell.done("work-orders", "reassign", leaver, "--to", taker, *WHY)
    wait_until(lambda: not enabled(place, held), 30, "the hold has not completed")


@pytest.mark.req("C1", "C2", "C3", "C6", "D6", "I3")
def test_one_shot_acts_are_asked_for_and_told(shell: CommandLine, place: Place) -> None:
    """Each says how it ended; the new password is shown once, opens the login, and stands nowhere else."""
    create(shell, "ida.falk@example.com", "dispatcher", "--branch", "berlin")
    who = "ida.falk@example.com"
    printed = shell.done("account", "reset-password", who, *WHY)
    [password] = PASSWORD_SHOWN.findall(printed)
    assert "reset-password is done" in printed
    browser = place.browser()
    page = browser.log_in(who, password)
    assert page.asks == "new password"
    assert browser.submit(page, **{"password-new": PASSWORD, "password-confirm": PASSWORD}).code
    assert "it was not locked" in shell.done("account", "unlock", who, *WHY)
    assert "ended" in shell.done("account", "end-sessions", who, *WHY)
    shell.run("account", "reset-second-factor", who, "--identity-check", " ", *WHY).refused("identity check")
    checked = ("--identity-check", "called back")
    assert "there was none" in shell.done("account", "reset-second-factor", who, *checked, *WHY)
    told = shell.json("account", "require-password-change", who, *WHY)
    assert (told["username"], told["act"]["state"]) == (who, "done")
    assert place.browser().log_in(who, PASSWORD).asks == "new password"

    asked = shell.json("account", "require-password-change", "--branch", "berlin", "--yes", *WHY)
    assert asked["accounts"] >= 1
    shell.run("account", "require-password-change", "--branch", "atlantis", "--yes", *WHY).refused("atlantis")
    shell.run("account", "require-password-change", *WHY).refused("one of the two")
    shown = shell.done("account", "show", who)
    assert [each for each in ("reset-password done", "identity check: called back") if each not in shown] == []
    assert password not in shown
    assert shell.json("account", "show", who)["acts"][0]["kind"] == "expire-password"


@pytest.mark.req("F1", "F2", "F3", "F4", "F5", "I3")
def test_a_staff_list_is_reviewed_confirmed_and_carried_into_keycloak(shell: CommandLine, place: Place) -> None:
    """Good rows reach Keycloak, the wrong one comes back in a file to be mended."""
    wrong = person(303, Niederlassung="Hamburk")
    (shell.folder / "staff.csv").write_bytes(staff_file(person(301), person(302), wrong))
    review = shell.run("import", "review", "staff.csv", "--no-welcome-mail")
    assert review.code == 1, review
    assert "F5: 'Hamburk' is unknown (did you mean 'Hamburg'?)" in review.out
    [run] = shell.json("import", "list")
    assert (run["counts"]["create"], run["counts"]["error"]) == (2, 1)
    confirmed = shell.done("import", "confirm", "last", "--yes", "--file", "staff.csv")
    assert "the workers are at it" in confirmed
    shown = shell.json("import", "show", "last")
    assert shown["progress"]["places"]["in Keycloak"] == 2
    for number in (301, 302):
        [user] = place.realm.get("users", username=f"pat{number}@example.com", exact=True)
        assert user["enabled"]
    assert place.realm.get("users", username="pat303@example.com", exact=True) == []

    shell.done("import", "errors", "last", "-o", "mend.csv")
    assert "did you mean 'Hamburg'?" in (shell.folder / "mend.csv").read_text("utf-8-sig")


def groups(place: Place, shown: dict[str, Any]) -> list[str]:
    found = place.realm.get(f"users/{shown['account']['idp_user_id']}/groups")
    return [group["path"] for group in found]


def attributes(place: Place, shown: dict[str, Any]) -> dict[str, list[str]]:
    return dict(place.realm.get(f"users/{shown['account']['idp_user_id']}")["attributes"])


def enabled(place: Place, shown: dict[str, Any]) -> bool:
    return bool(place.realm.get(f"users/{shown['account']['idp_user_id']}")["enabled"])
