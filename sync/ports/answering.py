"""Whether Keycloak answers people at all. One implementation asks it, one is the fake of the tests."""

from __future__ import annotations

from typing import Protocol


class Answering(Protocol):
    def ask(self) -> str | None:
        """Why the realm's login does not answer, in words without a secret; None: it does. Ends within a few
        seconds, whatever the other side does, and raises nothing: not to be answered is the answer."""
        ...
