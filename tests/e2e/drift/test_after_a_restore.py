"""Our database is restored from a backup while Keycloak goes on: the steps of docs/operations.md, as typed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from examples.browser import Browser
from sync.domain.provisioning.observed import ACCOUNT_ID
from sync.domain.realm.options import WORKER_CLIENT
from sync.domain.work.lane import Lane
from sync.jobs.adoption.scheduled import ADOPTION
from sync.jobs.drift.scheduled import COMPARISON
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.schedule.run_jobs import JOBS, run_due_job
from sync.settings import Settings
from sync.store import schedule
from sync.store.operations import heartbeats
from sync.store.operations.heartbeats import Worker
from sync.wiring.doors import installation_of
from sync.wiring.workers import build
from tests.e2e.command_line import PASSWORD_SHOWN, CommandLine, Said
from tests.e2e.place import APP, Place
from tests.realms import PASSWORD
from tests.restoring import back_up, restore
from tests.world import set_up

pytestmark = [pytest.mark.keycloak, pytest.mark.req("G4", "H1")]

WHY = ("--reason", "our database was restored")


@pytest.fixture(scope="module")
def database(settings_file: Path, shell: CommandLine, place: Place) -> Path:
    """Our database; the realm is as it wants it and carries its id."""
    shell.done("realm", "apply", "--yes")
    return settings_file.with_name("our.db")


def work(place: Place) -> None:
    """What workers of all lanes do, who are there."""
    now = place.clock.now()
    with place.systems.db.write() as tx:
        heartbeats.beat(tx, Worker("all@north", "north", 4711, tuple(sorted(Lane)), now, now, None))
    run_due_job(place.systems, {schedule.ADOPTION: ADOPTION, "comparison": COMPARISON})
    apply_chunk(place.systems)
    for lane in (Lane.INTERACTIVE, Lane.BULK):
        while provision_some(place.systems, lane):
            pass


def typed(place: Place, shell: CommandLine, *arguments: str) -> Said:
    """What a command says while workers are there."""
    with ThreadPoolExecutor(1) as person:
        answer = person.submit(shell.run, *arguments)
        while not answer.done():
            work(place)
            wait([answer], timeout=0.2)
        return answer.result()


def done(place: Place, shell: CommandLine, *arguments: str) -> str:
    said = typed(place, shell, *arguments)
    assert said.code == 0, said
    return said.out + said.err


def create(place: Place, shell: CommandLine, email: str, *more: str) -> Said:
    """A dispatcher of Hamburg."""
    name = ("--email", email, "--given-name", "Kim", "--family-name", email.partition("@")[0].title())
    access = ("--profile", "dispatcher", "--branch", "hamburg")
    return typed(place, shell, "account", "create", *name, *access, *more, "--reason", "joined")


def user(place: Place, email: str) -> Any:
    [found] = place.realm.get("users", username=email, exact="true")
    return place.realm.get(f"users/{found['id']}") | {"groups": place.realm.get(f"users/{found['id']}/groups")}


def lost_kinds(shell: CommandLine) -> list[tuple[str, str]]:
    return [(each["attribute"], each["subject"]["who"]) for each in shell.json("drift", "list")]


def adopt_what_is_lost(place: Place, shell: CommandLine) -> str:
    """Planned, looked at, applied by its fingerprint; what `adopt apply` says."""
    plan = done(place, shell, "adopt", "plan", "--lost-accounts", *WHY)
    words = plan[plan.index("fsm-identity adopt apply") :].split()
    return done(place, shell, "adopt", "apply", words[3], "--plan", words[5], *WHY)


def test_a_person_created_after_the_backup_gets_the_account_again(
    place: Place, shell: CommandLine, database: Path
) -> None:
    """Told by the comparison and on the page of troubles, reviewed, adopted, as wanted again: the same user, the
    same password, the same mark; and nothing was written to it."""
    ann, zoe = (f"{name}{secrets.token_hex(3)}@example.com" for name in ("ann", "zoe"))
    assert create(place, shell, ann).code == 0
    backup = back_up(database)
    made = create(place, shell, zoe)
    [password] = PASSWORD_SHOWN.findall(made.out)
    browser = Browser(place.realm.url, place.realm.realm, APP)
    page = browser.log_in(zoe, password)
    browser.tokens(browser.submit(page, **{"password-new": PASSWORD, "password-confirm": PASSWORD}))
    before = user(place, zoe)
    restore(database, backup)
    shell.run("account", "show", zoe).refused(zoe)

    assert "; 0 not ours" in done(place, shell, "drift", "compare")
    assert lost_kinds(shell) == [("lost-account", zoe)]
    status = shell.run("ops", "status")
    assert "1 user in Keycloak with a login and no account: our database lost it" in status.out + status.err
    create(place, shell, zoe).refused("whose account our database lost", "adopt plan --lost-accounts")

    assert "1 user adopted" in adopt_what_is_lost(place, shell)
    assert lost_kinds(shell) == []
    shown = shell.json("account", "show", zoe)["account"]
    assert [shown["id"]] == before["attributes"][ACCOUNT_ID]
    assert (shown["profile"], shown["branch"], shown["life"]) == ("dispatcher", "hamburg", "active")
    assert "no drift" in done(place, shell, "drift", "compare")
    assert user(place, zoe) == before
    again = Browser(place.realm.url, place.realm.realm, APP)
    assert again.tokens(again.log_in(zoe, PASSWORD))["access_token"]


def test_a_person_created_anew_meanwhile_gets_the_user(place: Place, shell: CommandLine, database: Path) -> None:
    """Before anybody compared: the new account waits and says why, and has the user and its own mark after the
    adoption."""
    cem = f"cem{secrets.token_hex(3)}@example.com"
    backup = back_up(database)
    assert create(place, shell, cem).code == 0
    before = user(place, cem)
    restore(database, backup)
    anew = create(place, shell, cem)
    assert "Our database does not have account" in anew.out + anew.err
    assert "adopt plan --lost-accounts" in anew.out + anew.err
    assert "1 user adopted" in adopt_what_is_lost(place, shell)
    work(place)
    shown = shell.json("account", "show", cem)["account"]
    assert shown["idp_user_id"] == before["id"]
    assert [shown["id"]] == user(place, cem)["attributes"][ACCOUNT_ID] != before["attributes"][ACCOUNT_ID]
    assert "no drift" in done(place, shell, "drift", "compare")


def test_what_was_changed_since_the_backup_is_accepted_before_it_is_undone(
    place: Place, shell: CommandLine, database: Path
) -> None:
    """Wanted is what it was at the backup again, and the comparison hands that to the workers of the lane bulk,
    which is paused: what a person accepts meanwhile stays as Keycloak has it."""
    ben = f"ben{secrets.token_hex(3)}@example.com"
    assert create(place, shell, ben).code == 0
    backup = back_up(database)
    assert typed(place, shell, "account", "change", ben, "--profile", "manager", *WHY).code == 0
    before = user(place, ben)
    restore(database, backup)
    done(place, shell, "ops", "pause", "bulk", *WHY)
    done(place, shell, "drift", "compare")
    found = [each for each in shell.json("drift", "list") if each["subject"]["who"] == ben]
    [finding] = [each for each in found if each["attribute"] == "profile"]
    assert (finding["wanted"], finding["found"]) == ("dispatcher", "manager")
    done(place, shell, "drift", "accept", finding["id"][-8:], "--reason", "it was changed after the backup")
    done(place, shell, "ops", "resume", "bulk", *WHY)
    work(place)
    assert user(place, ben)["groups"] == before["groups"]
    assert shell.json("account", "show", ben)["account"]["profile"] == "manager"
    assert "no drift" in done(place, shell, "drift", "compare")


@pytest.fixture
def other(place: Place, settings_file: Path, database: Path, tmp_path: Path) -> Iterator[Place]:
    """A new, empty database, with the settings of the realm."""
    url = f"sqlite:///{tmp_path / 'other.db'}"
    set_up(url)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FSM_SETTINGS", str(settings_file))
        environment.setenv("FSM_DATABASE_URL", url)
        settings = Settings()  # type: ignore[call-arg]
    systems = build(settings, installation=installation_of(settings))
    realm = place.realm.gateway(WORKER_CLIENT)
    yield replace(place, systems=replace(systems, clock=place.clock, wake=place.systems.wake, realm=realm))
    systems.db.close()


def test_another_database_writes_nothing_to_the_realm(
    place: Place, shell: CommandLine, database: Path, other: Place, tmp_path: Path
) -> None:
    """Its account waits and nobody is made; `realm apply` is refused, the plan says whose the realm is. A person
    takes the realm over, and back."""
    theirs = {"FSM_DATABASE_URL": f"sqlite:///{tmp_path / 'other.db'}"}
    eve = f"eve{secrets.token_hex(3)}@example.com"
    account = ("--email", eve, "--given-name", "Eve", "--family-name", "Eck", "--profile", "dispatcher")
    stored = shell.run(
        "account", "create", *account, "--branch", "hamburg", "--no-wait", "--mail", "--reason", "new", **theirs
    )
    assert stored.code == 0, stored
    provision_some(other.systems, Lane.INTERACTIVE)
    assert place.realm.get("users", username=eve, exact="true") == []
    run_due_job(other.systems, {schedule.REALM: JOBS[schedule.REALM]})
    status = shell.run("ops", "status", **theirs)
    assert "the realm is that of installation" in status.out + status.err
    place.realm.send("PUT", "", {"failureFactor": 50})
    shell.run("realm", "apply", "--yes", **theirs).refused("realm take-over")
    told = shell.run("realm", "plan", "--json", **theirs)
    assert "realm take-over" in told.out
    ours = str(place.realm.get()["attributes"]["fsm.installation"])
    assert shell.run("realm", "take-over", ours, *WHY, **theirs).code == 0
    shell.run("realm", "take-over", ours, *WHY, **theirs).refused("is ours already")
    mine = str(place.realm.get()["attributes"]["fsm.installation"])
    assert mine != ours
    assert shell.run("realm", "take-over", mine, "--reason", "and back").code == 0
    shell.done("realm", "apply", "--yes")
    assert "no drift" in done(place, shell, "drift", "compare")
