"""How many wakes wait in each queue of the broker: a hint for operators, the work itself is in the database.

A Redis that answers and takes nothing wakes nobody, so a small write is tried too."""

from __future__ import annotations

from collections.abc import Mapping

from sync.domain.errors import FailureCode, Transient
from sync.domain.work.lane import Lane

PATIENCE_SECONDS = 2.0
KEPT_SECONDS = 60
PREFIX = "fsm:"
"""As in celeryconfig: one Redis may serve others too."""


def queue_depths(url: str) -> Mapping[Lane, int]:
    """Lane to messages. Raises Transient, without address or password, if Redis does not answer in seconds, or
    refuses what is written."""
    import redis

    try:
        with redis.Redis.from_url(
            url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS, retry=None
        ) as connection:
            connection.set(f"{PREFIX}tried", "1", ex=KEPT_SECONDS)
            return {lane: int(connection.llen(f"{PREFIX}{lane.value}")) for lane in Lane}
    except (redis.ReadOnlyError, redis.OutOfMemoryError) as error:
        raise Transient(f"Redis refuses ({error})", code=FailureCode.UNAVAILABLE, about="redis") from None
    except (redis.RedisError, OSError, ValueError) as error:
        told = f"Redis cannot be used: {type(error).__name__}"
        raise Transient(told, code=FailureCode.UNREACHABLE, about="redis") from None
