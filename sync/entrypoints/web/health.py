"""Is the process alive, and can it do its work: asked by load balancers, compose and operators.

Answers name what fails and how, never an address or a password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx
import redis
from fastapi import APIRouter
from fastapi.responses import JSONResponse

from sync.domain.errors import Failure
from sync.settings import Settings
from sync.store.database.transactions import Database

PATIENCE_SECONDS = 3.0

Check = Callable[[], str | None]
"""Returns None when all is well, else what is wrong, in words that hold no secret."""


def health_routes(settings: Settings, database: Database) -> APIRouter:
    router = APIRouter(prefix="/health")
    checks: Mapping[str, Check] = {
        "database": lambda: _database(database),
        "redis": lambda: _redis(settings.redis_url.get_secret_value()),
        "keycloak": lambda: _keycloak(f"{settings.keycloak.realm_url}/.well-known/openid-configuration"),
    }

    @router.get("/live")
    def live() -> JSONResponse:
        """The process answers; it says nothing about what it depends on."""
        return JSONResponse({"status": "live"})

    @router.get("/ready")
    def ready() -> JSONResponse:
        """503 when the database, Redis or Keycloak cannot be used, with the reason for each."""
        with ThreadPoolExecutor(len(checks)) as pool:
            found = dict(zip(checks, pool.map(lambda check: check(), checks.values()), strict=True))
        failing = {name: reason for name, reason in found.items() if reason}
        body = {
            "status": "not ready" if failing else "ready",
            "checks": {name: failing.get(name, "ok") for name in found},
        }
        return JSONResponse(body, status_code=503 if failing else 200)

    return router


def _database(database: Database) -> str | None:
    try:
        database.check_schema()
    except Failure as failure:
        return str(failure)
    return None


def _redis(url: str) -> str | None:
    try:
        with redis.Redis.from_url(
            url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
        ) as connection:
            connection.ping()
    except (redis.RedisError, ValueError) as error:
        return f"cannot be used: {type(error).__name__}"
    return None


def _keycloak(url: str) -> str | None:
    try:
        answer = httpx.get(url, timeout=PATIENCE_SECONDS)
    except httpx.HTTPError as error:
        return f"cannot be reached: {type(error).__name__}"
    if answer.status_code == httpx.codes.NOT_FOUND:
        return "the realm does not exist"
    return None if answer.is_success else f"answers HTTP {answer.status_code}"
