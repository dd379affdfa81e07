"""`fsm-identity account`: list, show, create, change, deactivate and reactivate accounts.

Every change is a command to the database; the workers carry it to Keycloak. `--wait` watches them do it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated

import typer

from mappings.attributes import OPTIONS
from sync.commands.accounts.change import change_account, create_account
from sync.commands.accounts.initial_password import InitialPassword, generate
from sync.commands.deactivation.deactivate import deactivate_account, reactivate_account
from sync.desk import Desk
from sync.domain.access.cause import Cause
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.attribute_values import read_attributes
from sync.domain.accounts.change import UNSET, AccountChange, NewAccount, Unset, with_attributes
from sync.domain.accounts.named import keys_named, known_keys
from sync.domain.dates import said
from sync.domain.deactivation.gate import GatePolicy
from sync.domain.errors import Problem, Refused
from sync.entrypoints.cli import acts
from sync.entrypoints.cli.accounts.account_view import print_account, print_accounts
from sync.entrypoints.cli.accounts.open_work import Policy, Yes, confirm_force
from sync.entrypoints.cli.accounts.person import Who, the_account
from sync.entrypoints.cli.terminal.output import (
    AsCsv,
    AsJson,
    Limit,
    Reason,
    actor,
    failures_shown,
    print_work_orders,
    say,
)
from sync.entrypoints.cli.waiting import Timeout, Wait, wait_for, wait_for_look
from sync.store.accounts.query import AccountQuery
from sync.wiring.doors import open_desk

app = typer.Typer(no_args_is_help=True)
app.add_typer(acts.app)

Text = Annotated[str | None, typer.Option()]
FirstDay = Annotated[
    str | None, typer.Option("--valid-from", metavar="DAY", help="The first day, as in 2026-12-01; - for none.")
]
LastDay = Annotated[
    str | None, typer.Option("--valid-until", metavar="DAY", help="The last day, as in 2026-12-31; - for no end.")
]
Attributes = Annotated[
    list[str] | None,
    typer.Option(
        "--attribute",
        metavar="KEY=VALUE",
        help="An attribute of attributes.toml; may be given several times. An empty value takes it away.",
    ),
]


@app.command("list")
def list_(
    text: Annotated[
        str | None, typer.Argument(help="Part of a name, username, e-mail, employee number or technician id.")
    ] = None,
    profile: Text = None,
    branch: Text = None,
    team: Text = None,
    attribute: Attributes = None,
    inactive: Annotated[bool | None, typer.Option("--inactive/--active", help="Only these.")] = None,
    unlinked: Annotated[bool, typer.Option(help="Only field workers without a technician.")] = False,
    held: Annotated[bool, typer.Option(help="Only those that wait for open work orders.")] = False,
    quarantined: Annotated[bool, typer.Option(help="Only those that need a person.")] = False,
    locked: Annotated[bool, typer.Option(help="Only whom Keycloak's lockout keeps out now.")] = False,
    bounced: Annotated[bool, typer.Option(help="Only those whose mails come back.")] = False,
    limit: Limit = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List accounts with their status. Profile, branch and team go by key, title or alias."""
    with failures_shown():
        desk = open_desk()
        keys = keys_named(desk.policy, named(profile=profile, branch=branch, team=team))
        query = AccountQuery(
            text=text,
            profile=keys.get("profile"),
            branch=keys.get("branch"),
            team=keys.get("team"),
            life=None if inactive is None else (Life.INACTIVE if inactive else Life.ACTIVE),
            attributes=looked_for(desk, attribute),
            unlinked_profiles=field_work(desk) if unlinked else None,
            held=held or None,
            bounced=bounced or None,
            quarantined=quarantined or None,
            locked_at=desk.clock.now() if locked else None,
        )
        print_accounts(desk, query, limit, as_json=as_json, as_csv=as_csv)


@app.command()
def show(
    who: Who,
    as_json: AsJson = False,
) -> None:
    """Show one account: wanted, observed, and the timeline. A worker is asked to look at it in Keycloak first,
    which changes nothing there; if none has within 2 s, its last look is shown."""
    with failures_shown():
        desk = open_desk()
        account = the_account(desk, who, by_part=True)
        missed = None if account.idp_user_id is None else wait_for_look(desk, account.id)
        print_account(desk, account, missed=missed, as_json=as_json)


