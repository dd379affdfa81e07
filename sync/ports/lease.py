"""Keeping a lease before each request to a foreign system. Whoever holds one says so once, around the whole piece
of work; every adapter asks right before it sends. What keeping means is the holder's (`sync.jobs.work.lease`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from threading import Lock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_keeps: ContextVar[tuple[Callable[[], None], ...]] = ContextVar("keeps", default=())


@contextmanager
def kept(keep: Callable[[], None]) -> Iterator[None]:
    """`keep` is called before each request that is made inside, by one thread at a time. The Failure that it
    raises stops the request. Inside another, both leases are kept."""
    alone = Lock()

    def one_at_a_time() -> None:
        with alone:
            keep()

    before = _keeps.set((*_keeps.get(), one_at_a_time))
    try:
        yield
    finally:
        _keeps.reset(before)


@contextmanager
def unkept() -> Iterator[None]:
    """For the few requests that are made although the lease may be lost."""
    before = _keeps.set(())
    try:
        yield
    finally:
        _keeps.reset(before)


def before_request() -> None:
    """An adapter calls it right before each request it sends. Raises the Failure of a lease that was lost: then
    nothing is sent. Whoever holds no lease is not stopped."""
    for keep in _keeps.get():
        keep()


def carried(work: Callable[P, R]) -> Callable[P, R]:
    """`work` for other threads, which keep the leases of this one; threads begin with none."""
    here = copy_context()

    def there(*args: P.args, **kwargs: P.kwargs) -> R:
        return here.copy().run(work, *args, **kwargs)

    return there
