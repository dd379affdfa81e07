"""`fsm-identity adopt`: users that were in Keycloak before us become users of accounts, after a review (G4)."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from typing import Annotated

import typer

from sync.commands.acts import release_user
from sync.commands.adoption import ask_plan, confirm
from sync.commands.perform import perform
from sync.desk import Desk
from sync.domain.access.scope import Scope
from sync.domain.acts import ActState
from sync.domain.wording import counted
from sync.domain.work.lane import Lane, worker_command
from sync.entrypoints.cli.accounts.person import Who, the_account
from sync.entrypoints.cli.runs.run_view import FINGERPRINT, SHORT, plain
from sync.entrypoints.cli.terminal.output import (
    AsJson,
    Reason,
    actor,
    failures_shown,
    print_json,
    print_table,
    say,
    screen,
    stop,
    warn,
)
from sync.entrypoints.cli.waiting import LOOK_EVERY_SECONDS, Stops, Timeout, Wait, wait_for_act
from sync.store.runs.run_rows import RunRow
from sync.views.operations.status import lane_is_served
from sync.views.runs import RunView, find_run, run_view
from sync.wiring.doors import open_desk

app = typer.Typer(no_args_is_help=True)


@app.command()
def plan(
    reason: Reason,
    employee_number_attribute: Annotated[
        str | None,
        typer.Option(help="The user attribute that holds the employee number; reads all attributes, slowly."),
    ] = None,
    lost_accounts: Annotated[
        bool,
        typer.Option(
            help="Users whose accounts our database lost, as after a restore, and no others; reads all attributes."
        ),
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until a worker has made the plan.")] = True,
    timeout: Timeout = 1800,
    as_json: AsJson = False,
) -> None:
    """Propose an account for each user that is not ours: matches, and conflicts. Changes nothing. A worker reads
    Keycloak."""
    with failures_shown():
        desk = open_desk()
        asked = ask_plan(desk, actor(reason), employee_number_attribute, lost_accounts=lost_accounts)
        short = asked.id[-SHORT:]
        if not wait:
            if as_json:
                print_json({"run": plain(asked)})
            else:
                say(f"the plan is asked for; look at it: fsm-identity runs show {short} --all")
            return
        seen = _follow(desk, asked.id, {"asked"}, timeout)
        run, foreign = seen.run, seen.run.counts.get("foreign", 0)
        if run.state == "asked":
            stop(f"no plan after {timeout} s; it goes on alone: fsm-identity runs show {short} --all")
        if run.state == "refused":
            stop(f"it cannot be planned: {run.options['failure']}")
        if as_json:
            print_json({"run": plain(run), "rows": seen.rows, "foreign": foreign})
            return
        _print(seen.rows)
        stay = "user matches no account and stays as it is"
        more = "users match no account and stay as they are"
        if not lost_accounts:
            screen.line(f"{foreign} {stay if foreign == 1 else more}")
        if not seen.rows and lost_accounts:
            say("no user carries the mark of an account that our database does not have")
            return
        say(
            "nothing is changed yet; to adopt them: "
            f"fsm-identity adopt apply {short} --plan {run.fingerprint[:FINGERPRINT]} --reason …"
        )


@app.command()
def apply(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, the end of it, or 'last'.")],
    reviewed: Annotated[str, typer.Option("--plan", help="Fingerprint of the plan that was looked at.")],
    reason: Reason,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until each row is done.")] = True,
    timeout: Timeout = 600,
    as_json: AsJson = False,
) -> None:
    """Adopt every match of the plan. The workers then bring these users to what is wanted of their accounts."""
    with failures_shown():
        desk = open_desk()
        confirmed = confirm(desk, find_run(desk, Scope.all(), run, kind="adoption").id, reviewed, actor(reason))
        if not wait:
            if as_json:
                print_json({"run": plain(confirmed)})
            else:
                say(f"it is stored; see how far it is: fsm-identity runs show {confirmed.id[-SHORT:]} --all")
            return
        seen = _follow(desk, confirmed.id, {"confirmed", "applying"}, timeout)
        if as_json:
            print_json(seen.rows)
        else:
            _print(seen.rows)
            say(f"{counted(seen.progress.applied, 'user')} adopted")
        if seen.progress.pending:
            stop(f"{counted(seen.progress.pending, 'row')} not done after {timeout} s; it goes on alone")


@app.command()
def release(who: Who, reason: Reason, wait: Wait = True, timeout: Timeout = 60, as_json: AsJson = False) -> None:
    """Let go of a user that was adopted by mistake: it loses our groups, our mark and the link to the account. Its
    names stay as they are. The account gets a user of its own, and an active one a new password by mail."""
    with failures_shown():
        desk = open_desk()
        account = the_account(desk, who)
        by = actor(reason)
        act = perform(
            desk,
            lambda tx: release_user(tx, desk.policy, account.id, by, desk.clock.now()),
            wakes=Lane.INTERACTIVE,
        )
        user = act.idp_user_id
        if wait:
            act = wait_for_act(desk, act, timeout)
        if act.state is ActState.FAILED:
            stop(f"Keycloak user {user} stays that of {account.username}: {act.outcome}")
        if act.is_open and wait:
            stop(f"Keycloak user {user} is not let go of after {timeout} s; it goes on alone")
        if as_json:
            released = None if act.is_open else user
            print_json({"account_id": account.id, "username": account.username, "released": released})
        elif act.is_open:
            say(f"it is stored that Keycloak user {user} is let go of")
        else:
            say(f"Keycloak user {user} is no longer that of {account.username}")


def _follow(desk: Desk, run_id: str, while_in: Collection[str], timeout: int) -> RunView:
    """Watch the run until it has left these states or the time is up. Says so if no worker serves the lane."""
    until = time.monotonic() + timeout
    with desk.db.read() as tx:
        served = lane_is_served(tx, Scope.all(), Lane.RECONCILE, desk.clock.now())
    if not served:
        lane = Lane.RECONCILE
        warn(f"no worker serves the lane {lane}: it waits for one; start it: {worker_command(lane)}")
    stops = Stops(desk, Lane.RECONCILE)
    with screen.status("waiting for a worker …") as status:
        while True:
            with desk.db.read() as tx:
                seen = run_view(tx, Scope.all(), run_id)
            if seen.run.state not in while_in or time.monotonic() >= until:
                return seen
            done = f"{seen.progress.total - seen.progress.pending} of {seen.progress.total} rows"
            read = f"{seen.run.counts.get('read', 0)} users read"
            status.update(read if seen.run.state == "asked" else done)
            stops.tell()
            time.sleep(LOOK_EVERY_SECONDS)


def _print(rows: Iterable[RunRow]) -> None:
    print_table(
        ["user", "e-mail", "matches by", "account", "what"],
        [
            [
                row.original["username"],
                row.original["email"],
                ", ".join(row.messages["matched_by"]),
                row.account_id,
                row.result_message or row.result or "; ".join(row.messages["errors"]) or row.messages["does"],
            ]
            for row in rows
        ],
    )
