"""`fsm-identity drift`: what Keycloak holds that is not wanted: compare, look, decide (G4, H4)."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Annotated

import typer

from sync.commands.drift import decide
from sync.commands.drift.compare import ask_comparison
from sync.desk import Desk
from sync.domain.access.scope import Scope
from sync.domain.drift.touches import Touch
from sync.domain.wording import counted
from sync.entrypoints.cli.runs.run_view import say_held
from sync.entrypoints.cli.terminal.output import (
    AsCsv,
    AsJson,
    Limit,
    Reason,
    actor,
    errors,
    failures_shown,
    first_of,
    lines_wanted,
    one_more,
    print_json,
    print_table,
    say,
    screen,
    shown,
    stop,
)
from sync.entrypoints.cli.waiting import LOOK_EVERY_SECONDS
from sync.store.drift.comparisons import Comparison
from sync.store.drift.findings import LIVE, STATES, Finding
from sync.views.drift import (
    changed_by,
    comparison_view,
    drift_view,
    find_finding,
    list_findings,
    list_foreign_users,
)
from sync.wiring.doors import open_desk

app = typer.Typer(no_args_is_help=True)

Which = Annotated[str, typer.Argument(help="The finding: its id, or its last characters.", show_default=False)]
ON_SCREEN = 200
"""So many findings are listed for people who name no limit."""

ENDING = 8
"""Characters of an id that are shown: enough to name it."""


@app.command()
def compare(
    attributes: Annotated[
        bool, typer.Option("--attributes", help="The slow pass over all attributes instead.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is over.")] = True,
    timeout: Annotated[int, typer.Option("--timeout", min=1, help="Seconds to wait at most.")] = 3600,
    as_json: AsJson = False,
) -> None:
    """Have the workers compare all of Keycloak with what is wanted, now. That writes findings, nothing to
    Keycloak: what drift.toml says is to be repaired is handed on."""
    with failures_shown():
        desk = open_desk()
        by = actor("compared on request")
        asked = ask_comparison(desk, "attribute-pass" if attributes else "comparison", by)
        done = _follow(desk, asked, timeout) if wait else asked
        if as_json:
            print_json(done)
            return
        _print_comparison(done)
        if not wait:
            say("the workers begin it; see fsm-identity drift status")
            return
        if done.state != "done":
            raise typer.Exit(1)
        with desk.db.read() as tx:
            seen = drift_view(tx, Scope.all())
        number = sum(seen.open.values())
        say(f"{counted(number, 'open finding')}: fsm-identity drift list" if number else "no drift")
        for run in seen.held:
            say_held(run)


@app.command()
def status(as_json: AsJson = False) -> None:
    """The last comparison and the last pass over all attributes, how far or how they ended."""
    with failures_shown():
        desk = open_desk()
        with desk.db.read() as tx:
            seen = drift_view(tx, Scope.all())
        if as_json:
            print_json({"comparisons": seen.comparisons, "open": seen.open})
            return
        for each in seen.comparisons:
            _print_comparison(each)
        print_table(["attribute", "open findings"], seen.open.items())


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also what is repaired or gone.")] = False,
    foreign: Annotated[
        bool, typer.Option("--foreign", help="The users in Keycloak that are not ours instead.")
    ] = False,
    limit: Limit = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List findings that are open or accepted, the oldest first."""
    with failures_shown():
        desk = open_desk()
        limit = lines_wanted(limit, ON_SCREEN, for_program=as_json or as_csv)
        if foreign:
            with desk.db.read() as tx:
                users = first_of(list_foreign_users(tx, Scope.all(), one_more(limit)), limit)
            if as_json:
                print_json(users)
                return
            print_table(
                ["user", "username", "e-mail", "enabled", "first seen"],
                [
                    [each.idp_user_id, each.username, each.email, each.enabled, each.first_seen_at]
                    for each in users
                ],
                least=("first seen", "enabled"),
                as_csv=as_csv,
            )
            return
        with desk.db.read() as tx:
            states = STATES if everything else LIVE
            found = first_of(list_findings(tx, Scope.all(), states, one_more(limit)), limit)
        if as_json:
            print_json(found)
            return
        print_table(
            ["finding", "who", "attribute", "wanted", "found", "state", "since"],
            map(_cells, found),
            least=("since", "state"),
            as_csv=as_csv,
        )


