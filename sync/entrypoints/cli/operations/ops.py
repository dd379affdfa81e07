"""`fsm-identity ops`: what an operator sees and does (H3). docs/operations.md says when to do which.

These commands need only our database: they answer while Keycloak, Redis or the mapping files are in trouble.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, NoReturn

import typer

from mappings import MappingErrors
from sync.commands import waking
from sync.commands.operations import lanes, quarantine
from sync.commands.perform import perform
from sync.domain.access.scope import Scope
from sync.domain.errors import Failure, Problem, Refused, Transient
from sync.domain.wording import counted
from sync.domain.work.lane import Lane
from sync.entrypoints.cli import mail
from sync.entrypoints.cli.accounts.person import Who, account_in
from sync.entrypoints.cli.operations import circuit, ops_view
from sync.entrypoints.cli.terminal.output import (
    AsCsv,
    AsJson,
    Reason,
    actor,
    failures_shown,
    print_json,
    say,
    warn,
)
from sync.settings import SettingsError, load_settings
from sync.store.database.transactions import Tx
from sync.store.operations import space
from sync.store.operations.troubles import Trouble
from sync.views.accounts.account import timeline_of
from sync.views.operations.quarantine import list_quarantine, quarantined
from sync.views.operations.status import operations_view
from sync.wiring.doors import OperatorDesk, open_desk, open_operator_desk, operator_desk

app = typer.Typer(no_args_is_help=True)
app.add_typer(circuit.app, name="circuit")
app.add_typer(mail.app, name="mails")

LaneArgument = Annotated[Lane, typer.Argument(help="Which work.", show_default=False)]
Kind = Annotated[Literal["conflict", "needs-person", "unsafe"] | None, typer.Option(help="Only this kind.")]


@app.command()
def status(as_json: AsJson = False) -> None:
    """Can people log in? Then what is wrong, each with its remedy, and the numbers. Exit code 1 while something is
    wrong."""
    with failures_shown():
        try:
            desk = open_operator_desk()
            depths, broker = wakes(desk)
            with desk.db.read() as tx:
                seen = operations_view(tx, Scope.all(), desk.clock.now(), redis_works=depths is not None)
        except Transient as failure:
            status_without_numbers(failure, as_json=as_json)
        full = space.troubles_of(desk.db, desk.clock.now())
        found = (*seen.login_troubles, *full, *broker, *seen.troubles, *start_troubles(desk))
        if as_json:
            print_json(ops_view.status_json(found, seen, depths))
        else:
            ops_view.print_status(found, seen, depths)
        if found:
            raise typer.Exit(1)


@app.command()
def queues(as_json: AsJson = False) -> None:
    """The lanes with their backlog, unfinished runs, jobs, mails and workers."""
    with failures_shown():
        desk = open_operator_desk()
        depths, _ = wakes(desk)
        with desk.db.read() as tx:
            seen = operations_view(tx, Scope.all(), desk.clock.now(), redis_works=depths is not None)
        if as_json:
            print_json({"figures": ops_view.figures_json(seen.figures), "wakes": ops_view.wakes_json(depths)})
            return
        ops_view.print_queues(seen.figures, depths)
        ops_view.print_runs(seen.figures)
        ops_view.print_jobs(seen.figures)
        ops_view.print_workers(seen)


@app.command("quarantine")
def quarantine_(
    who: Annotated[str | None, typer.Argument(help="One account; without it, all by code.")] = None,
    kind: Kind = None,
    every: Annotated[bool, typer.Option("--all", help="List each account, with what could not be made.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Accounts that nobody looks at before a person asks, by code."""
    with failures_shown():
        desk = open_operator_desk()
        now = desk.clock.now()
        with desk.db.read() as tx:
            if who is None and not every:
                groups = list_quarantine(tx, Scope.all(), kind)
                print_json(groups) if as_json else ops_view.print_groups(groups, now, as_csv=as_csv)
                return
            found = quarantined(tx, Scope.all(), kind)
            if who is not None:
                wanted = account_ids(tx, [who])
                found = tuple(each for each in found if each.account_id in wanted)
        print_json(found) if as_json else ops_view.print_quarantined(found, now, as_csv=as_csv)


