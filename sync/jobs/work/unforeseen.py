"""Errors that nobody foresaw: what people are told of them, and the failure they stand for (H2).

Their own words may hold anything, a name or a secret, so only the worker's log has them.
"""

from __future__ import annotations

import structlog

from sync.domain.errors import Failure, FailureCode, NeedsPerson

log = structlog.get_logger()


def kind_of(error: Exception) -> str:
    """A Failure's kind, or "unforeseen"."""
    known = isinstance(error, Failure) and error.code is not FailureCode.UNFORESEEN
    return error.kind if isinstance(error, Failure) and known else FailureCode.UNFORESEEN.value


def message_of(error: Exception) -> str:
    """What people read: a Failure's own words."""
    if isinstance(error, Failure):
        return str(error)
    return of_type(type(error).__name__)


def of_type(name: str) -> str:
    return f"unforeseen error of type {name}; the worker's log has more"


def as_failure(error: Exception, **about: str) -> Failure:
    """The failure an error stands for. What nobody foresaw is for a person, not for a loop; `about` tells the log
    what it is about."""
    if isinstance(error, Failure):
        return error
    log.error("unforeseen error", exc_info=error, **about)
    return NeedsPerson(message_of(error), code=FailureCode.UNFORESEEN, about=type(error).__name__)
