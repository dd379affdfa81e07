"""`fsm-identity dev`: the real services and our own processes on this machine, for trying out and developing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Annotated, Literal

import typer

from sync.devstack import stack
from sync.devstack.failure import StackFailure
from sync.devstack.layout import Layout, named_folder, stack_folder
from sync.devstack.part import Part
from sync.devstack.process import last_lines
from sync.devstack.services.mailbox import mails, sent_to, text_of
from sync.devstack.surroundings import Surroundings
from sync.entrypoints.cli.terminal.output import AsJson, print_json, print_table, screen
from sync.entrypoints.cli.terminal.output import stop as give_up

app = typer.Typer(
    no_args_is_help=True, epilog="All of it lives in one folder: .dev, or the one that FSM_DEV_HOME names."
)


@app.command()
def up(
    only: Annotated[
        str, typer.Option(help="Start just these parts, separated by commas.", show_default=False)
    ] = "",
    database: Annotated[Literal["sqlite", "postgres"], typer.Option(help="The database of the stack.")] = "sqlite",
    detach: Annotated[bool, typer.Option("--detach", help="Leave it running and come back.")] = False,
) -> None:
    """Start everything and stay until Ctrl-C, then end everything. The first time takes a few minutes.

    Where a stack runs that has lost a part, --only PART starts that part again beside the rest.
    """
    layout = Layout(stack_folder())
    names = [name.strip() for name in only.split(",") if name.strip()]
    with _failures_shown():
        parts = stack.chosen_parts(database, names or None)
        lost = stack.lost_parts(layout, parts) if names else ()
        if lost:
            _print_addresses(lost, stack.take_up(layout, lost, _say))
            screen.line(f"{', '.join(part.name for part in lost)}: runs again, beside the rest.")
            return
        if detach:
            _print_addresses(parts, stack.detached(layout, parts, database, _say))
            screen.line(
                "It keeps running. See it with `fsm-identity dev status`, end it with `fsm-identity dev down`."
            )
            return
        try:
            with stack.foreground(layout, parts, database, _say) as place:
                _print_addresses(parts, place)
                screen.line("Running. End it with Ctrl-C.")
                stack.watch(layout)
        except KeyboardInterrupt:
            screen.line("Ended.")


@app.command()
def down() -> None:
    """End what `up` started, wherever it was started from."""
    layout = Layout(stack_folder())
    ended = stack.stop(layout)
    screen.line(f"Ended: {', '.join(ended)}." if ended else f"Nothing was running in {layout.home}.{_another()}")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Each part, asked whether it can do its work. Exit code 1 unless everything is well."""
    layout = Layout(stack_folder())
    found = stack.status(layout)
    if as_json:
        print_json(found)
    elif not found:
        screen.line(f"Nothing is running in {layout.home}.{_another()}")
    else:
        screen.line(f"The stack in {layout.home}")
        _print_lines(
            ("part", "state", "process", "ports", "since", "address"),
            [
                (
                    part.name,
                    "healthy" if part.healthy else "not healthy" if part.running else "ended",
                    str(part.pid),
                    ", ".join(str(port) for port in part.ports),
                    datetime.fromtimestamp(part.since, UTC).astimezone().strftime("%d %b %H:%M:%S"),
                    part.address,
                )
                for part in found
            ],
        )
    lost = [part.name for part in found if not part.running]
    if lost and not as_json:
        screen.line(stack.how_to_take_up(lost))
    if not found or not all(part.healthy for part in found):
        raise typer.Exit(1)


@app.command()
def logs(
    part: Annotated[str, typer.Argument(help="The part, as `status` names it.")],
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many lines.")] = 40,
) -> None:
    """The last lines of a part's log."""
    layout = Layout(stack_folder())
    log = layout.log(part)
    if not log.is_file():
        known = sorted(path.stem for path in layout.logs.glob("*.log"))
        give_up(f"there is no log of {part} in {layout.logs}; there are: {', '.join(known) or 'none'}")
    for line in last_lines(log, lines):
        screen.line(line)


@app.command()
def mail(
    which: Annotated[
        str,
        typer.Argument(
            metavar="[NUMBER or ADDRESS]",
            help="Show this one in full, or the newest to this address (a part of it will do).",
            show_default=False,
        ),
    ] = "",
) -> None:
    """The mails that were caught, the oldest first. A page with them is among the addresses of the stack."""
    layout = Layout(stack_folder())
    found = dict(enumerate(mails(layout.mail), start=1))
    if not found:
        screen.line(f"No mail was caught in {layout.mail}.{_another()}")
    elif not which:
        _print_mails(found)
    elif which.isdecimal():
        if int(which) not in found:
            give_up(f"there is no mail {which}; {len(found)} were caught in {layout.mail}")
        _print_mail(found[int(which)])
    else:
        theirs = {number: message for number, message in found.items() if sent_to(message, which)}
        if not theirs:
            give_up(f"none of the {len(found)} mails in {layout.mail} went to {which}")
        if len(theirs) > 1:
            _print_mails(theirs)
            screen.line()
        _print_mail(theirs[max(theirs)])


def _print_mails(found: Mapping[int, EmailMessage]) -> None:
    print_table(
        ["", "date", "to", "subject"],
        [
            [number, message["Date"], message["X-Envelope-To"], message["Subject"]]
            for number, message in found.items()
        ],
    )


def _print_mail(message: EmailMessage) -> None:
    for name in ("From", "X-Envelope-To", "Date", "Subject"):
        screen.line(f"{name}: {message[name]}")
    screen.line()
    screen.line(text_of(message))


def _print_addresses(parts: tuple[Part, ...], place: Surroundings) -> None:
    _print_lines(
        ("part", "address", "login"), [(part.name, part.address(place), part.login(place)) for part in parts]
    )
    screen.line(f"Logs are in {place.layout.logs}.")
    screen.line("All commands of this stack, those of dev and the others, are after")
    screen.line(f"  export FSM_DEV_HOME={shlex.quote(str(place.layout.home))}")


def _print_lines(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Columns that are never cut or wrapped: addresses and passwords are there to be copied."""
    widths = [max(len(row[column]) for row in [titles, *rows]) for column in range(len(titles))]
    for row in [titles, *rows]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        screen.line(line, bold=row is titles)


def _another() -> str:
    """What to do where it was the wrong folder."""
    return "" if named_folder() else " FSM_DEV_HOME=... names another folder."


def _say(what: str) -> None:
    screen.line(f"… {what}")


@contextmanager
def _failures_shown() -> Iterator[None]:
    try:
        yield
    except StackFailure as failure:
        give_up(str(failure))
