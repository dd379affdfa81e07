"""`fsm-identity account list` tells everything it was asked for, or says that it does not (A1, H3, I3)."""

from __future__ import annotations

import csv
import io

import pytest

from sync.commands.accounts.change import create_all
from sync.domain.accounts.account import Account
from sync.domain.accounts.change import NewAccount
from sync.domain.work.lane import Lane
from sync.entrypoints.cli.accounts import account_view
from tests.entrypoints.cli.conftest import Run, Terminal, done, told
from tests.world import BRANCH, BY, POLICY, World

pytestmark = [pytest.mark.req("I3"), pytest.mark.supports("A1", "H3")]


@pytest.fixture
def crowd(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """More than a screen lists, in more than one page."""
    monkeypatch.setattr(account_view, "AT_ONCE", 40, raising=False)
    names = [f"anna.a{number:03}@example.com" for number in range(101)]
    new = [NewAccount(name, "Anna", name[5:9], "dispatcher", BRANCH.key) for name in names]
    joiners = [(each, None) for each in new]
    made = world.do(lambda tx: create_all(tx, POLICY, joiners, BY, world.clock.now(), lane=Lane.BULK))
    return [account.username for account in made]


def usernames(run: Run, *arguments: str) -> list[str]:
    return [each["username"] for each in told(run, "list", *arguments)]


def test_a_program_gets_every_account(run: Run, crowd: list[str]) -> None:
    """Without a word about pages or limits."""
    assert usernames(run) == crowd
    assert run("list", "--json").stderr == ""


def test_what_a_limit_leaves_out_is_said_beside_the_answer(run: Run, crowd: list[str], terminal: Terminal) -> None:
    """With how many there are; standard output stays the answer alone."""
    said = run("list", "--json", "--limit", "4")
    assert "4 are shown, 101 in all" in said.stderr
    assert usernames(run, "--limit", "4") == crowd[:4]
    assert run("list", "--json", "--limit", "101").stderr == ""
    assert usernames(run, "--limit", "200000") == crowd
    terminal(120)
    said = run("list")
    assert "100 are shown, 101 in all" in said.stderr
    assert len(said.stdout.splitlines()) == 101


def test_a_list_of_nobody_is_an_empty_one(run: Run) -> None:
    """A program can read it too."""
    assert told(run, "list") == []


def test_filters_know_titles_and_aliases(run: Run, world: World) -> None:
    """As an import does; the key goes as well."""
    world.join("tess.tal", profile="technician", branch="koeln", team="koeln-klima", employee_number="E-1")
    world.join("dora.dis", profile="dispatcher", branch="berlin")
    for profile, branch, team in (
        ("technician", "koeln", "koeln-klima"),
        ("Technician", "Köln", "Klima"),
        ("Monteurin", "Cologne", "Air Conditioning"),
    ):
        asked = ("--profile", profile, "--branch", branch, "--team", team)
        assert usernames(run, *asked) == ["tess.tal@example.com"]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (("--branch", "Berlni"), "branch: 'Berlni' is unknown (did you mean 'Berlin'?)"),
        (("--profile", "Dispacher"), "profile: 'Dispacher' is unknown (did you mean 'Dispatcher'?)"),
        (("--profile", "xyzzy"), "known are Accountant, Administrator, Dispatcher"),
        (("--team", "Hiezung", "--branch", "Berlin"), "did you mean 'Heizung'?"),
        (("--team", "Heizung"), "name the branch too, or one of hamburg-heizung, berlin-heizung, leipzig-heizung"),
        (("--team", "Klima", "--branch", "berlin"), "'Klima' is a team of Hamburg, Köln"),
    ],
)
def test_a_filter_that_nobody_knows_is_refused_with_what_is_near(
    run: Run, asked: tuple[str, ...], reason: str
) -> None:
    """An empty list would read as: there is nobody."""
    said = run("list", *asked)
    assert said.exit_code == 1
    assert reason in said.stderr


def test_every_wrong_name_is_told_at_once(run: Run) -> None:
    """Whoever mends one does not come back for the next."""
    said = run("list", "--branch", "Berlni", "--profile", "Dispacher")
    assert {"branch", "profile"} == {line.split()[1].rstrip(":") for line in said.stderr.splitlines()}


