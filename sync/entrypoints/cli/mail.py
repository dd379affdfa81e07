"""`fsm-identity ops mails`: mails that did not go, and sending them again (F7, H3)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sync.commands import mail as mail_commands
from sync.commands.mail import Returned
from sync.commands.perform import perform
from sync.domain.access.scope import Scope
from sync.domain.errors import Problem, Refused
from sync.domain.wording import counted
from sync.domain.work.lane import Lane
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
)
from sync.settings import load_settings
from sync.store.mail.failed_mails import FailedMail
from sync.views.mail import failed, require_known, unreachable
from sync.wiring.doors import open_operator_desk
from sync.wiring.letters import KINDS, LANGUAGES, Templates, example_of, origins, templates_in, templates_of

app = typer.Typer(help="Mails that failed or expired.")

ON_SCREEN = 200
"""So many mails are listed for people who name no limit."""

Folder = Annotated[Path | None, typer.Option(help="Of your own mails, instead of the one that the settings name.")]

ENDING = 8
"""So much of an id tells mails apart, and can be typed."""


@app.callback(invoke_without_command=True)
def every(context: typer.Context, limit: Limit = None, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Mails that failed or expired, the newest first, and what to do. None is sent again by itself."""
    if context.invoked_subcommand is not None:
        return
    with failures_shown():
        desk = open_operator_desk()
        limit = lines_wanted(limit, ON_SCREEN, for_program=as_json or as_csv)
        with desk.db.read() as tx:
            found = first_of(failed(tx, Scope.all(), desk.clock.now(), one_more(limit)), limit)
        if as_json:
            print_json(found)
            return
        print_table(
            ["mail", "username", "kind", "state", "when (UTC)", "why", "send again"],
            [
                [each.id[-ENDING:], each.username, each.kind, each.state, each.at, each.error, _advice(each)]
                for each in found
            ],
            least=("when (UTC)", "kind"),
            as_csv=as_csv,
        )
        if any(each.sendable for each in found):
            errors.line(
                "→ send again what did not leave: fsm-identity ops mails retry MAIL… --reason … (a wrong address "
                "first: account change WHO --email …)",
            )
        if found:
            errors.line(
                "→ give a new password: fsm-identity account reset-password WHO --mail --reason …",
            )


@app.command()
def retry(
    reason: Reason,
    which: Annotated[list[str] | None, typer.Argument(help="Mails, by the last characters of their ids.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that certainly did not leave.")] = False,
    even_if_it_left: Annotated[
        bool, typer.Option("--even-if-it-left", help="The one that is named may have arrived; it goes anyway.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send mails again whose password is still valid, to the address that each account has now."""
    with failures_shown():
        if bool(which) == everything:
            raise Refused([Problem("", "name mails, or all of them", "see fsm-identity ops mails")])
        desk = open_operator_desk()
        by = actor(reason)
        endings = None if everything else which
        sent = perform(
            desk,
            lambda tx: mail_commands.send_again(
                tx, desk.policy, by, desk.clock.now(), endings, even_if_it_left=even_if_it_left
            ),
            wakes=Lane.MAIL,
        )
        if as_json:
            print_json({"sent_again": sent})
        elif sent:
            say(f"{counted(sent, 'mail')} will be sent again; see fsm-identity ops mails")
        if not sent:
            raise Refused([Problem("", "none can be sent again", "see fsm-identity ops mails")])


@app.command()
def refused(limit: Limit = None, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Whom no mail reaches at the address they have: the mail server refused it, or mails came back (bounced)."""
    with failures_shown():
        desk = open_operator_desk()
        limit = lines_wanted(limit, ON_SCREEN, for_program=as_json or as_csv)
        with desk.db.read() as tx:
            found = first_of(unreachable(tx, Scope.all(), one_more(limit)), limit)
        if as_json:
            print_json(found)
            return
        print_table(
            ["username", "address", "why", "since (UTC)", "what was said"],
            [[each.username, each.address, each.why, each.since, each.reason] for each in found],
            least=("since (UTC)",),
            as_csv=as_csv,
        )
        if found:
            errors.line("→ give the right address: fsm-identity account change WHO --email … --reason …")
            errors.line(
                "→ or say that mails arrive again: fsm-identity ops mails bounced ADDRESS --withdraw --reason …"
            )


@app.command()
def bounced(
    addresses: Annotated[list[str], typer.Argument(help="E-mail addresses of accounts.", metavar="ADDRESS...")],
    reason: Reason,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Mails to them arrive again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Note that mails to an address came back: none goes there until the account has another one."""
    with failures_shown():
        desk = open_operator_desk()
        by, now = actor(reason), desk.clock.now()
        if withdraw:
            found = perform(
                desk, lambda tx: mail_commands.arrives_again(tx, desk.policy, addresses, by, now), wakes=None
            )
        else:
            returned = [Returned(each, reason) for each in addresses]
            with desk.db.read() as tx:
                require_known(tx, Scope.all(), addresses)
            found = perform(desk, lambda tx: mail_commands.bounced(tx, desk.policy, returned, by, now), wakes=None)
        if as_json:
            print_json({"changed": [each.username for each in found]})
            return
        for each in found:
            say(
                f"{each.email} ({each.username}): mails arrive again"
                if withdraw
                else f"{each.email} ({each.username}): no mail goes there any more; give another address, or a "
                "password by telephone"
            )
        if not found:
            say("that is known; see fsm-identity ops mails refused")


@app.command()
def check(folder: Folder = None, as_json: AsJson = False) -> None:
    """Whether mails of your own may be sent: all that is wrong with them, with file and line. Exit code 1 then."""
    with failures_shown():
        found = origins(_templates(folder))
        if as_json:
            print_json(
                [{"language": each[0], "mail": each[1], "text": each[2], "html": each[3]} for each in found]
            )
            return
        say("every mail can be sent")
        print_table(
            ["language", "mail", "text", "html"], [[*each[:3], "yes" if each[3] else "no"] for each in found]
        )


@app.command()
def preview(
    kind: Annotated[str, typer.Argument(help=f"Which mail: {', '.join(KINDS)}.")] = KINDS[0],
    language: Annotated[str, typer.Option(help=f"One of {', '.join(LANGUAGES)}.")] = LANGUAGES[0],
    html: Annotated[bool, typer.Option("--html", help="The HTML of it, as for a browser.")] = False,
    folder: Folder = None,
) -> None:
    """One mail as somebody would get it, with made-up values. Nothing is sent."""
    if kind not in KINDS:
        raise typer.BadParameter(f"{kind}: one of {', '.join(KINDS)}", param_hint="KIND")
    if language not in LANGUAGES:
        raise typer.BadParameter(f"{language}: one of {', '.join(LANGUAGES)}", param_hint="--language")
    with failures_shown():
        mail = example_of(_templates(folder), kind, language)
        if not html:
            typer.echo(f"Subject: {mail.subject}\n\n{mail.text}", nl=False)
        elif mail.html is not None:
            typer.echo(mail.html)
        else:
            raise Refused([Problem("", f"{language}/{kind} has no HTML", f"write {language}/{kind}.html")])


def _templates(folder: Path | None) -> Templates:
    return templates_of(load_settings().mail) if folder is None else templates_in(folder)


def _advice(mail: FailedMail) -> str:
    if not mail.sendable:
        return "no"
    return "may have left" if mail.may_have_left else "yes"