@app.command("create")
def create_(
    email: Annotated[str, typer.Option()],
    given_name: Annotated[str, typer.Option()],
    family_name: Annotated[str, typer.Option()],
    profile: Annotated[str, typer.Option()],
    reason: Reason,
    username: Text = None,
    branch: Text = None,
    team: Text = None,
    data_access: Text = None,
    technician: Text = None,
    employee_number: Text = None,
    valid_from: FirstDay = None,
    valid_until: LastDay = None,
    attribute: Attributes = None,
    mail: Annotated[bool, typer.Option(help="Mail the password instead of showing it here.")] = False,
    even_if_similar: Annotated[bool, typer.Option(help="Create although a similar account exists.")] = False,
    wait: Wait = True,
    timeout: Timeout = 60,
) -> None:
    """Create an account with a temporary password that must be changed at the first login. Before the first day
    nobody logs in with it; one that is far away needs --mail, which goes shortly before."""
    with failures_shown():
        desk = open_desk()
        attributes, wrong = attributes_of(desk, [*(attribute or ()), *days(valid_from, valid_until)])
        access = named(profile=profile, branch=branch, team=team, data_access=data_access)
        keys, unknown = known_keys(desk.policy, access)
        new = NewAccount(
            email=email,
            given_name=given_name,
            family_name=family_name,
            technician_id=technician,
            employee_number=employee_number,
            username=username,
            **with_attributes({**attributes, **keys}),
        )
        password = InitialPassword(generate(), "mail" if mail else "shown")
        by = actor(reason)
        account = create_account(desk, new, by, password, even_if_similar=even_if_similar, also=(*wrong, *unknown))
        begins = "" if account.valid_from is None else f", from {said(account.valid_from, desk.clock.now())}"
        say(f"{account.username} is stored ({account.id}){begins}")
        in_place = False
        try:
            if wait:
                wait_for(desk, account, timeout)
                in_place = True
        finally:
            if not mail:
                _tell_password(desk, account, by, in_place=in_place)


def _tell_password(desk: Desk, account: Account, by: Cause, *, in_place: bool) -> None:
    """Nobody reads one aloud that opens nothing, of an account that Keycloak may refuse."""
    if in_place:
        say(f"temporary password, shown once: {acts.taken(desk, account, by)}")
    else:
        say(f"the temporary password is shown once it is in place: {acts.show_later(account)}")


@app.command("change")
def change_(
    who: Who,
    reason: Reason,
    username: Text = None,
    email: Text = None,
    given_name: Text = None,
    family_name: Text = None,
    profile: Text = None,
    branch: Text = None,
    team: Annotated[str | None, typer.Option(help="A team, or - for none.")] = None,
    data_access: Annotated[str | None, typer.Option(help="A level, or - for the profile's own.")] = None,
    employee_number: Annotated[str | None, typer.Option(help="A number, or - for none.")] = None,
    valid_from: FirstDay = None,
    valid_until: LastDay = None,
    attribute: Attributes = None,
    policy: Policy = GatePolicy.REFUSE,
    yes: Yes = False,
    wait: Wait = True,
    timeout: Timeout = 60,
) -> None:
    """Change what is named; everything else stays. The policy is for a profile without field work: refuse the
    change while work orders are open, hold it until they are done, or force it."""
    with failures_shown():
        desk = open_desk()
        attributes, wrong = attributes_of(desk, [*(attribute or ()), *days(valid_from, valid_until)])
        account = the_account(desk, who)
        access = named(profile=profile, branch=branch, team=team, data_access=data_access)
        taken_away = {field: None for field, name in access.items() if name == "-" and field != "profile"}
        given = {field: name for field, name in access.items() if field not in taken_away}
        keys, unknown = known_keys(desk.policy, given, None if "branch" in taken_away else account.branch)
        wanted = AccountChange(
            username=mentioned(username),
            email=mentioned(email),
            given_name=mentioned(given_name),
            family_name=mentioned(family_name),
            employee_number=none_by_dash(employee_number),
            **with_attributes({**attributes, **keys, **taken_away}),
        )
        if wanted == AccountChange() and not wrong:
            raise Refused([Problem("", "nothing to change was named", "see fsm-identity account change --help")])
        if policy is GatePolicy.FORCE:
            confirm_force(desk, account, f"Change {account.full_name} now, whatever is open?", yes=yes)
        changed = change_account(desk, account.id, wanted, actor(reason), policy, also=(*wrong, *unknown))
        if not changed.stored:
            say(f"{account.username} is like that already")
            return
        say(f"{changed.account.username}: the change is stored")
        if changed.work_orders:
            print_work_orders(changed.work_orders, title="Open work orders")
        if wait:
            wait_for(desk, changed.account, timeout)


