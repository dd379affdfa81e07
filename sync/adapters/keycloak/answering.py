"""Asks the realm, without any login of ours, for what every login begins with. What a worker's client may or may
not do is no matter here: people log in without it."""

from __future__ import annotations

import time
from http import HTTPStatus

import requests

from sync.adapters.deadline import within
from sync.adapters.requests_in_time import DeadlineAdapter

PATIENCE_SECONDS = 3.0
"""For the whole question, looking up the name and reading the answer included. Whoever logs in waits no longer
gladly, and a worker has other work."""


class KeycloakAnswering:
    """`realm_url` is the realm's address, as our processes reach it."""

    def __init__(self, realm_url: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._url = f"{realm_url}/.well-known/openid-configuration"
        self._patience = patience_seconds

    def ask(self) -> str | None:
        session = requests.Session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, DeadlineAdapter(pool=1))
        until = time.monotonic() + self._patience
        try:
            with session, within(self._patience):
                answer = session.get(self._url)
        except requests.RequestException as error:
            if time.monotonic() >= until:
                return f"no answer within {self._patience:g} s"
            return f"not reachable ({type(error).__name__})"
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return "the realm does not exist"
        return None if answer.ok else f"answers HTTP {answer.status_code}"
