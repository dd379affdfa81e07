"""`fsm-identity realm`: the realm as code (C8). `plan` and `drift` only look; `apply` shows, asks, and does.

It goes by the mapping files in force and by no others: older ones would undo what was adopted since."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from mappings import load
from mappings.policy import Policy
from sync.commands.operations.watch import look_at_realm_soon
from sync.commands.realm import decide_take_over
from sync.domain.errors import Failure, Misconfigured
from sync.domain.realm.difference import (
    Create,
    RealmDifference,
    RealmPlan,
    Remove,
    Update,
    counts,
    record,
)
from sync.domain.runs.fingerprint import is_named
from sync.domain.runs.guard import Hold
from sync.domain.wording import counted
from sync.entrypoints.cli.terminal.output import (
    AsJson,
    Reason,
    actor,
    failures_shown,
    print_json,
    say,
    screen,
    stop,
    warn,
)
from sync.realm import plan as realm_as_code
from sync.realm.plan import Reach
from sync.settings import Settings, load_settings
from sync.views.mappings import NONE_IN_FORCE, InForce, warn_of_other_files
from sync.wiring.doors import adopted_policy, open_desk, open_operator_desk
from sync.wiring.realm import RealmDesk, open_realm_desk

app = typer.Typer(no_args_is_help=True)

ADMINISTRATOR = "FSM_BOOTSTRAP_ADMIN_USERNAME"
PASSWORD = "FSM_BOOTSTRAP_ADMIN_PASSWORD"  # noqa: S105 - the name of a variable
ONLY_A_PLAN = "these mapping files are not those in force: apply goes by them once they are adopted"


Details = Annotated[bool, typer.Option("--details", help="Show lines whole, however wide the terminal is.")]


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
        _print(done, details=True)
        say(f"realm {settings.keycloak.realm} can be configured: fsm-identity realm plan")


@app.command()
def plan(
    folder: Annotated[
        Path | None, typer.Argument(help="Mapping files to look ahead with; else those in force.")
    ] = None,
    details: Details = False,
    as_json: AsJson = False,
) -> None:
    """Show what apply would change, and whom it takes something from. Changes nothing; exit code 1 only when it
    could not look.

    Before any mapping files are in force it goes by those of this machine, and so it does with a folder.
    """
    with failures_shown():
        settings = load_settings()
        desk, known = open_realm_desk(settings), adopted_policy(settings)
        policy = load(folder or settings.mappings_folder) if folder or known is None else known.policy
        if known is None:
            warn(NONE_IN_FORCE)
        elif policy.fingerprint != known.policy.fingerprint:
            warn(ONLY_A_PLAN)
        found = realm_as_code.plan(desk.realm, policy, desk.options)
        _show(found, details=details, as_json=as_json)
        if not as_json:
            _tell_reach(_reach(desk, policy, found, known))


@app.command()
def drift(details: Details = False, as_json: AsJson = False) -> None:
    """Like plan, for a scheduled check: exit code 1 when somebody has to look: the realm is not as wanted, has a
    way around the second factor, or does something to users that realm.toml does not know."""
    with failures_shown():
        settings = load_settings()
        known = _in_force(settings)
        desk = open_realm_desk(settings)
        found = realm_as_code.plan(desk.realm, known.policy, desk.options)
        _show(found, details=details, as_json=as_json)
        if not found.in_order:
            raise typer.Exit(1)


@app.command()
def apply(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    reviewed: Annotated[
        str | None,
        typer.Option("--plan", help="Fingerprint of the plan that was reviewed; refused if it has changed."),
    ] = None,
    details: Details = False,
) -> None:
    """Bring the realm to what the mapping files in force say. A second apply has nothing to change.

    What takes something from more accounts than guard.toml allows needs --plan, or the number typed in.
    """
    with failures_shown():
        settings = load_settings()
        known = _in_force(settings)
        warn_of_other_files(known, settings.mappings_folder)
        desk = open_realm_desk(settings)
        found = realm_as_code.plan(desk.realm, known.policy, desk.options)
        if reviewed is not None and not is_named(found.fingerprint, reviewed):
            stop(f"the plan is no longer {reviewed}, it is {found.fingerprint[:12]}: look at it again")
        _show(found, details=details, as_json=False)
        if not found.differences:
            return
        _ask_about_reach(_reach(desk, known.policy, found, known), found, reviewed, yes=yes)
        if not yes:
            typer.confirm(f"Make {counted(len(found.differences), 'change')} in Keycloak?", abort=True)
        if _in_force(settings).number != known.number:
            stop("other mapping files have come into force meanwhile; nothing was done: look at the plan again")
        realm_as_code.apply(desk.realm, known.policy, found, _tell)
        say(f"{counted(len(found.differences), 'change')} made")
        _have_it_looked_at()


@app.command("take-over")
def take_over(
    installation: Annotated[str, typer.Argument(metavar="ID", help="Whose realm it is now, as realm plan says.")],
    reason: Reason,
) -> None:
    """Make the realm of another installation ours: from then on the workers of our database write there, and those
    of the other one no more. Look at `realm plan` after it, and apply that."""
    with failures_shown():
        settings = load_settings()
        desk, realm = open_desk(settings), open_realm_desk(settings)
        ours = str(realm.options.installation)
        realm_as_code.refuse_take_over(realm.realm, installation, ours)
        decide_take_over(desk, settings.keycloak.realm, installation, ours, actor(reason))
        realm_as_code.take_over(realm.realm, installation, ours)
        say(f"realm {settings.keycloak.realm} is ours now: fsm-identity realm plan")
        _have_it_looked_at()


def _have_it_looked_at() -> None:
    """Before our database is there, or while it is away, nobody was told anything that would be over now."""
    with suppress(Failure):
        look_at_realm_soon(open_operator_desk())


def _in_force(settings: Settings) -> InForce:
    """Raises Misconfigured where nothing was adopted yet."""
    known = adopted_policy(settings)
    if known is None:
        raise Misconfigured(NONE_IN_FORCE)
    return known


def _reach(desk: RealmDesk, policy: Policy, found: RealmPlan, known: InForce | None) -> Reach:
    """By the limits in force: files cannot lift the limits that they exceed themselves."""
    return realm_as_code.reach(desk.realm, policy, found, (policy if known is None else known.policy).guard)


def _tell_reach(reach: Reach) -> None:
    for line in reach.lines:
        warn(line)
    if isinstance(reach.verdict, Hold):
        for reason in reach.verdict.reasons:
            warn(f"needs --plan: {reason}")


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


def _show(found: RealmPlan, *, details: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "fingerprint": found.fingerprint,
                "differences": [record(each) for each in found.differences],
                "findings": found.findings,
            }
        )
        return
    _print(found, details=details)
    if found.differences:
        number = counts(found)
        screen.line(
            f"{number['create']} to create, {number['change']} to change, {number['remove']} to remove; "
            f"plan {found.fingerprint[:12]}"
        )
    else:
        say("nothing to change")


def _print(found: RealmPlan, *, details: bool = False) -> None:
    """A difference a line, and each change of something below it. What a new thing holds ends with the line of a
    terminal, unless `details` are wanted."""
    width = None if details else screen.width
    cut = False
    for difference in found.differences:
        text = _named(difference) if isinstance(difference, Update) else str(difference)
        if width is not None and len(text) > width:
            text, cut = f"{text[: width - 2]} …", True
        screen.line(text)
        if isinstance(difference, Update):
            for detail in difference.details:
                screen.line(f"    {detail}")
    if cut:
        warn("lines that end in … go on: --details shows them whole")
    for finding in found.findings:
        warn(finding)


def _named(difference: RealmDifference) -> str:
    """What is made, changed or removed, without what it holds."""
    match difference:
        case Create(item=item):
            return f"+ {item}"
        case Update(kind=kind, name=name):
            return f"~ {kind} {name}"
        case Remove():
            return str(difference)


def _tell(difference: RealmDifference) -> None:
    screen.line(f"  {_named(difference)}")
