"""How the command line speaks: tables for people, JSON for programs, one line an error, exit codes."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import structlog
import typer

from mappings.files.problems import MappingErrors
from sync.domain.access import cause
from sync.domain.access.cause import Cause, Door
from sync.domain.accounts.spelling import spelled_out
from sync.domain.deactivation.gate import OpenWorkOrder, WorkOrdersOpen
from sync.domain.errors import Failure, Refused
from sync.entrypoints.cli.machine import this_machine
from sync.entrypoints.cli.terminal.tables import one_line, table
from sync.settings import SettingsError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

T = TypeVar("T")


class Screen:
    """Standard output or standard error, as people read it. Nothing in a text is taken for markup: names and files
    may have brackets; what a terminal would obey is spelled out. rich is loaded where something waits; a list does
    not wait for it."""

    def __init__(self, *, stderr: bool = False) -> None:
        self._stderr = stderr

    @cached_property
    def console(self) -> Console:
        from rich.console import Console

        return Console(stderr=self._stderr)

    @property
    def width(self) -> int | None:
        """Columns of the terminal; None: it is a pipe or a file."""
        stream = sys.stderr if self._stderr else sys.stdout
        return shutil.get_terminal_size().columns if stream.isatty() else None

    def line(self, text: str = "", *, color: str | None = None, bold: bool = False) -> None:
        self._write(_styled(spelled_out(text), color, bold=bold))

    def marked(self, mark: str, color: str, message: str) -> None:
        """One line that begins with a sign of its kind."""
        self._write(f"{_styled(mark, color)} {spelled_out(message)}")

    def status(self, text: str) -> Status:
        """A line that is there while something is waited for."""
        from rich.text import Text

        return self.console.status(Text(spelled_out(text)))

    def _write(self, styled: str) -> None:
        typer.echo(styled, err=self._stderr)


def coloured() -> bool:
    """Unless somebody wants no colours; in a pipe they are left out anyway."""
    return not os.environ.get("NO_COLOR")


def _styled(text: str, color: str | None = None, *, bold: bool = False) -> str:
    plain = not coloured() or (color is None and not bold)
    return text if plain else typer.style(text, fg=color, bold=bold)


screen = Screen()
errors = Screen(stderr=True)

Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept in the history.", show_default=False)]
Limit = Annotated[
    int | None,
    typer.Option("--limit", min=1, help="At most so many; without it all for programs.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV with the columns of the table.")]

WORK_ORDER = ("work order", "status", "customer", "date", "as")
"""The titles of a table of work orders."""

REMEDIES = {
    "transient": "It may pass: try again in a moment.",
    "unsafe": "Nothing was done; look at it before going on.",
}
"""What follows from the kind alone; every other failure says itself what to mend."""


def actor(reason: str) -> Cause:
    """Who sits at this command line, and why."""
    return Cause(this_machine(), Door.COMMAND_LINE, reason)


@contextmanager
def failures_shown() -> Iterator[None]:
    """Turn what went wrong into lines on standard error and exit code 1. The one place that does so."""
    try:
        yield
    except WorkOrdersOpen as refused:
        _print_problems(refused)
        print_work_orders(refused.work_orders, on=errors)
        raise typer.Exit(1) from None
    except Refused as refused:
        _print_problems(refused)
        raise typer.Exit(1) from None
    except Failure as failure:
        remedy = REMEDIES.get(failure.kind)
        stop(f"{failure}. {remedy}" if remedy else str(failure))
    except (SettingsError, MappingErrors) as error:
        stop(str(error))


def stop(message: str) -> NoReturn:
    """Print why and leave with exit code 1."""
    errors.marked("✗", "red", message)
    raise typer.Exit(1) from None


def log_to_errors() -> None:
    """What commands log is told on standard error, a line each: standard output belongs to the answer."""
    structlog.configure(processors=[_as_line], logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def say(message: str) -> None:
    screen.marked("✓", "green", message)


def warn(message: str) -> None:
    """What is to be known beside the answer."""
    errors.marked("!", "yellow", message)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    on: Screen = screen,
    least: Sequence[str] = (),
    as_csv: bool = False,
) -> None:
    """As `tables.table` lays it out. `least`: columns that a narrow terminal may do without, the least needed
    first. `as_csv`: all of it, for programs."""
    if as_csv:
        print_csv(columns, rows)
        return
    laid = table(columns, [[spelled_out(shown(value)) for value in row] for row in rows], on.width, least)
    if title is not None:
        on.line(title)
    for number, text in enumerate(laid.lines):
        on.line(text, bold=number == 0 and laid.titled)
    if laid.left_out:
        warn(f"no room for {', '.join(laid.left_out)}: a wider terminal, --csv or --json shows them")


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A line a record, with the titles first. No text can become a formula of a spreadsheet (F8)."""
    from sync.spreadsheet.text import neutral, printable

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        texts = ["" if value is None or value == "" else one_line(shown(value)) for value in row]
        writer.writerow([neutral(printable(text)) for text in texts])


