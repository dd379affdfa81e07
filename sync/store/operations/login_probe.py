"""The last answer to the question whether Keycloak answers: the state of a row of the table `schedule`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sync.domain.operations import LoginProbe
from sync.store.schedule import JobState

NAME: Final = "login-probe"


def of_jobs(jobs: Iterable[JobState]) -> LoginProbe | None:
    """None: nobody has ever asked."""
    return next((from_record(each.state) for each in jobs if each.name == NAME), None)


def record(probe: LoginProbe) -> dict[str, Any]:
    return {"asked_at": probe.asked_at.isoformat(), "since": probe.since.isoformat(), "reason": probe.reason}


def from_record(state: Mapping[str, Any]) -> LoginProbe | None:
    if "asked_at" not in state:
        return None
    return LoginProbe(
        datetime.fromisoformat(state["asked_at"]), datetime.fromisoformat(state["since"]), state["reason"]
    )
