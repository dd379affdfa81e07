"""Wakes lanes through Celery's broker: sends task names, imports no worker. The names stand here because
the workers listen to what is sent here."""

from __future__ import annotations

from functools import cached_property

from celery import Celery
from kombu.exceptions import OperationalError

from sync.domain.errors import Transient
from sync.domain.lane import Lane

PROVISION = "fsm.provision"
SEND_MAIL = "fsm.send_mail"
SWEEP = "fsm.sweep"

WAKE_EXPIRES_SECONDS = 30
"""An old wake says nothing a sweep has not said since; it must not pile up behind a busy worker."""

GIVE_UP = {"socket_connect_timeout": 2, "socket_timeout": 2, "max_retries": 0}
"""Somebody waits while a wake is sent, and the sweep makes a lost one good: a worker's patience with Redis is
too long here (a Redis that accepts and is silent held a command up for 30 s, measured)."""


class CeleryWake:
    """Sends at most one small message a wake. The connection is made at the first wake of the process."""

    @cached_property
    def _app(self) -> Celery:
        app = Celery("fsm-identity-wake")
        app.config_from_object("celeryconfig")
        app.conf.broker_transport_options = {**app.conf.broker_transport_options, **GIVE_UP}
        return app

    def wake(self, lane: Lane) -> None:
        """Raises Transient when Redis cannot be reached, refuses writes, or does not answer within seconds."""
        task, arguments = (SEND_MAIL, []) if lane is Lane.MAIL else (PROVISION, [lane.value])
        try:
            self._app.send_task(task, args=arguments, queue=lane.value, expires=WAKE_EXPIRES_SECONDS, retry=False)
        except (OperationalError, OSError) as error:
            raise Transient(f"cannot wake lane {lane.value}: the broker does not answer ({error})") from error
