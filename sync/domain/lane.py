"""Lanes: where work waits for a worker. The database stores them, wakes name them, Celery queues follow them."""

from __future__ import annotations

from enum import StrEnum


class Lane(StrEnum):
    """A click of an administrator never waits behind an import."""

    INTERACTIVE = "interactive"
    BULK = "bulk"
    MAIL = "mail"
