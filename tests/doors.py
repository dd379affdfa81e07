"""The doors a user has, and whether a test can come to one, read from its code and that of its fixtures.

The mark `req` is refused on a test that comes to none. That a test sees the effect behind the door no machine can
tell: whoever marks it does.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

TESTS = Path(__file__).parent

DOORS: Mapping[str, str] = {
    "typer.testing.CliRunner": "the command line",
    "tests.e2e.command_line.CommandLine": "the command line as a process",
    "subprocess.run": "a program that is started",
    "subprocess.Popen": "a program that is started",
    "starlette.testclient.TestClient": "the web process",
    "examples.browser.Browser": "Keycloak's login page",
    "tests.services.MailCatcher.wait": "a mail that arrives",
    "sync.claims.reader.ClaimsReader": "a token, as an application reads it",
    "sync.claims.live.LiveCheck": "a token, as an application reads it",
    "tests.chaos.worker_processes.Workers": "workers as operators start them",
}
"""What tests go through a door with → the door. A new door of the product gets its line here."""


def door_of(item: pytest.Item, folder: Path = TESTS) -> str | None:
    """A door that the test may go through: itself, its fixtures, or what either uses of the files in `folder`."""
    assert isinstance(item, pytest.Function)
    fixtures = (each.func for found in item._fixtureinfo.name2fixturedefs.values() for each in found)
    values = item.callspec.params.values() if hasattr(item, "callspec") else ()
    waiting: list[Any] = [item.function, *fixtures, *values]
    seen: set[int] = set()
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, partial):
            thing = thing.func
        if not isinstance(thing, FunctionType | type) or id(thing) in seen:
            continue
        name = f"{thing.__module__}.{thing.__qualname__}"
        if name in DOORS:
            return DOORS[name]
        if _stands_in(thing, folder):
            seen.add(id(thing))
            waiting += _used_by(thing)
    return None


def _stands_in(thing: FunctionType | type, folder: Path) -> bool:
    try:
        return Path(inspect.getfile(thing)).is_relative_to(folder)
    except (TypeError, OSError):  # of the interpreter, or written by no file
        return False


def _used_by(thing: FunctionType | type) -> Iterator[Any]:
    """Methods and bases of a class; what a function names, of modules and classes too, and what it closes over."""
    if isinstance(thing, type):
        yield from thing.__bases__
        for each in vars(thing).values():
            yield inspect.unwrap(getattr(each, "__func__", getattr(each, "fget", None) or each))
        return
    names = _names(thing.__code__)
    for named in (thing.__globals__.get(name) for name in names):
        yield named
        if isinstance(named, ModuleType | type):
            yield from (getattr(named, name, None) for name in names)
    for cell in thing.__closure__ or ():
        with suppress(ValueError):  # nothing is in it yet
            yield cell.cell_contents


def _names(code: CodeType) -> set[str]:
    """Those of functions inside it too."""
    inside = (each for each in code.co_consts if isinstance(each, CodeType))
    return set(code.co_names).union(*map(_names, inside))
