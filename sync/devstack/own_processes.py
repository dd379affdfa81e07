"""The parts that are ours, and the steps that set up what they need. All run as the user would run them.

Nothing is imported from them: they are other programs, told by their settings where everything is. Those that need
no realm start while Keycloak does.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from functools import partial

import httpx
from redis.exceptions import RedisError

from sync.devstack import surroundings
from sync.devstack.part import Part, Step
from sync.devstack.ports import LOOPBACK
from sync.devstack.process import Launch, python
from sync.devstack.surroundings import Surroundings

PING_SECONDS = 1.0
BEAT_SECONDS = 15.0
"""So long the process may take that asks whether beat ticks: it loads our settings and our database."""
BROKER_PREFIX = "fsm:"
"""As in celeryconfig, which reads the settings of its process and so is not asked here."""
SETTINGS = ("FSM_",)
"""What the user's own shell says of fsm-identity is not meant for the stack."""

POLICY_IN_FORCE, REALM_APPLIED = "mappings adopt --first", "realm apply"
"""Steps that parts of ours wait for: nothing of ours works without a policy, and beat begins by itself."""

COMMAND_LINE = python("-c", "from sync.entrypoints.cli import main; main()")
CELERY = python("-m", "celery", "-A", "workers.app")

Environment = Callable[[Surroundings], Mapping[str, str]]


def _step(name: str, *arguments: str, environment: Environment, needs: tuple[str, ...]) -> Step:
    def launch(place: Surroundings) -> Launch:
        log = place.layout.log(name.replace(" ", "-"))
        return Launch(
            name, (*COMMAND_LINE, *arguments), log, place.layout.home, environment(place), without=SETTINGS
        )

    return Step(name, launch, needs=needs)


def _own(name: str, command: tuple[str, ...], place: Surroundings, environment: Environment) -> Launch:
    return Launch(name, command, place.layout.log(name), place.layout.home, environment(place), without=SETTINGS)


def _web(place: Surroundings) -> Launch:
    options = (
        "--factory",
        "--host",
        LOOPBACK,
        "--port",
        str(place.ports["web"]),
        "--no-server-header",
        "--no-access-log",
    )
    command = python("-m", "uvicorn", "sync.entrypoints.web:create_app", *options)
    return _own("web", command, place, surroundings.for_web)


def _web_is_ready(place: Surroundings) -> bool:
    try:
        return httpx.get(f"{place.web_url}/health/ready", timeout=10, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _worker(name: str, queues: str, processes: int, environment: Environment) -> Part:
    node = f"{name}@fsm-identity"

    def launch(place: Surroundings) -> Launch:
        alone = ("--without-mingle", "--without-gossip")
        options = ("-Q", queues, "-n", node, "-c", str(processes), "-l", "INFO", *alone)
        return _own(name, (*CELERY, "worker", *options), place, environment)

    return Part(name, launch, partial(_worker_answers, node), needs=("redis", POLICY_IN_FORCE))


def _worker_answers(node: str, place: Surroundings) -> bool:
    """Whether the worker takes what is sent to it. Asked from here: Celery's own command would load all of ours
    for each question, and slow down the start that it asks for."""
    from celery.app.base import Celery  # `celery` itself cannot be loaded by two threads at once
    from kombu.exceptions import OperationalError

    with Celery("fsm-identity-ping", broker=place.redis_url, set_as_current=False) as app:
        app.conf.broker_transport_options = {
            "global_keyprefix": BROKER_PREFIX,
            "socket_connect_timeout": 2,
            "socket_timeout": 2,
            "max_retries": 0,
        }
        try:
            return bool(app.control.ping([node], timeout=PING_SECONDS))
        except (OperationalError, RedisError, OSError):
            return False


def _beat(place: Surroundings) -> Launch:
    options = ("-s", str(place.layout.beat_schedule), "--pidfile=", "-l", "INFO")
    return _own("beat", (*CELERY, "beat", *options), place, surroundings.common)


def _beat_ticks(place: Surroundings) -> bool:
    """It asks for the row that the beat writes with each tick."""
    try:
        asked = subprocess.run(
            python("-m", "workers.beat"),
            env=_own("beat", (), place, surroundings.common).whole_environment(),
            cwd=place.layout.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=BEAT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0


def _flower(place: Surroundings) -> Launch:
    """Its login stands in its environment: a password on a command line could be read by everybody here."""
    options = (f"--address={LOOPBACK}", f"--port={place.ports['flower']}")
    return _own("flower", python("-m", "celery", "flower", *options), place, surroundings.for_flower)


def _flower_answers(place: Surroundings) -> bool:
    try:
        return httpx.get(f"{flower_url(place)}/healthcheck", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def flower_url(place: Surroundings) -> str:
    return f"http://{LOOPBACK}:{place.ports['flower']}"


SET_UP = (
    _step(
        "database upgrade",
        "database",
        "upgrade",
        environment=surroundings.for_command_line,
        needs=("postgres",),
    ),
    _step(
        POLICY_IN_FORCE,
        "mappings",
        "adopt",
        "--first",
        environment=surroundings.for_command_line,
        needs=("database upgrade",),
    ),
    _step(
        "realm bootstrap",
        "realm",
        "bootstrap",
        environment=surroundings.for_bootstrap,
        needs=("keycloak",),
    ),
    _step(
        REALM_APPLIED,
        "realm",
        "apply",
        "--yes",
        environment=surroundings.for_command_line,
        needs=("realm bootstrap", POLICY_IN_FORCE),
    ),
)
OWN_PARTS = (
    Part(
        name="web",
        ports=("web",),
        launch=_web,
        healthy=_web_is_ready,
        address=lambda place: place.web_url,
        needs=(POLICY_IN_FORCE,),
    ),
    _worker("worker-interactive", "interactive", 1, surroundings.for_worker),
    _worker("worker-bulk", "bulk", 2, surroundings.for_bulk_worker),
    _worker("worker-reconcile", "reconcile,mail", 3, surroundings.for_worker),
    Part(
        name="flower",
        ports=("flower",),
        launch=_flower,
        healthy=_flower_answers,
        address=flower_url,
        login=lambda place: f"{surroundings.OPERATOR} / {place.credentials.flower}",
        needs=("redis",),
    ),
    Part(name="beat", launch=_beat, healthy=_beat_ticks, needs=("redis", REALM_APPLIED)),
)
