"""What workers do when they are woken. A message says only where to look; the truth is read from the
database when the task runs (rule: a-message-is-a-hint), so a lost, late or doubled message changes nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import structlog
from celery.exceptions import Ignore

import celeryconfig
from mappings import MappingErrors
from sync.adapters.broker import PROVISION, RUN_JOBS, SEND_MAIL, SWEEP
from sync.commands.waking import wake
from sync.domain.errors import Failure
from sync.domain.work.lane import Lane
from sync.jobs.mail import send_some
from sync.jobs.provisioning.provision import provision_some
from sync.jobs.run_kinds import apply_chunk
from sync.jobs.schedule.run_jobs import run_due_job
from sync.jobs.schedule.sweep import come_round
from sync.jobs.systems import Systems
from sync.settings import SettingsError
from sync.store import mappings
from sync.wiring.workers import open_systems, ready_for_accounts
from workers import heartbeat, signs
from workers.app import app

log = structlog.get_logger()


@lru_cache(maxsize=1)
def _systems_of(process: int) -> Systems:
    """Systems, one set per process, made after the fork: connections are not shared with the parent."""
    made = open_systems(holder=signs.of_process(process))
    heartbeat.tell_trouble(None)
    return made


@lru_cache(maxsize=1)
def _ready_systems_of(process: int) -> Systems:
    """The same one, once its foreign systems are as they must be."""
    return ready_for_accounts(_systems_of(process))


def systems(*, accounts: bool = True) -> Systems:
    """While its checks fail no account is touched: the log says why, and the next wake tries again. What touches
    none (`accounts` False) asks Keycloak for nothing and goes on.

    Where a newer policy has come into force they are made anew, with all its gateways. What another process of
    this worker told of its checks is over once one of them can work.
    """
    try:
        known = _systems_of(os.getpid())
        if not still_current(known):
            _ready_systems_of.cache_clear()
            _systems_of.cache_clear()
            known.db.close()
        if not accounts:
            return _systems_of(os.getpid())
        ready = _ready_systems_of(os.getpid())
        heartbeat.tell_over(ready.db)
    except (Failure, SettingsError, MappingErrors) as error:
        log.error("this worker cannot work yet; it tries again at the next wake", reason=str(error))  # noqa: TRY400 - the reason says it all
        heartbeat.tell_trouble(str(error))
        raise Ignore from None
    return ready


def still_current(known: Systems) -> bool:
    with known.db.read() as tx:
        return mappings.newest_number(tx) == known.policy_number


@app.task(name=PROVISION)
def provision(lane: str) -> None:
    """Bring accounts of one lane about until nothing is due or the time is up. Imports belong to the bulk lane."""
    here, where = systems(), Lane(lane)
    if where is Lane.BULK:
        drain(here, where, lambda: apply_chunk(here) + provision_some(here, where))
    else:
        drain(here, where, lambda: provision_some(here, where))


@app.task(name=SEND_MAIL)
def send_mail() -> None:
    here = systems(accounts=False)
    drain(here, Lane.MAIL, lambda: send_some(here))


@app.task(name=RUN_JOBS, acks_late=False, time_limit=celeryconfig.JOB_SECONDS)
def run_jobs() -> None:
    """Run the periodic jobs that are due. One may take longer than Redis keeps a message that is not confirmed
    (`visibility_timeout`), so it is confirmed at once; a job whose worker dies is taken over after its lease."""
    here = systems()
    with failures_logged():
        while run_due_job(here):
            pass


@app.task(name=SWEEP)
def sweep() -> None:
    """Look for due work nobody was told about, and wake its lanes; ask now and then whether Keycloak answers (H1,
    H3)."""
    here = systems(accounts=False)
    with failures_logged():
        come_round(here)


def drain(here: Systems, lane: Lane, some: Callable[[], int]) -> None:
    """Do some until there is none left, for at most DRAIN_SECONDS.

    Where one share was not all, another worker that is idle is woken, and so wakes the next: all of them join in,
    and there is never more than a wake or two in the queue. Out of time, it leaves a wake for whoever is free.
    Where all are busy nobody takes a sweep before it expires: who drains for long sweeps now and then.
    """
    until = time.monotonic() + celeryconfig.DRAIN_SECONDS
    with failures_logged():
        _drain(here, lane, some, until)


@contextmanager
def failures_logged() -> Iterator[None]:
    """What stops the work of every account, such as our database without disk space, is told in one line; the next
    wake goes on."""
    try:
        yield
    except Failure as failure:
        log.error("the work stops here; the next wake goes on", kind=failure.kind, reason=str(failure))  # noqa: TRY400


def _drain(here: Systems, lane: Lane, some: Callable[[], int], until: float) -> None:
    if not some():
        return
    alone, swept = True, time.monotonic()
    while some():
        if time.monotonic() - swept >= celeryconfig.SWEEP_SECONDS:
            come_round(here)
            swept = time.monotonic()
        out_of_time = time.monotonic() >= until
        if alone or out_of_time:
            wake(here, lane)
            alone = False
        if out_of_time:
            return