MEANT = {
    GatePolicy.REFUSE: "and refused if work orders come in before it is done",
    GatePolicy.HOLD: "and held while work orders are open",
    GatePolicy.FORCE: "whatever is open",
}


@app.command()
def deactivate(
    who: Who,
    reason: Reason,
    policy: Policy = GatePolicy.REFUSE,
    yes: Yes = False,
    wait: Wait = True,
    timeout: Timeout = 60,
) -> None:
    """Take all access away: disabled in Keycloak, sessions and offline tokens ended. Nothing is deleted."""
    with failures_shown():
        desk = open_desk()
        account = the_account(desk, who)
        if policy is GatePolicy.FORCE:
            question = f"End the access of {account.full_name} now, whatever is open?"
            confirm_force(desk, account, question, yes=yes)
        work_orders = deactivate_account(desk, account.id, policy, actor(reason))
        say(f"{account.username}: deactivation is stored, {MEANT[policy]}")
        if work_orders:
            print_work_orders(work_orders, title="Open work orders")
        if wait:
            wait_for(desk, replace(account, life=Life.INACTIVE), timeout)


@app.command("reactivate")
def reactivate_(who: Who, reason: Reason, wait: Wait = True, timeout: Timeout = 60) -> None:
    """Give access back, with the profile, branch, team and technician link there were; also calls off a hold."""
    with failures_shown():
        desk = open_desk()
        account = the_account(desk, who)
        active = reactivate_account(desk, account.id, actor(reason))
        say(f"{account.username}: reactivation is stored")
        if wait:
            wait_for(desk, active, timeout)


def attributes_of(
    desk: Desk, given: Sequence[str] | None
) -> tuple[dict[str, str | date | None], tuple[Problem, ...]]:
    """What `--attribute` says, by key, and what is wrong with it."""
    unnamed = [Problem("attribute", f"{each!r} is not KEY=VALUE") for each in given or () if "=" not in each]
    texts = dict(each.partition("=")[::2] for each in given or () if "=" in each)
    found, problems = read_attributes(desk.policy, texts)
    return found, (*unnamed, *problems)


def days(valid_from: str | None, valid_until: str | None) -> list[str]:
    """Options of their own for attributes that many have."""
    given = named(valid_from=valid_from, valid_until=valid_until)
    return [f"{key}={'' if day == '-' else day}" for key, day in given.items()]


def looked_for(desk: Desk, given: Sequence[str] | None) -> dict[str, str]:
    """What `--attribute` says of accounts that are to be found: of attributes of the company alone."""
    found, problems = attributes_of(desk, given)
    wrong = {key for key, value in found.items() if value is None or key not in desk.policy.attributes}
    wrong |= {problem.field for problem in problems} & OPTIONS.keys()
    told = [problem for problem in problems if problem.field not in wrong]
    told += [Problem(key, "cannot be looked for", "name an attribute and a value") for key in sorted(wrong)]
    if told:
        raise Refused(told)
    return {key: str(value) for key, value in found.items()}


def field_work(desk: Desk) -> frozenset[str]:
    return frozenset(key for key, profile in desk.policy.profiles.items() if profile.field_work)


def named(**given: str | None) -> dict[str, str]:
    """What was typed, without what was not."""
    return {field: name for field, name in given.items() if name is not None}


def mentioned(value: str | None) -> str | Unset:
    return UNSET if value is None else value


def none_by_dash(value: str | None) -> str | Unset | None:
    if value is None:
        return UNSET
    return None if value == "-" else value
