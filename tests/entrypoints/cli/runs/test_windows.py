"""What one source does piece by piece, within an hour, a day and a week, as people at the command line meet it
(E7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mappings.guard import ChangeKind, Limit
from mappings.loading import read_texts
from sync.commands.mappings.in_force import adopt_first
from sync.domain.work.lane import Lane
from sync.entrypoints.cli import app
from sync.entrypoints.cli.accounts import account
from sync.entrypoints.cli.imports import imports
from sync.entrypoints.cli.mappings import mappings
from sync.entrypoints.cli.operations import ops
from sync.entrypoints.cli.runs import runs
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.systems import Systems
from sync.views.mappings import InForce
from tests.commands.imports.import_sites import import_site, person, staff_file
from tests.entrypoints.cli.conftest import Run, SitDown, done, told
from tests.world import FIRST, World

WHY = ("--reason", "the season ends")
PEOPLE = 30


def limited(systems: Systems, **limits: Limit) -> Systems:
    """guard.toml has these limits."""
    kinds: dict[ChangeKind, Limit] = {**systems.policy.guard.limits, **limits}  # type: ignore[dict-item]
    return replace(systems, policy=replace(systems.policy, guard=replace(systems.policy.guard, limits=kinds)))


@pytest.fixture
def systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systems]:
    """Thirty people in Hamburg; four may move, or be switched off, at once."""
    with import_site(f"sqlite:///{tmp_path / 'our.db'}") as made:
        four = limited(made, moved=Limit(4, None, 1), disabled=Limit(4, None, 1))
        for module in (account, imports, runs):
            monkeypatch.setattr(module, "open_desk", lambda: four)
        monkeypatch.setattr(ops, "open_operator_desk", lambda: four)
        monkeypatch.setattr(ops, "wakes", lambda _desk: ({}, ()))
        monkeypatch.setattr(ops, "start_troubles", lambda _desk: ())
        yield four


@pytest.fixture
def run(systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sit_down: SitDown) -> Run:
    """Runs one command line of login 41001."""
    monkeypatch.chdir(tmp_path)
    sit_down(41001)
    Path("all.csv").write_bytes(staff_file(*(person(number) for number in range(1, PEOPLE + 1))))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    assert invoke("import", "review", "all.csv").exit_code == 0
    assert invoke("import", "confirm", "last", "--yes", "--no-wait").exit_code == 0
    carry_out(systems)
    return invoke


def carry_out(systems: Systems) -> None:
    """What the workers do with what was confirmed."""
    while apply_chunk(systems):
        pass


@pytest.fixture
def move(run: Run, systems: Systems) -> Callable[..., str]:
    """Import a file that moves these people to Cologne. Returns the run's state and all that was said."""

    def imported(*numbers: int, options: tuple[str, ...] = ()) -> str:
        moved = (person(number, Niederlassung="Köln") for number in numbers)
        Path("staff.csv").write_bytes(staff_file(*moved))
        said = done(run("import", "review", "staff.csv", *options))
        said += run("import", "confirm", "last", "--yes", "--no-wait").output
        carry_out(systems)
        [newest] = told(run, "runs", "list", "--limit", "1")
        return f"{newest['state']} {said}"

    return imported


def pass_time(systems: Systems, **time: int) -> None:
    systems.clock.advance(timedelta(**time))  # type: ignore[attr-defined]


@pytest.mark.req("E7")
def test_small_files_an_hour_apart_are_held_within_the_day_and_the_week(
    systems: Systems, move: Callable[..., str]
) -> None:
    """Three people a file, each file below the limit of four: eight pass a day, sixteen a week. The review says
    before the confirmation what will be held."""
    assert move(1, 2, 3).startswith("done")
    pass_time(systems, minutes=61)
    assert move(4, 5, 6).startswith("done")
    pass_time(systems, minutes=61)
    held = move(7, 8, 9)
    assert held.startswith("held")
    reason = "9 accounts within a day would be moved to another branch or team: more than 8"
    assert held.count(reason) == 2
    pass_time(systems, hours=24)
    assert move(10, 11, 12).startswith("done")
    pass_time(systems, minutes=61)
    assert move(13, 14, 15, 16).startswith("done")
    pass_time(systems, hours=24)
    assert move(17, 18, 19).startswith("done")
    pass_time(systems, minutes=61)
    assert "17 accounts within a week would be moved" in move(20)
    pass_time(systems, days=7)
    assert move(20).startswith("done")


@pytest.mark.req("E7", "G6")
def test_an_approved_run_leaves_as_much_room_as_before(
    run: Run, systems: Systems, move: Callable[..., str], sit_down: SitDown
) -> None:
    """Twenty people move with an approval; then two and two more pass as if nobody had, and a fifth does not."""
    assert move(*range(1, 21)).startswith("held")
    [held] = told(run, "runs", "list", "--held")
    sit_down(41002)
    done(run("runs", "approve", "last", "--plan", held["fingerprint"], *WHY))
    carry_out(systems)
    sit_down(41001)
    assert move(21, 22).startswith("done")
    assert move(23, 24).startswith("done")
    assert "5 accounts within an hour would be moved" in move(25)


