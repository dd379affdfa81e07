"""How things are called in a sentence."""

from __future__ import annotations

from datetime import timedelta


def counted(number: int, noun: str) -> str:
    """ "1 account", "2 accounts"."""
    plural = {"person": "people", "audit entry": "audit entries"}.get(noun, f"{noun}s")
    return f"1 {noun}" if number == 1 else f"{number} {plural}"


def runs_listed(kind: str | None) -> str:
    """Where people see which runs there are: of one kind, or of all."""
    return "see fsm-identity runs list" + ("" if kind is None else f" --kind {kind}")


def run_title(kind: str, source: str) -> str:
    """What a run is called: "import of staff.xlsx", "mapping files of /etc/fsm"."""
    noun = {"mappings": "mapping files"}.get(kind, kind)
    return f"{noun} of {source}"


def how_long(span: timedelta) -> str:
    """ "less than a minute", "3 hours": in the largest unit that is full."""
    seconds = int(span.total_seconds())
    for size, noun in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return counted(seconds // size, noun)
    return "less than a minute"
