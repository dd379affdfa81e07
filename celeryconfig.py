"""Celery's settings, each with its reason. Celery only wakes: the database owns the work (H1,
fact: celery-loses-messages).

Workers load this module by name, and so does whoever sends a wake. It imports nothing but sync.settings.
"""

from __future__ import annotations

from sync.settings import load_settings

_settings = load_settings()

broker_url = _settings.redis_url.get_secret_value()
result_backend = None
task_ignore_result = True  # the outcome is in the database, where the timeline reads it

task_default_queue = "interactive"
task_create_missing_queues = False  # a misspelt queue is an error, not a place where messages wait for nobody
SWEEPS = "sweep"  # every worker serves it; in a lane's queue, sweeps that wait would pass for wakes
task_queues = {
    name: {"exchange": name, "routing_key": name} for name in ("interactive", "bulk", "mail", "reconcile", SWEEPS)
}

accept_content = ["json"]
task_serializer = "json"
enable_utc = True

task_acks_late = True  # a killed worker's wake is delivered again; doubled wakes do no harm
task_reject_on_worker_lost = True
worker_prefetch_multiplier = 1  # a busy worker must not sit on wakes others could follow

DRAIN_SECONDS = 45  # how long one task keeps draining a lane; well below the limits that follow
task_time_limit = (
    120  # no soft limit: its exception would come in the middle of an account and be taken for its own
)
broker_transport_options = {
    "visibility_timeout": 600,  # above task_time_limit, or Redis hands a running task out again
    "global_keyprefix": "fsm:",  # one Redis may serve others too
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
    "health_check_interval": 25,  # below socket_timeout: a dead connection is found before it is needed
    "max_retries": 1,  # a wake that cannot be sent is logged; the sweep makes it good
}
redis_socket_timeout = 30
redis_socket_connect_timeout = 5
broker_connection_retry_on_startup = True
broker_connection_max_retries = None  # a worker outlives any outage of Redis
broker_channel_error_retry = True  # and a failover, which would end it (fact: redis-refusals-end-a-worker)

worker_max_tasks_per_child = 1000
worker_soft_shutdown_timeout = 10  # a stopped worker finishes the account it holds
worker_enable_soft_shutdown_on_idle = True
worker_send_task_events = True  # Flower
worker_hijack_root_logger = False
worker_cancel_long_running_tasks_on_connection_loss = False  # losing Redis does not end the work at hand

JOB_SECONDS = 2 * 60 * 60  # a comparison of everything may take long; one that hangs loses its lease long before

SWEEP_SECONDS = 5
beat_scheduler = "workers.beat:TickingScheduler"
beat_schedule = {
    "sweep": {
        "task": "fsm.sweep",
        "schedule": SWEEP_SECONDS,
        "options": {"queue": SWEEPS, "expires": SWEEP_SECONDS},  # a late sweep is replaced by the next
    },
}
