"""What takes access from many is held, shown and approved on the command line, and then Keycloak follows (E7)."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from mappings.loading import read_texts
from sync.commands.accounts.change import create
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import NewAccount
from sync.domain.work.lane import Lane
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.run_kinds import apply_chunk
from sync.settings import Settings
from sync.wiring.workers import open_systems
from tests.commands.imports.import_sites import person, staff_file
from tests.e2e.command_line import CommandLine
from tests.e2e.place import BY, Place

pytestmark = [pytest.mark.keycloak, pytest.mark.req("E7", "I3")]

PEOPLE = 12
WHY = ("--reason", "dispatchers see their own work only")
BRANCH, PERSONAL = "/fsm/data-access/branch", "/fsm/data-access/personal"


@pytest.fixture(scope="module")
def dispatchers(place: Place) -> list[Account]:
    """The company: twelve dispatchers in Keycloak."""
    people = []
    for number in range(1, PEOPLE + 1):
        row = person(number)
        new = NewAccount(
            email=row["E-Mail"],
            given_name=row["Vorname"],
            family_name=row["Nachname"],
            profile="dispatcher",
            branch="hamburg",
            employee_number=row["Personalnr."],
        )
        people.append(place.do(lambda tx, new=new: create(tx, place.systems.policy, new, BY, place.clock.now())))
    place.work()
    return [place.account(account) for account in people]


def carry_out(settings_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker that is woken now does, with the policy in force."""
    monkeypatch.setenv("FSM_SETTINGS", str(settings_file))
    systems = open_systems(Settings())  # type: ignore[call-arg]
    while apply_chunk(systems) + provision_some(systems, Lane.BULK) + provision_some(systems, Lane.INTERACTIVE):
        pass
    systems.db.close()


def test_a_profile_that_demotes_everybody_is_held_approved_and_carried_out(
    shell: CommandLine,
    place: Place,
    dispatchers: list[Account],
    settings_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A changed profiles.toml: the plan lists the people, the adoption is held, of two approvals one counts."""
    folder = shell.folder / "mappings"
    shell.done("mappings", "copy", str(folder), "--in-force")
    guard = read_texts()["guard.toml"].replace("one_is_enough = false", "one_is_enough = true")
    (folder / "guard.toml").write_text(guard)
    shell.done("mappings", "adopt", str(folder), "--yes", *WHY)
    text = read_texts()["profiles.toml"]
    head, heading, rest = text.partition('title = "Dispatcher"')
    narrower = rest.replace('default_data_access = "branch"', 'default_data_access = "personal"', 1)
    (folder / "profiles.toml").write_text(head + heading + narrower)

    plan = shell.json("mappings", "plan", str(folder))
    assert (plan["affected"], plan["for_workers"], plan["counts"]["demoted"]) == (PEOPLE, PEOPLE, PEOPLE)
    assert "pat1@example.com" in shell.done("mappings", "plan", str(folder))
    held = shell.run("mappings", "adopt", str(folder), "--plan", plan["fingerprint"], *WHY)
    held.refused("held", f"{PEOPLE} accounts would be able to do or see less", "fsm-identity runs approve")
    carry_out(settings_file, monkeypatch)
    assert all(BRANCH in place.user(account).groups for account in dispatchers)

    [waiting] = shell.json("runs", "list", "--held")
    assert shell.done("runs", "show", waiting["id"]).count("able to do or see less") == PEOPLE
    wrong = shell.run("runs", "approve", waiting["id"], "--plan", secrets.token_hex(8), *WHY)
    wrong.refused("look at it again")
    approve = ("runs", "approve", waiting["id"], "--plan", waiting["fingerprint"], *WHY)
    racing = [shell.start(*approve) for _ in range(2)]
    ended = [(*process.communicate(timeout=90), process.returncode) for process in racing]
    assert sorted(code for _, _, code in ended) == [0, 1]
    assert any("already" in err or "come into force" in err for _, err, code in ended if code)

    carry_out(settings_file, monkeypatch)
    for account in dispatchers:
        groups = place.user(account).groups
        assert PERSONAL in groups
        assert BRANCH not in groups
    assert [each["number"] for each in shell.json("mappings", "history")] == [3, 2, 1]
    warned = shell.run("account", "list")
    assert warned.code == 0
    assert "not those in force" in warned.err


def test_an_import_that_moves_everybody_is_held_and_shown(shell: CommandLine, dispatchers: list[Account]) -> None:
    """The review warns, the confirmation holds, the list names everybody; rejected it is gone."""
    moved = [person(number, Niederlassung="Köln") for number in range(1, len(dispatchers) + 1)]
    (shell.folder / "moved.csv").write_bytes(staff_file(*moved))
    reviewed = shell.run("import", "review", "moved.csv")
    assert "needs an approval after the confirmation" in reviewed.err, reviewed
    shell.run("import", "confirm", "last", "--yes").refused("held", "moved to another branch or team")
    assert "branch: hamburg → koeln" in shell.done("runs", "show", "last")
    [waiting] = shell.json("runs", "list", "--held")
    assert waiting["kind"] == "import"
    shell.done("runs", "reject", "last", "--reason", "the wrong file")
    assert shell.json("runs", "list", "--held") == []
