"""`/metrics` for Prometheus: computed from our database at most every few seconds, whoever asks how often (H3).

Who may ask: whoever has the token in FSM_METRICS_TOKEN; without a token only this machine itself. Keycloak and
Redis are not asked, so their outages do not reach it; that our database is away is a metric too.
"""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, cast

import structlog
from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from starlette.responses import PlainTextResponse, Response

from sync.domain.errors import Failure
from sync.entrypoints.web.exposition import gauge, metrics
from sync.settings import Settings
from sync.store.database.clock import DatabaseClock
from sync.store.database.transactions import Database
from sync.store.operations import figures

CACHED_SECONDS = 5.0
"""Two Prometheus servers and a curious person cost the database one reading in that time."""

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
"""What a proxy adds: then the machine that connects is not the one that asks."""

log = structlog.get_logger()


class Readings:
    """Reads the figures when Prometheus asks, and keeps the answer for a moment. Used by several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = DatabaseClock(database)
        self._lock = threading.Lock()
        self._kept: list[Metric] = []
        self._until = 0.0

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() >= self._until:
                self._kept = self._read()
                self._until = time.monotonic() + CACHED_SECONDS
            yield from self._kept

    def _read(self) -> list[Metric]:
        began = time.monotonic()
        try:
            now = self._clock.now()
            with self._database.read() as tx:
                found = figures.read(tx, now)
        except Failure as failure:
            log.warning("the metrics cannot be read", reason=str(failure))
            return [gauge("fsm_database_up", "1 if our database could be read.", 0)]
        took = time.monotonic() - began
        return [
            gauge("fsm_database_up", "1 if our database could be read.", 1),
            gauge("fsm_figures_seconds", "How long reading these figures took.", took),
            *metrics(found),
        ]


def metrics_routes(settings: Settings, database: Database) -> APIRouter:
    router = APIRouter()
    registry = CollectorRegistry()
    registry.register(cast(Any, Readings(database)))
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None

    @router.get("/metrics")
    def show(request: Request) -> Response:
        """401 without the token; 403 from another machine while no token is set."""
        if token is not None and not _carries(request, token):
            return PlainTextResponse(
                "the bearer token in FSM_METRICS_TOKEN is needed\n",
                status_code=401,
                headers={"WWW-Authenticate": "Bearer"},
            )
        if token is None and not _from_this_machine(request):
            return PlainTextResponse("set FSM_METRICS_TOKEN to ask from another machine\n", status_code=403)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _carries(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


def _from_this_machine(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
