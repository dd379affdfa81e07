"""`fsm-identity audit`: the audit trail as a list and as a file, and whether it is what was written (G1)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO, TextIO

import typer

from sync.domain.access.scope import Scope
from sync.domain.audit.anchor import AnchorUnreadable, anchors_in
from sync.domain.audit.export import verify_lines
from sync.domain.audit.verifying import Verified
from sync.domain.wording import counted
from sync.entrypoints.cli.accounts.person import account_in
from sync.entrypoints.cli.terminal.files import new_file
from sync.entrypoints.cli.terminal.output import (
    AsCsv,
    AsJson,
    Limit,
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
    warn,
)
from sync.store.audit.chain import Waiting
from sync.store.audit.listing import AuditEntry, AuditQuery
from sync.views.audit.chain import ChainView, export_chain, verify_chain, waiting
from sync.views.audit.listing import list_audit
from sync.wiring.doors import open_operator_desk

app = typer.Typer(no_args_is_help=True)

ON_SCREEN = 100

Anchor = Annotated[
    Path | None,
    typer.Option("--anchor", help="A file with heads that were kept elsewhere.", show_default=False),
]


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Option("--account", help="Only what was done to this account.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="Only this action.")] = None,
    since: Annotated[datetime | None, typer.Option("--since", help="From this time on, UTC.")] = None,
    until: Annotated[datetime | None, typer.Option("--until", help="Before this time, UTC.")] = None,
    limit: Limit = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Who did what, through which door and why, the newest first."""
    with failures_shown():
        desk = open_operator_desk()
        limit = lines_wanted(limit, ON_SCREEN, for_program=as_json or as_csv)
        with desk.db.read() as tx:
            query = AuditQuery(
                account_id=None if account is None else account_in(tx, account).id,
                action=action,
                since=_utc(since),
                until=_utc(until),
                limit=one_more(limit),
            )
            found = first_of(list_audit(tx, Scope.all(), query), limit)
        if as_json:
            print_json(found)
            return
        print_table(
            ["number", "at", "who", "door", "action", "account", "what", "reason"],
            map(_cells, found),
            least=("what", "door", "number"),
            as_csv=as_csv,
        )


@app.command()
def verify(
    file: Annotated[
        Path | None,
        typer.Option("--file", help="An export to verify instead; no database is asked.", show_default=False),
    ] = None,
    anchor: Anchor = None,
    as_json: AsJson = False,
) -> None:
    """Whether the audit trail is what was written: tells what was changed, is missing, was put in, or was cut off
    the end. Exit code 1 if anything is wrong."""
    with failures_shown():
        if file is not None:
            anchors = _anchors(anchor)
            with _opened(file) as lines:
                _tell(verify_lines(lines, anchors), None, as_json=as_json)
            return
        desk = open_operator_desk()
        kept = anchor or desk.settings.audit.anchor_file
        anchors = _anchors(kept) if anchor is not None or (kept is not None and kept.exists()) else {}
        with desk.db.read() as tx:
            now = desk.clock.now()
            seen = verify_chain(tx, Scope.all(), anchors, now)
        _tell(seen.verified, seen, as_json=as_json, now=now)


@app.command()
def export(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A new file; without it standard output.", show_default=False),
    ] = None,
) -> None:
    """Write the chained entries as JSON lines; `audit verify --file` verifies them anywhere."""
    with failures_shown():
        desk = open_operator_desk()
        with desk.db.read() as tx, _target(output) as target:
            left = waiting(tx, Scope.all())
            number = -1
            for line in export_chain(tx, Scope.all()):
                target.write(f"{line}\n".encode())
                number += 1
        if output is not None:
            say(f"{counted(number, 'audit entry')} in {output}")
        if left.count:
            warn(f"{counted(left.count, 'audit entry')} not chained yet and not in it")


def _tell(verified: Verified, seen: ChainView | None, *, as_json: bool, now: datetime | None = None) -> None:
    """Leaves with exit code 1 if something is wrong."""
    well = verified.whole if seen is None else seen.well
    if as_json:
        waits = None if seen is None else seen.waiting
        print_json({"well": well, "proven": _proven(verified), "verified": verified, "waiting": waits})
    else:
        for finding in verified.findings:
            place = "" if finding.number is None else f" at {finding.number}"
            errors.marked("✗", "red", f"{finding.flaw}{place}: {finding.what}")
        told, found = len(verified.findings), sum(verified.counts.values())
        if found > told:
            warn(f"the first are shown: {', '.join(f'{many} {flaw}' for flaw, many in verified.counts.items())}")
        if seen is not None and seen.waiting.count:
            _tell_waiting(seen.waiting, now)
        if verified.whole:
            say(f"{counted(verified.head.number, 'audit entry')}: {_proof(verified)}")
            screen.line(f"  head {verified.head.number} {verified.head.hash}")
    if not well:
        raise typer.Exit(1)


def _tell_waiting(waits: Waiting, now: datetime | None) -> None:
    age = (
        ""
        if waits.since is None or now is None
        else f", the oldest for {(now - waits.since).total_seconds():.0f} s"
    )
    warn(f"{counted(waits.count, 'audit entry')} not chained yet{age}")


def _proven(verified: Verified) -> int | None:
    return verified.anchored.number if verified.whole and verified.anchored else None


def _proof(verified: Verified) -> str:
    anchored = _proven(verified)
    if anchored is None:
        return "consistent in itself, not proven (no head of it was kept elsewhere)"
    return f"consistent, and proven up to number {anchored} by a head that was kept elsewhere"


def _anchors(path: Path | None) -> Mapping[int, str]:
    if path is None:
        return {}
    try:
        with _opened(path) as lines:
            return anchors_in(lines)
    except AnchorUnreadable as error:
        stop(f"{path}: {error}")


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with path.open(encoding="utf-8", newline="\n") as lines:
            yield lines
    except OSError as error:
        stop(f"{path} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        stop(f"{path} is not UTF-8 text; an export is, as fsm-identity audit export writes it")


@contextmanager
def _target(path: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file for its owner alone: it holds names and reasons."""
    if path is None:
        yield sys.stdout.buffer
        return
    with new_file(path, private=True) as file:
        yield file


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)


def _cells(entry: AuditEntry) -> list[object]:
    changed = [
        f"{name}: {shown(entry.before.get(name))} -> {shown(entry.after.get(name))}"
        for name in sorted(entry.before.keys() | entry.after.keys())
    ]
    who = entry.username or entry.account_id
    return [entry.number, entry.at, entry.actor, entry.door, entry.action, who, "; ".join(changed), entry.reason]
