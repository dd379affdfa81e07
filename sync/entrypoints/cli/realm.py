"""`fsm-identity realm`: the realm as code (C8). `plan` and `drift` only look; `apply` shows, asks, and does."""

from __future__ import annotations

import os
from textwrap import shorten
from typing import Annotated

import typer

from mappings.policy import Policy
from sync.domain.realm.difference import RealmDifference, RealmPlan, Update, counts, record
from sync.domain.runs.fingerprint import is_named
from sync.domain.runs.guard import Hold
from sync.domain.wording import counted
from sync.entrypoints.cli.output import AsJson, errors, failures_shown, print_json, say, stop
from sync.realm import plan as realm_as_code
from sync.realm.plan import Reach
from sync.settings import load_settings
from sync.wiring.doors import adopted_policy
from sync.wiring.realm import RealmDesk, open_realm_desk

app = typer.Typer(help="The Keycloak realm, as the mapping files want it.", no_args_is_help=True)

ADMINISTRATOR = "FSM_BOOTSTRAP_ADMIN_USERNAME"
LONGEST_LINE = 150
LONGEST_STEP = 80
PASSWORD = "FSM_BOOTSTRAP_ADMIN_PASSWORD"  # noqa: S105 - the name of a variable
NOT_IN_FORCE = "these mapping files are not those in force; adopt them first: fsm-identity mappings adopt"


@app.command()
def bootstrap() -> None:
    """Make the realm if it is missing, and in it the client that configures the rest. Nothing else.

    Needs an administrator of Keycloak's master realm: FSM_BOOTSTRAP_ADMIN_USERNAME and
    FSM_BOOTSTRAP_ADMIN_PASSWORD, or asked for.
    """
    with failures_shown():
        settings = load_settings()
        settings.keycloak.needed("configure_secret")
        username = os.environ.get(ADMINISTRATOR) or typer.prompt("Administrator of the master realm")
        password = os.environ.get(PASSWORD) or typer.prompt("Password", hide_input=True)
        desk = open_realm_desk(settings, administrator=(username, password))
        done = realm_as_code.bootstrap(desk.realm, desk.options)
        _print(done)
        say(f"realm {settings.keycloak.realm} can be configured: fsm-identity realm plan")


@app.command()
def plan(as_json: AsJson = False) -> None:
    """Show what apply would change, and whom it takes something from. Changes nothing; exit code 0 always."""
    with failures_shown():
        desk, found = _planned()
        _show(found, as_json=as_json)
        if not as_json:
            _tell_reach(_reach(desk, found, adopted_policy(load_settings())))


@app.command()
def drift(as_json: AsJson = False) -> None:
    """Like plan, for a scheduled check: exit code 1 when the realm is not as wanted or has a way around the
    second factor."""
    with failures_shown():
        _, found = _planned()
        _show(found, as_json=as_json)
        if not found.in_order:
            raise typer.Exit(1)


@app.command()
def apply(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    reviewed: Annotated[
        str | None,
        typer.Option("--plan", help="Fingerprint of the plan that was reviewed; refused if it has changed."),
    ] = None,
) -> None:
    """Bring the realm to what the mapping files say. A second apply has nothing to change.

    What takes something from more accounts than guard.toml allows needs --plan, or the number typed in.
    """
    with failures_shown():
        desk, found = _planned()
        if reviewed is not None and not is_named(found.fingerprint, reviewed):
            stop(f"the plan is no longer {reviewed}, it is {found.fingerprint[:12]}: look at it again")
        _show(found, as_json=False)
        if not found.differences:
            return
        in_force = adopted_policy(load_settings())
        if in_force is not None and in_force.fingerprint != desk.policy.fingerprint:
            errors.print(f"! {NOT_IN_FORCE}", markup=False, soft_wrap=True)
        _ask_about_reach(_reach(desk, found, in_force), found, reviewed, yes=yes)
        if not yes:
            typer.confirm(f"Make {counted(len(found.differences), 'change')} in Keycloak?", abort=True)
        realm_as_code.apply(desk.realm, desk.policy, found, _tell)
        say(f"{counted(len(found.differences), 'change')} made")


def _reach(desk: RealmDesk, found: RealmPlan, in_force: Policy | None) -> Reach:
    """By the limits in force: files cannot lift the limits that they exceed themselves."""
    return realm_as_code.reach(desk.realm, desk.policy, found, (in_force or desk.policy).guard)


def _tell_reach(reach: Reach) -> None:
    for line in reach.lines:
        errors.print(f"! {line}", markup=False, soft_wrap=True)
    if isinstance(reach.verdict, Hold):
        for reason in reach.verdict.reasons:
            errors.print(f"! needs --plan: {reason}", markup=False, soft_wrap=True)


def _ask_about_reach(reach: Reach, found: RealmPlan, reviewed: str | None, *, yes: bool) -> None:
    """Above the limits of the guard somebody has to show that this very plan was looked at (E7)."""
    _tell_reach(reach)
    if not isinstance(reach.verdict, Hold) or reviewed is not None:
        return
    if yes:
        stop(f"look at it, then: fsm-identity realm apply --yes --plan {found.fingerprint[:12]}")
    typed = typer.prompt(f"Type how many accounts lose something ({reach.accounts})")
    if typed.strip() != str(reach.accounts):
        stop("that is another number; nothing was done")


def _planned() -> tuple[RealmDesk, RealmPlan]:
    desk = open_realm_desk(load_settings())
    return desk, realm_as_code.plan(desk.realm, desk.policy, desk.options)


def _show(found: RealmPlan, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "fingerprint": found.fingerprint,
                "differences": [record(each) for each in found.differences],
                "findings": found.findings,
            }
        )
        return
    _print(found)
    if found.differences:
        number = counts(found)
        typer.echo(
            f"{number['create']} to create, {number['change']} to change, {number['remove']} to remove; "
            f"plan {found.fingerprint[:12]}"
        )
    else:
        say("nothing to change")


def _print(found: RealmPlan) -> None:
    for difference in found.differences:
        typer.echo(_headline(difference))
        if isinstance(difference, Update):
            for detail in difference.details:
                typer.echo(f"    {detail}")
    for finding in found.findings:
        errors.print(f"! {finding}", markup=False, soft_wrap=True)


def _headline(difference: RealmDifference) -> str:
    """One line. What a new thing holds is cut short here; JSON has all of it."""
    if isinstance(difference, Update):
        return f"~ {difference.kind} {difference.name}"
    return shorten(str(difference), LONGEST_LINE, placeholder=" …")


def _tell(difference: RealmDifference) -> None:
    typer.echo(f"  {shorten(_headline(difference), LONGEST_STEP, placeholder=' …')}")