@app.command()
def retry(
    reason: Reason,
    who: Annotated[list[str] | None, typer.Argument(help="Accounts, as `account show` finds them.")] = None,
    code: Annotated[
        str | None, typer.Option(help="All with this code, as `ops quarantine` shows it.", show_default=False)
    ] = None,
    kind: Kind = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are in quarantine.")] = False,
    as_json: AsJson = False,
) -> None:
    """Try accounts in quarantine again, once what stopped them is mended. Exit code 1 if none was there."""
    with failures_shown():
        if not (who or code or kind or everything):
            raise Refused([Problem("", "nothing was named", "name accounts, --code, --kind or --all")])
        desk = open_operator_desk()
        by = actor(reason)

        def command(tx: Tx) -> int:
            ids = account_ids(tx, who) if who else None
            return quarantine.retry(tx, desk.policy, by, desk.clock.now(), account_ids=ids, kind=kind, code=code)

        tried = perform(desk, command, wakes=Lane.INTERACTIVE)
        circuit.wake_all(desk)
        if as_json:
            print_json({"tried": tried})
        elif tried:
            say(f"{counted(tried, 'account')} will be tried again; see fsm-identity ops quarantine")
        if not tried:
            raise Refused([Problem("", "none of them is in quarantine", "see fsm-identity ops quarantine")])


@app.command()
def timeline(who: Who, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Everything that happened to one account, in the order of time."""
    with failures_shown(), open_operator_desk().db.read() as tx:
        entries = timeline_of(tx, Scope.all(), account_in(tx, who, by_part=True).id)
        print_json(entries) if as_json else ops_view.print_timeline(entries, as_csv=as_csv)


@app.command()
def pause(lane: LaneArgument, reason: Reason, as_json: AsJson = False) -> None:
    """Begin nothing more of a lane until `resume`. What a worker holds already it finishes."""
    with failures_shown():
        desk = open_operator_desk()
        by = actor(reason)
        changed = perform(desk, lambda tx: lanes.pause(tx, desk.policy, lane, by, desk.clock.now()), wakes=None)
        if not changed:
            raise Refused([Problem("lane", f"{lane.value} is paused already", "see fsm-identity ops status")])
        if lane is Lane.INTERACTIVE:
            warn("until it goes on nobody is locked out: deactivations wait too")
        if as_json:
            print_json({"lane": lane, "paused": True})
        else:
            say(f"{lane.value} is paused; go on with: fsm-identity ops resume {lane.value} --reason …")


@app.command()
def resume(lane: LaneArgument, reason: Reason, as_json: AsJson = False) -> None:
    """Let a paused lane go on."""
    with failures_shown():
        desk = open_operator_desk()
        by = actor(reason)
        changed = perform(desk, lambda tx: lanes.resume(tx, desk.policy, lane, by, desk.clock.now()), wakes=lane)
        if not changed:
            raise Refused([Problem("lane", f"{lane.value} is not paused", "see fsm-identity ops status")])
        if as_json:
            print_json({"lane": lane, "paused": False})
        else:
            say(f"{lane.value} goes on")


def status_without_numbers(failure: Transient, *, as_json: bool) -> NoReturn:
    """Our database cannot even be read: that, and what can be known without it."""
    depths, broker = wakes(operator_desk(load_settings()))
    found = (space.of_failure(failure), *broker)
    if as_json:
        unknown = {"login": None, "figures": None}
        print_json(unknown | {"troubles": list(found), "wakes": ops_view.wakes_json(depths)})
    else:
        ops_view.print_troubles(found)
        ops_view.line(
            "whether people can log in, and the numbers, is in our database, which cannot be read just now"
        )
    raise typer.Exit(1)


def wakes(desk: OperatorDesk) -> tuple[ops_view.Depths, tuple[Trouble, ...]]:
    """The queues of the broker, or what is wrong with it: an outage of Redis must not blind an operator."""
    try:
        return desk.queue_depths(), ()
    except Failure as failure:
        remedy = f"{waking.REMEDY}; docs/operations.md, 'Redis is away'"
        return None, (Trouble(f"workers cannot be woken: {failure}", None, remedy),)


def start_troubles(desk: OperatorDesk) -> tuple[Trouble, ...]:
    """What would keep every process of ours from starting, such as a mapping file that drops a used key, or
    none in force at all."""
    try:
        open_desk(desk.settings)
    except (Failure, SettingsError, MappingErrors) as error:
        return (
            Trouble(str(error), None, "mend it before a process is started anew; docs/operations.md, 'Bad input'"),
        )
    return ()


def account_ids(tx: Tx, wanted: Sequence[str]) -> frozenset[str]:
    """Raises NotFound or Refused, naming which was not understood."""
    return frozenset(account_in(tx, who).id for who in wanted)
