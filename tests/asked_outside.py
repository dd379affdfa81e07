"""In every test: nobody asks the FSM system while a write transaction of ours is open, for a slow answer would
hold its locks meanwhile (D3). Whatever adapter stands for it is watched, and doors and workers alike."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pytest

from sync.adapters.fsm.http import HttpFieldService
from sync.adapters.fsm.sql import SqlFieldService
from sync.ports.field_service import FieldService
from sync.store.database.transactions import Database, Tx
from tests.fakes.field_service import FakeFieldService

ADAPTERS = (SqlFieldService, HttpFieldService, FakeFieldService)
QUESTIONS = [name for name in vars(FieldService) if not name.startswith("_")]

_writes: ContextVar[bool] = ContextVar("writes", default=False)
_asked_inside: list[str] = []


@pytest.fixture(scope="session", autouse=True)
def _watched() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "_transaction", _noting(Database._transaction))
        for adapter in ADAPTERS:
            for name in QUESTIONS:
                patch.setattr(adapter, name, _watching(getattr(adapter, name)))
        yield


@pytest.fixture(autouse=True)
def fsm_is_asked_outside(_watched: None) -> Iterator[list[str]]:
    """Where it was asked inside one, in this test."""
    _asked_inside.clear()
    yield _asked_inside
    assert not _asked_inside, _asked_inside[0]


def _noting(real: Callable[..., Any]) -> Callable[..., Any]:
    @contextmanager
    def transaction(database: Database, *, writing: bool) -> Iterator[Tx]:
        with real(database, writing=writing) as tx:
            before = _writes.set(writing or _writes.get())
            try:
                yield tx
            finally:
                _writes.reset(before)

    return transaction


def _watching(real: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(real)
    def question(*given: Any, **named: Any) -> Any:
        if _writes.get():
            _asked_inside.append("".join(traceback.format_stack(limit=12)))
        return real(*given, **named)

    return question