def test_a_team_is_not_blamed_for_the_branch_beside_it(run: Run) -> None:
    """Which of the teams of that name is meant nobody knows yet; one that no branch has is told too."""
    said = run("list", "--branch", "Berlni", "--team", "Heizung")
    assert [line.split()[1] for line in said.stderr.splitlines()] == ["branch:"]
    said = run("list", "--branch", "Berlni", "--team", "Hiezung")
    assert [line.split()[1] for line in said.stderr.splitlines()] == ["branch:", "team:"]


def test_accounts_are_made_and_changed_by_titles(run: Run, world: World) -> None:
    """A team is looked for in the branch that is named with it, else in the account's."""
    jo = ("--email", "jo@example.com", "--given-name", "Jo", "--family-name", "Lind")
    where = ("--profile", "Disponent", "--branch", "Berlin", "--team", "Heizung", "--data-access", "Niederlassung")
    done(run("create", *jo, *where, "--reason", "joins", "--no-wait"))
    made = told(run, "show", "jo@example.com")["account"]
    assert (made["profile"], made["branch"], made["team"]) == ("dispatcher", "berlin", "berlin-heizung")
    assert made["data_access"] == "branch"
    done(run("change", "jo@example.com", "--team", "Aufzug", "--reason", "moves", "--no-wait"))
    done(run("change", "jo@example.com", "--data-access", "-", "--reason", "moves", "--no-wait"))
    made = told(run, "show", "jo@example.com")["account"]
    assert (made["team"], made["data_access"]) == ("berlin-aufzug", None)
    said = run("change", "jo@example.com", "--branch", "Hamburgg", "--reason", "moves", "--no-wait")
    assert "did you mean 'Hamburg'?" in said.stderr


def test_a_branch_is_asked_for_new_passwords_by_its_title(run: Run, people: list[Account], world: World) -> None:
    """As elsewhere; a name that nobody knows concerns nobody."""
    asked = ("require-password-change", "--yes", "--reason", "leak", "--json", "--branch")
    assert run(*asked, "Hauptstatd").exit_code == 1
    assert f'"branch": "{people[0].branch}"' in done(run(*asked, "Niederlassung Hamburg"))


def test_show_finds_whom_list_finds(run: Run, people: list[Account]) -> None:
    """By a part of a name, if it is one person's; several are named."""
    for text in ("Ben Berg", "ben.b", "BERG"):
        assert usernames(run, text) == [people[1].username]
        assert told(run, "show", text)["account"]["username"] == people[1].username
    said = run("show", "example.com")
    assert said.exit_code == 1
    assert "may be ann.arno@example.com, ben.berg@example.com, cem.cohn@example.com" in said.stderr
    assert "'nobody' is nobody's" in run("show", "nobody").stderr


def test_who_is_changed_is_named_in_full(run: Run, people: list[Account]) -> None:
    """A part of a name would be enough to deactivate the wrong one: it is only proposed."""
    said = run("deactivate", "berg", "--reason", "left", "--no-wait")
    assert said.exit_code == 1
    assert "did you mean ben.berg@example.com?" in said.stderr


def test_a_search_in_a_pipe_finds_the_whole_record(run: Run, people: list[Account]) -> None:
    """On the line of the address."""
    [line] = [line for line in done(run("list")).splitlines() if people[1].email in line]
    assert people[1].full_name in line
    assert people[1].profile in line


def test_a_list_fits_a_small_terminal(run: Run, people: list[Account], terminal: Terminal) -> None:
    """Names and addresses can be copied whole, and what there is no room for is named."""
    for columns, left_out in ((150, ""), (80, "no room for technician"), (50, "")):
        terminal(columns)
        said = run("list")
        assert people[1].username in said.stdout
        assert max(map(len, said.stdout.splitlines())) <= columns
        assert left_out in said.stderr


def test_programs_get_all_of_it_as_csv_too(run: Run, crowd: list[str], terminal: Terminal) -> None:
    """Whatever the terminal is like; what somebody has not is empty."""
    terminal(60)
    rows = list(csv.DictReader(io.StringIO(done(run("list", "--csv")))))
    assert [row["username"] for row in rows] == crowd
    assert {row["technician"] for row in rows} == {""}