@app.command()
def show(which: Which, as_json: AsJson = False) -> None:
    """One finding with everything known about it."""
    with failures_shown():
        desk = open_desk()
        finding = find_finding(desk, Scope.all(), which)
        by = changed_by(desk, Scope.all(), finding)
        if as_json:
            print_json({name: getattr(finding, name) for name in finding.__slots__} | {"changed_by": by})
            return
        print_table(["", ""], _lines(finding, by))


@app.command()
def accept(which: Which, reason: Reason, as_json: AsJson = False) -> None:
    """What was found is wanted from now on (names, e-mail, profile, branch, team, data access), or left alone
    until it changes (a missing or switched-off user, strangers in groups of ours)."""
    with failures_shown():
        desk = open_desk()
        found = decide.accept(desk, find_finding(desk, Scope.all(), which).id, actor(reason))
        if as_json:
            print_json(found)
            return
        say(f"{found.what} of {found.subject.who} is accepted: {shown(found.found)}")


@app.command()
def repair(which: Which, reason: Reason, as_json: AsJson = False) -> None:
    """Have the workers bring the account to what is wanted. A missing user is made anew."""
    with failures_shown():
        desk = open_desk()
        found = decide.repair(desk, find_finding(desk, Scope.all(), which).id, actor(reason))
        if as_json:
            print_json(found)
            return
        say(f"the workers look at {found.subject.who} now")


def _follow(desk: Desk, asked: Comparison, timeout: int) -> Comparison:
    """Show how far it is until it has ended. Leaves with exit code 1 if no worker can begin it, or if the time is
    up."""
    until = time.monotonic() + timeout
    with errors.status(f"waiting for the {asked.kind} to begin …") as status:
        while True:
            now = comparison_view(desk, Scope.all(), asked.id)
            if now.ended:
                return now.comparison
            if now.waits is not None:
                stop(f"the {asked.kind} is asked for and has not begun: {now.waits}")
            if time.monotonic() > until:
                stop(f"the {asked.kind} is not over after {timeout} s and goes on: fsm-identity drift status")
            if now.comparison.state == "running":
                status.update(f"{asked.kind}: {_read_so_far(now.comparison)}")
            time.sleep(LOOK_EVERY_SECONDS)


def _read_so_far(done: Comparison) -> str:
    counts = done.counts
    return f"{counts.users} users, {counts.memberships} memberships of {counted(counts.accounts, 'account')}"


def _print_comparison(done: Comparison) -> None:
    counts = done.counts
    since = "asked for at" if done.state == "asked" else "running since"
    ended = f"{done.state} {shown(done.finished_at)}" if done.finished_at else f"{since} {shown(done.started_at)}"
    screen.line(f"{done.kind} by {done.by}: {ended}; {_read_so_far(done)}; {counts.foreign_users} not ours")
    screen.line(
        f"  {counts.looked_at} looked at singly, {counts.differing} differ, {counts.repairs} to repair, "
        f"{counts.left_out} left for the next one"
    )
    if done.error:
        screen.line(f"  {done.error_kind}: {done.error}")


def _cells(finding: Finding) -> list[object]:
    return [
        finding.id[-ENDING:],
        finding.subject.who,
        finding.what,
        finding.wanted,
        finding.found,
        _state(finding),
        finding.first_seen_at,
    ]


def _state(finding: Finding) -> str:
    if finding.state == "open" and finding.undone is not None:
        return "comes back"
    asked = finding.state == "open" and finding.repair_asked_at is not None
    return "being repaired" if asked else finding.state


def _in_vain(finding: Finding) -> str | None:
    if finding.undone is None:
        return None
    times = ", ".join(shown(at) for at in finding.undone.at)
    return f"{times}; undone by {finding.undone.by or 'something no event tells of'}"


def _lines(finding: Finding, by: Collection[Touch]) -> list[list[object]]:
    return [
        ["finding", finding.id],
        ["who", finding.subject.who],
        ["account", finding.subject.account_id],
        ["Keycloak user", finding.subject.idp_user_id],
        ["attribute", finding.what],
        ["wanted", finding.wanted],
        ["found", finding.found],
        ["changed in Keycloak by", "\n".join(map(str, by)) or "not known"],
        ["reaction", finding.reaction],
        ["repaired in vain", _in_vain(finding)],
        ["state", _state(finding)],
        ["first seen", finding.first_seen_at],
        ["last seen", finding.last_seen_at],
        ["handed to the workers", finding.repair_asked_at],
        ["decided by", finding.decision],
        ["ended", finding.closed_at],
    ]
