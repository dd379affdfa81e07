"""The parts that are ours, and the steps that set up what they need. All run as the user would run them.

Nothing is imported from them: they are other programs, told by their settings where everything is.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping

import httpx

from sync.devstack import surroundings
from sync.devstack.part import Part, Step
from sync.devstack.ports import LOOPBACK
from sync.devstack.process import Launch, python, run
from sync.devstack.surroundings import Surroundings

STEP_SECONDS = 180.0
PING_SECONDS = 30.0
SETTINGS = ("FSM_",)
"""What the user's own shell says of fsm-identity is not meant for the stack."""

COMMAND_LINE = python("-c", "from sync.entrypoints.cli import main; main()")
CELERY = python("-m", "celery", "-A", "workers.app")

Environment = Callable[[Surroundings], Mapping[str, str]]


def _step(name: str, *arguments: str, environment: Environment) -> Step:
    def do(place: Surroundings) -> None:
        log = place.layout.log(name.replace(" ", "-"))
        wanted = Launch(
            name, (*COMMAND_LINE, *arguments), log, place.layout.home, environment(place), without=SETTINGS
        )
        run(wanted, STEP_SECONDS)

    return Step(name, do)


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

    def answers(place: Surroundings) -> bool:
        asked = subprocess.run(
            (*CELERY, "inspect", "ping", "-d", node, "-t", "3"),
            env=_own(name, (), place, environment).whole_environment(),
            cwd=place.layout.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=PING_SECONDS,
        )
        return asked.returncode == 0

    return Part(name, launch, answers)


def _beat(place: Surroundings) -> Launch:
    options = ("-s", str(place.layout.beat_schedule), "--pidfile=", "-l", "INFO")
    return _own("beat", (*CELERY, "beat", *options), place, surroundings.common)


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
    _step("database upgrade", "database", "upgrade", environment=surroundings.for_command_line),
    _step("mappings adopt --first", "mappings", "adopt", "--first", environment=surroundings.for_command_line),
    _step("realm bootstrap", "realm", "bootstrap", environment=surroundings.for_bootstrap),
    _step("realm apply", "realm", "apply", "--yes", environment=surroundings.for_command_line),
)
OWN_PARTS = (
    Part(
        name="web",
        ports=("web",),
        launch=_web,
        healthy=_web_is_ready,
        address=lambda place: place.web_url,
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
        login=lambda place: f"{surroundings.FLOWER_USER} / {place.credentials.flower}",
    ),
    Part(name="beat", launch=_beat, healthy=lambda _: True, needs_realm=True),
)
