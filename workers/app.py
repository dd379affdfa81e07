"""The Celery application. Start workers with `celery -A workers.app worker -Q interactive -n interactive@%h`
(or bulk, mail). Without `-n` each is called celery@HOST, and of two with one name only one is seen.

It holds no logic: tasks stand in workers.tasks, settings in celeryconfig.
"""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.signals import celeryd_after_setup, celeryd_init

from sync.settings import PROCESSES, SettingsError, checked, needing
from sync.wiring.letters import templates_of
from workers import heartbeat, logs

try:
    import celeryconfig
except SettingsError as error:
    raise SystemExit(f"✗ {error}") from None

logs.configure()
app = Celery("fsm-identity", include=["workers.tasks"])
app.config_from_object("celeryconfig")
heartbeat.install(app)


@celeryd_init.connect
def refuse_without_secret(**_: object) -> None:
    """Whatever lanes it serves, a worker without its secret could do nothing, and one whose mails cannot be sent
    would fail at the first: it ends and says what is missing or wrong."""
    try:
        templates_of(checked(needing(PROCESSES["worker"])).mail)
    except SettingsError as error:
        raise SystemExit(f"✗ {error}") from None


@celeryd_after_setup.connect
def serve_sweeps(instance: Any, **_: object) -> None:  # noqa: ANN401 - Celery's own
    """Any worker may sweep, whatever lanes it was started for."""
    queues = instance.app.amqp.queues
    queues.select_add(queues[celeryconfig.SWEEPS])