@pytest.mark.req("E7", "F5")
def test_what_was_not_applied_leaves_room_for_the_mended_file(
    run: Run, systems: Systems, move: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All or nothing, and one was changed by hand in between: nothing of it was applied, so the same people fit in
    once more. So do those of an import that was called off."""

    class Late:
        """Somebody is quicker than the workers."""

        def wake(self, _lane: Lane) -> None:
            monkeypatch.setattr(imports, "open_desk", lambda: systems)
            done(run("account", "change", "pat1@example.com", "--given-name", "Patrick", "--no-wait", *WHY))

    monkeypatch.setattr(imports, "open_desk", lambda: replace(systems, wake=Late()))
    assert move(1, 2, 3, 4, options=("--all-or-nothing",)).startswith("refused")
    moved = (person(number, Niederlassung="Köln") for number in range(5, 9))
    Path("staff.csv").write_bytes(staff_file(*moved))
    done(run("import", "review", "staff.csv"))
    done(run("import", "confirm", "last", "--yes", "--no-wait"))
    done(run("import", "cancel", "last"))
    assert move(9, 10, 11, 12).startswith("done")
    assert move(13).startswith("held")


@pytest.mark.req("E7")
def test_one_account_after_the_other_is_counted_and_warned_of_and_never_held(
    run: Run, systems: Systems, move: Callable[..., str]
) -> None:
    """Six leavers by hand: the fifth is told on the command line and to the operators, all six go. What the same
    person imports then is judged together with what was done by hand."""
    said = [
        run("account", "deactivate", f"pat{number}@example.com", "--policy", "hold", "--no-wait", *WHY)
        for number in range(1, 7)
    ]
    assert [each.exit_code for each in said] == [0] * 6
    warned = ["many accounts are changed by hand" in each.output for each in said]
    assert warned == [False] * 4 + [True] * 2
    assert "disabled: 5 accounts within an hour, more than 4" in said[4].output
    left = told(run, "account", "list", "--inactive")
    assert len(left) == 6
    status = run("ops", "status").output
    assert "uid 41001 changes many accounts: disabled: 6 accounts within an hour, more than 4" in status
    assert "'Many accounts are changed by hand'" in status
    for number in (7, 8):
        done(run("account", "change", f"pat{number}@example.com", "--branch", "koeln", "--no-wait", *WHY))
    assert "5 accounts within an hour would be moved" in move(9, 10, 11)


@pytest.mark.req("E7")
def test_who_is_given_more_by_hand_is_no_warning(run: Run) -> None:
    """Whoever makes one administrator looks at whom."""
    said = run(
        "account",
        "change",
        "pat1@example.com",
        "--profile",
        "administrator",
        "--no-wait",
        "--reason",
        "she takes over",
    )
    assert (said.exit_code, "by hand" in said.output) == (0, False), said.output


@pytest.mark.req("E7")
def test_who_joins_a_plan_after_it_was_looked_at_stops_its_approval(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sit_down: SitDown
) -> None:
    """Twelve dispatchers were on the list of what is held; the thirteenth was not. Nothing comes into force."""

    def in_force() -> tuple[Systems, InForce]:
        found = adopt_first(world.systems.db, None, FIRST, world.clock.now())
        return replace(world.systems, policy=found.policy, policy_number=found.number), found

    monkeypatch.setattr(mappings, "open_desk_with_policy", lambda _settings: in_force())
    monkeypatch.setattr(mappings, "load_settings", lambda: None)
    for module in (account, runs):
        monkeypatch.setattr(module, "open_desk", lambda: in_force()[0])
    monkeypatch.chdir(tmp_path)
    for number in range(12):
        world.join(f"dispatcher.p{number}")
    world.work()
    Path("own").mkdir()
    text = read_texts()["profiles.toml"]
    head, found, rest = text.partition('title = "Dispatcher"')
    narrower = rest.replace('default_data_access = "branch"', 'default_data_access = "personal"', 1)
    Path("own/profiles.toml").write_text(head + found + narrower, encoding="utf-8")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    sit_down(41001)
    held = run("mappings", "adopt", "own", "--yes", *WHY)
    assert "12 accounts would be able to do or see less" in held.output
    [waiting] = told(run, "runs", "list", "--held")
    joins = ("--email", "new.comer@example.com", "--given-name", "New", "--family-name", "Comer")
    where = ("--profile", "dispatcher", "--branch", "hamburg", "--mail", "--no-wait")
    assert run("account", "create", *joins, *where, *WHY).exit_code == 0
    sit_down(41002)
    refused = run("runs", "approve", "last", "--plan", waiting["fingerprint"], *WHY)
    assert refused.exit_code == 1
    said = refused.output
    assert "1 account that nobody looked at would change as well" in said
    assert "new.comer@example.com" in said
    assert in_force()[1].number == 1