def print_work_orders(
    work_orders: Iterable[OpenWorkOrder], *, title: str | None = None, on: Screen = screen, as_csv: bool = False
) -> None:
    print_table(WORK_ORDER, [work_order_cells(each) for each in work_orders], title=title, on=on, as_csv=as_csv)


def work_order_cells(order: OpenWorkOrder) -> list[object]:
    """In the order of `WORK_ORDER`."""
    return [order.number, order.status, order.customer, order.date, ", ".join(order.holds)]


def print_json(value: object) -> None:
    """Dataclasses, dates and enums as JSON; times in UTC, ISO 8601. Who asked is told whole, as it is stored."""
    typer.echo(json.dumps(value, default=_encode, ensure_ascii=False, indent=2))


def print_json_list(values: Iterable[object]) -> int:
    """A JSON list, an item as soon as there is one: however long it is, it is never held whole. Returns how many
    there were."""
    number = 0
    for number, value in enumerate(values, start=1):
        typer.echo("[" if number == 1 else ",")
        typer.echo(json.dumps(value, default=_encode, ensure_ascii=False, indent=2), nl=False)
    typer.echo("\n]" if number else "[]")
    return number


def lines_wanted(named: int | None, on_screen: int, *, for_program: bool) -> int | None:
    """How long a list may be: what `--limit` names, else a screenful for people and all (None) for programs, of
    which one may read tables in a pipe."""
    for_people = not for_program and screen.width is not None
    return on_screen if named is None and for_people else named


def one_more(limit: int | None) -> int | None:
    """What to ask for in order to know whether a list goes on behind its limit."""
    return None if limit is None else limit + 1


def first_of(found: tuple[T, ...], limit: int | None) -> tuple[T, ...]:
    """The first of what was asked for by `one_more`; says so where there are more."""
    if limit is None or len(found) <= limit:
        return found
    say_more(limit)
    return found[:limit]


def say_more(shown_now: int, total: int | None = None) -> None:
    """A list was cut: it is said beside the answer, so that nobody takes the part for the whole."""
    of = "there are more" if total is None else f"{total} in all"
    warn(f"{shown_now} are shown, {of}: raise --limit or narrow the filter")


def shown(value: object) -> str:
    """A value as people read it: nothing as a dash, times in UTC to the second."""
    if value is None or value == "":
        return "–"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, Enum):
        return str(value.value)
    return str(value)


def _encode(value: object) -> object:
    if isinstance(value, Cause):
        return cause.record(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    return str(value)


def _as_line(_logger: object, _level: str, logged: MutableMapping[str, Any]) -> str:
    event = logged.pop("event")
    facts = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in logged.items())
    return spelled_out(f"! {event} ({facts})" if logged else f"! {event}")


def _print_problems(refused: Refused) -> None:
    for problem in refused.problems:
        errors.marked("✗", "red", str(problem))
