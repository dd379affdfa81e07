"""A Redis that refuses writes: changes are stored and told, and go on by themselves when it takes them again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from sync.devstack.ports import free_ports
from sync.devstack.process import end, launch, wait_until_ready
from sync.devstack.services.redis_server import redis_answers, redis_launch, redis_url
from tests.chaos.worker_processes import Workers
from tests.e2e.command_line import CommandLine
from tests.e2e.place import Place
from tests.waiting import wait_until

pytestmark = [pytest.mark.keycloak, pytest.mark.stack]

WHY = ("--reason", "as the ticket says")
KNOWN = ("--given-name", "Neo", "--family-name", "Wait", "--profile", "dispatcher", "--branch", "hamburg", *WHY)


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis that this module may treat badly."""
    [port] = free_ports(1)
    folder, password = tmp_path_factory.mktemp("own-redis"), secrets.token_urlsafe(12)
    url = redis_url(port, password)
    running = launch(redis_launch(folder, port, password, folder / "redis.log"))
    try:
        wait_until_ready(running, lambda: redis_answers(url), seconds=20)
        yield url
    finally:
        end([running])


REFUSALS = {"out of memory": ("maxmemory", "1", "0"), "read-only replica": ("replicaof", "127.0.0.1 1", "no one")}


def refuse(url: str, how: str, *, now: bool) -> None:
    client = redis.Redis.from_url(url)
    name, on, off = REFUSALS[how]
    value = on if now else off
    if name == "replicaof":
        client.execute_command("REPLICAOF", *value.split())
    else:
        client.config_set(name, value)
    client.close()


@pytest.mark.req("H1", "H2", "H3")
@pytest.mark.parametrize("how", list(REFUSALS))
def test_a_redis_that_refuses_writes(
    settings_file: Path, place: Place, own_redis: str, tmp_path: Path, how: str
) -> None:
    """The door says so within seconds, ops status tells it with its remedy, and nobody has to do anything after
    it."""
    shell = CommandLine(tmp_path, settings_file)
    own = {"FSM_REDIS_URL": own_redis}
    workers = Workers(tmp_path, {"FSM_SETTINGS": str(settings_file), **own})
    worker = workers.start("patient", "interactive,bulk,reconcile,mail")
    try:
        wait_until(lambda: "ready" in worker.log.read_text(), 60, "the worker does not start")
        refuse(own_redis, how, now=True)
        email = f"n{secrets.token_hex(4)}@example.com"
        said = shell.run("account", "create", "--email", email, "--no-wait", "--even-if-similar", *KNOWN, **own)
        assert said.code == 0, said
        assert "workers could not be woken" in said.err
        status = shell.run("ops", "status", **own)
        assert status.code == 1
        assert "workers cannot be woken" in status.out
        assert "maxmemory" in status.out
        refuse(own_redis, how, now=False)
        workers.start_beat()
        wait_until(
            lambda: bool(place.realm.get("users", username=email, exact=True)), 60, "the worker does not go on"
        )
        wait_until(
            lambda: "workers cannot be woken" not in shell.run("ops", "status", **own).out, 60, "it is still told"
        )
    finally:
        refuse(own_redis, how, now=False)
        workers.end()
