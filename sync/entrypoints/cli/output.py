"""How the command line speaks: tables for people, JSON for programs, one line an error, exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Annotated, Any, NoReturn, TypeVar

import structlog
import typer
from rich.console import Console
from rich.table import Table

from mappings.problems import MappingErrors
from sync.domain.access import cause
from sync.domain.access.cause import Cause, Door
from sync.domain.accounts.spelling import spelled_out
from sync.domain.deactivation.gate import OpenWorkOrder, WorkOrdersOpen
from sync.domain.errors import Failure, Refused
from sync.entrypoints.cli.machine import this_machine
from sync.settings import SettingsError

T = TypeVar("T")

screen = Console()
errors = Console(stderr=True)

Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept in the history.", show_default=False)]
Limit = Annotated[
    int | None,
    typer.Option("--limit", min=1, help="At most so many; without it all for programs.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

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
        print_work_orders(refused.work_orders, console=errors)
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
    errors.print(f"[red]✗[/red] {plain(message)}", soft_wrap=True)
    raise typer.Exit(1) from None


def log_to_errors() -> None:
    """What commands log is told on standard error, a line each: standard output belongs to the answer."""
    structlog.configure(processors=[_as_line], logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def say(message: str) -> None:
    screen.print(f"[green]✓[/green] {plain(message)}", soft_wrap=True)


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    console: Console = screen,
) -> None:
    """A word that is wider than its column goes on in the next line: what is shown can be copied whole."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(plain(shown(value)) for value in row))
    console.print(table)


def print_work_orders(
    work_orders: Iterable[OpenWorkOrder], *, title: str | None = None, console: Console = screen
) -> None:
    print_table(WORK_ORDER, [work_order_cells(each) for each in work_orders], title=title, console=console)


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
    """How long a list may be: what `--limit` names, else a screenful for people and all (None) for programs."""
    return on_screen if named is None and not for_program else named


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
    errors.print(f"! {shown_now} are shown, {of}: raise --limit or narrow the filter", soft_wrap=True)


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
    return f"! {event} ({facts})" if logged else f"! {event}"


def plain(text: str) -> str:
    """Keep rich from reading brackets in data as markup, and the terminal from obeying what nobody sees."""
    return spelled_out(text).replace("[", r"\[")


def _print_problems(refused: Refused) -> None:
    for problem in refused.problems:
        errors.print(f"[red]✗[/red] {plain(str(problem))}", soft_wrap=True)
