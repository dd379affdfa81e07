"""The Celery application. Start workers with `celery -A workers.app worker -Q interactive` (or bulk, mail).

It holds no logic: tasks stand in workers.tasks, settings in celeryconfig.
"""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.signals import celeryd_after_setup

import celeryconfig
from workers import heartbeat, logs

logs.configure()
app = Celery("fsm-identity", include=["workers.tasks"])
app.config_from_object("celeryconfig")
heartbeat.install(app)


@celeryd_after_setup.connect
def serve_sweeps(instance: Any, **_: object) -> None:  # noqa: ANN401 - Celery's own
    """Any worker may sweep, whatever lanes it was started for."""
    queues = instance.app.amqp.queues
    queues.select_add(queues[celeryconfig.SWEEPS])
