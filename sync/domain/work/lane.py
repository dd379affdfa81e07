"""Lanes: where work waits for a worker. The database stores them, wakes name them, Celery queues follow them."""

from __future__ import annotations

from enum import StrEnum


class Lane(StrEnum):
    """A click of an administrator never waits behind an import, and neither behind a comparison of everything.

    Accounts are due in the first two only; `RECONCILE` is for periodic jobs.
    """

    INTERACTIVE = "interactive"
    BULK = "bulk"
    MAIL = "mail"
    RECONCILE = "reconcile"


def worker_command(lane: Lane) -> str:
    """What starts a worker of this lane; by its name it is told from those of the other lanes."""
    return f"celery -A workers.app worker -Q {lane} -n {lane}@%h"
