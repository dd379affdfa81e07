"""The Celery application. Start workers with `celery -A workers.app worker -Q interactive` (or bulk, mail).

It holds no logic: tasks stand in workers.tasks, settings in celeryconfig.
"""

from __future__ import annotations

from celery import Celery

from workers import heartbeat, logs

logs.configure()
app = Celery("fsm-identity", include=["workers.tasks"])
app.config_from_object("celeryconfig")
heartbeat.install(app)
