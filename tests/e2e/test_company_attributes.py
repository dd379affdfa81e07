"""A company's own attribute on its whole way: a file says what it is, another has it, the token carries it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from examples.browser import payload
from sync.claims import parse
from sync.commands.imports.confirm import confirm
from sync.commands.imports.review import ImportOptions, review
from sync.commands.mappings.adopt import adopt
from sync.commands.mappings.in_force import adopt_first
from sync.commands.mappings.plan import propose
from sync.domain.accounts.account import Account
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.realm import watch_realm
from sync.jobs.run_kinds import apply_chunk
from sync.settings import Settings
from sync.store.accounts import accounts
from sync.views.mappings import policy_in_force
from sync.wiring.workers import build
from tests.company import ATTRIBUTES, company
from tests.e2e.place import BY, Place
from tests.realms import PASSWORD
from tests.waiting import wait_until

pytestmark = [pytest.mark.keycloak, pytest.mark.req("A10")]

WORKER = "fsm-worker"


def work(place: Place) -> None:
    while apply_chunk(place.systems):
        pass
    for lane in (Lane.INTERACTIVE, Lane.BULK):
        while provision_some(place.systems, lane):
            pass


def imported(place: Place, *rows: str) -> None:
    titles = "E-Mail;Vorname;Nachname;Profil;Niederlassung;Kostenstelle;Fahrzeug"
    content = "\n".join([titles, *rows]).encode()
    reviewed = review(place.systems, content, "staff.csv", BY, ImportOptions(welcome_mail=False))
    assert reviewed.run.counts["error"] == 0
    confirm(place.systems, reviewed.run.id, BY)
    work(place)


def adopted(place: Place, settings_file: Path, folder: Path, attributes: str) -> None:
    """These files are in force, and a process that starts then carries out what follows."""
    company(folder, attributes)
    in_force = adopt_first(place.systems.db, None, BY, place.clock.now())
    adopt(place.systems, propose(in_force, folder), BY)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FSM_SETTINGS", str(settings_file))
        started = build(Settings(), policy_in_force(place.systems.db))  # type: ignore[call-arg]
    realm = place.realm.gateway(WORKER)
    place.systems = replace(started, clock=place.clock, wake=place.systems.wake, realm=realm)
    work(place)


def known(place: Place, email: str) -> Account:
    account = place.read(lambda tx: accounts.by_login(tx, email))
    assert account is not None
    return account


def held(place: Place, account: Account) -> dict[str, list[str]]:
    found: dict[str, list[str]] = place.realm.get(f"users/{account.idp_user_id}")["attributes"]
    return {name: values for name, values in found.items() if name != "fsm_account_id"}


def test_from_a_column_of_a_staff_file_to_a_claim_and_away_again(
    place: Place, settings_file: Path, tmp_path: Path
) -> None:
    """Adopted, its account waits for the realm; applied and watched, it follows by itself. What somebody else
    keeps there stays. Out of the file, it leaves all accounts, and stays declared."""
    vehicle = ATTRIBUTES.replace('title = "Vehicle"', 'title = "Vehicle"\naliases = ["Fahrzeug"]')
    adopted(place, settings_file, tmp_path, vehicle)
    imported(
        place,
        "ida.kern@example.com;Ida;Kern;Dispatcher;Hamburg;;",
        "jo.lind@example.com;Jo;Lind;Dispatcher;Hamburg;4711;Transporter",
    )
    waits = place.state(known(place, "jo.lind@example.com")).waits
    assert waits is not None
    assert "does not declare cost_centre, vehicle" in waits[1]
    assert place.state(known(place, "ida.kern@example.com")).applied

    profile = place.realm.get("users/profile")
    profile["attributes"].append({"name": "shoe_size", "permissions": {"view": ["admin"], "edit": ["admin"]}})
    place.realm.send("PUT", "users/profile", profile)
    plan = place.realm.apply(place.systems.policy)
    assert "+ claim fsm.attributes.cost_centre" in "\n".join(map(str, plan.differences))
    assert place.realm.plan(place.systems.policy).differences == ()

    def followed() -> bool:
        """A worker that has just seen an attribute undeclared believes it for a second."""
        watch_realm(place.systems, lambda: None)
        work(place)
        return known(place, "jo.lind@example.com").idp_user_id is not None

    wait_until(followed, 10, "the account does not follow the realm")
    jo = known(place, "jo.lind@example.com")
    assert held(place, jo) == {"cost_centre": ["4711"], "vehicle": ["van"]}
    place.realm.send(
        "PUT",
        f"users/{jo.idp_user_id}/reset-password",
        {"type": "password", "value": PASSWORD, "temporary": False},
    )
    browser = place.browser()
    claim = payload(browser.tokens(browser.log_in(jo.username, PASSWORD))["access_token"])
    assert claim["fsm"]["attributes"] == {"cost_centre": "4711", "vehicle": "van"}
    assert parse(claim).attributes == {"cost_centre": "4711", "vehicle": "van"}

    user = place.realm.get(f"users/{jo.idp_user_id}")
    user["attributes"]["shoe_size"] = ["44"]
    place.realm.send("PUT", f"users/{jo.idp_user_id}", user)
    imported(place, "jo.lind@example.com;Jo;Lind;Dispatcher;Hamburg;4712;-")
    assert held(place, jo) == {"cost_centre": ["4712"], "shoe_size": ["44"]}

    adopted(place, settings_file, tmp_path, vehicle[vehicle.index("[attributes.desk_height]") :])
    assert held(place, jo) == {"shoe_size": ["44"]}
    assert known(place, "jo.lind@example.com").attributes == {}
    place.realm.apply(place.systems.policy)
    names = [each["name"] for each in place.realm.get("users/profile")["attributes"]]
    assert {"cost_centre", "shoe_size"} <= set(names)
