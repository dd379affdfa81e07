"""A Keycloak that answers people, until a test says why it does not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class FakeAnswering:
    reason: str | None = None
    questions: int = 0

    def ask(self) -> str | None:
        self.questions += 1
        return self.reason
