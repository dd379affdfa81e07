"""Wakes lanes through Celery's broker: sends task names, imports no worker. The names stand here because
the workers listen to what is sent here.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from sync.domain.errors import FailureCode, Transient
from sync.domain.work.lane import Lane

if TYPE_CHECKING:
    from celery import Celery

REDIS = "redis"

PROVISION = "fsm.provision"
SEND_MAIL = "fsm.send_mail"
RUN_JOBS = "fsm.run_jobs"
SWEEP = "fsm.sweep"

GIVE_UP = {"socket_connect_timeout": 2, "socket_timeout": 2, "max_retries": 0}
"""Somebody waits while a wake is sent, and the sweep makes a lost one good: a worker's patience with Redis is
too long here (fact: a-silent-redis-holds-a-command)."""


class CeleryWake:
    """Sends a wake unless one waits in the lane's queue already: whoever takes that one will look after now, so a
    second one says nothing more. However long nobody listens, a queue holds a handful of messages (H1).

    The connection is made at the first wake of the process, and its libraries are loaded then: most commands only
    look.
    """

    @cached_property
    def _app(self) -> Celery:
        from celery import Celery

        app = Celery("fsm-identity-wake")
        app.config_from_object("celeryconfig")
        app.conf.broker_transport_options = {**app.conf.broker_transport_options, **GIVE_UP}
        return app

    def wake(self, lane: Lane) -> None:
        """Raises Transient when Redis cannot be reached, refuses writes, or does not answer within seconds."""
        from kombu.exceptions import OperationalError
        from redis.exceptions import RedisError

        try:
            with self._app.producer_or_acquire() as producer:
                if producer.channel.queue_declare(lane.value).message_count == 0:
                    task, arguments = _task(lane)
                    self._app.send_task(task, args=arguments, queue=lane.value, retry=False, producer=producer)
        except (OperationalError, OSError) as error:
            told = f"cannot wake lane {lane.value}: the broker does not answer ({error})"
            raise Transient(told, code=FailureCode.UNREACHABLE, about=REDIS) from error
        except RedisError as error:
            refused = str(error).rpartition("caused error: ")[2]
            told = f"cannot wake lane {lane.value}: Redis refuses ({refused})"
            raise Transient(told, code=FailureCode.UNAVAILABLE, about=REDIS) from error


def _task(lane: Lane) -> tuple[str, list[str]]:
    match lane:
        case Lane.MAIL:
            return SEND_MAIL, []
        case Lane.RECONCILE:
            return RUN_JOBS, []
        case _:
            return PROVISION, [lane.value]
