"""Free ports of the loopback interface."""

from __future__ import annotations

import random
import socket

LOOPBACK = "127.0.0.1"
FIRST, LAST = 20_000, 32_000
"""Below those that systems give to outgoing connections: such a one would take the port of a service that is being
started anew."""


def free_ports(count: int) -> list[int]:
    """`count` different ports that nobody listens on now. Start the listener soon: nothing keeps them free. Raises
    OSError if there are not so many."""
    held: list[socket.socket] = []
    try:
        for port in random.sample(range(FIRST, LAST), LAST - FIRST):
            if len(held) == count:
                break
            candidate = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                candidate.bind((LOOPBACK, port))
            except OSError:
                candidate.close()
            else:
                held.append(candidate)
        if len(held) < count:
            raise OSError(f"{LOOPBACK} has no {count} free ports from {FIRST} to {LAST - 1}")
        return [int(listener.getsockname()[1]) for listener in held]
    finally:
        for listener in held:
            listener.close()


def listens(port: int) -> bool:
    """Whether someone accepts connections on the port of the loopback interface."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2):
            return True
    except OSError:
        return False
