"""The webhook for bounces: a mail server, or a program beside it, says which mails came back (F7).

Who has its secret may say so of any address and learns nothing by it: the answer is the same whether an account
has the address or not. Without a secret in the settings there is no such address.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Annotated, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from starlette.responses import Response

from sync.commands.mail import Returned, bounced
from sync.commands.perform import perform
from sync.desk import BareDesk
from sync.domain.access.callers import System
from sync.domain.access.cause import Cause, Door
from sync.domain.errors import Problem
from sync.entrypoints.web.problems import ApiProblem, Code, add_problems, answer, of_pydantic

WEBHOOK_PATH: Final = "/webhooks/mail"
LARGEST_BODY: Final = 256 * 1024
MOST_AT_ONCE: Final = 500
FIRST_YEAR: Final = datetime(2000, 1, 1, tzinfo=UTC)

log = structlog.get_logger()


class BounceNews(BaseModel):
    """A mail came back for good. `reason` is what the mail server said, `at` when; without it just now."""

    model_config = ConfigDict(extra="forbid")

    address: Annotated[str, StringConstraints(min_length=3, max_length=320, pattern=r"^[^\x00-\x20\x7f]+$")]
    reason: str = Field(default="", max_length=10_000)
    at: AwareDatetime | None = Field(default=None, ge=FIRST_YEAR)


class ManyNews(BaseModel):
    """Several at once; all of them are noted, or none."""

    model_config = ConfigDict(extra="forbid")

    bounces: list[BounceNews] = Field(min_length=1, max_length=MOST_AT_ONCE)


_ONE: Final = TypeAdapter(BounceNews)
_MANY: Final = TypeAdapter(ManyNews)


def create_mail_webhook(desk: BareDesk, secret: str, public_url: str) -> FastAPI:
    """An application of its own, so that its errors are problems. `public_url` has no slash at its end."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_problems(app, public_url)

    @app.post("/bounces", status_code=204)
    async def bounces(request: Request) -> Response:
        _require(request, secret)
        if request.query_params:
            raise ApiProblem(Code.BAD_PARAMETER, "this address takes none", _unknown(request))
        try:
            news = _read(await _body(request))
        except ValidationError as error:
            told = [of_pydantic({**each, "loc": ("body", *each["loc"])}) for each in error.errors()]
            return answer(request, ApiProblem(Code.BAD_CONTENT), told)
        found = await run_in_threadpool(_noted, desk, news)
        log.info("bounces reported", told=len(news), new=found)
        return Response(status_code=204)

    return app


def _require(request: Request, secret: str) -> None:
    """Compared in the same time, however much of it is right. Raises ApiProblem."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    right = hmac.compare_digest(given.strip().encode(), secret.encode())
    if not right or scheme.lower() != "bearer":
        raise ApiProblem(Code.WEBHOOK_SECRET, headers={"WWW-Authenticate": "Bearer"})


def _unknown(request: Request) -> list[Problem]:
    return [Problem(name[:50], "is no parameter of this address") for name in request.query_params]


async def _body(request: Request) -> bytes:
    """Refused while it is read, not when all of it is here. Raises ApiProblem."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise ApiProblem(Code.TOO_LARGE, f"at most {LARGEST_BODY} bytes")
    return bytes(body)


def _read(body: bytes) -> list[BounceNews]:
    """One, or many of them: so that what is wrong is said of the form that was meant. Raises ValidationError."""
    if b'"bounces"' in body:
        return _MANY.validate_json(body).bounces
    return [_ONE.validate_json(body)]


def _noted(desk: BareDesk, news: list[BounceNews]) -> int:
    """Of how many accounts that was new."""
    by = Cause(System.MAIL_WEBHOOK, Door.WEBHOOK, "the mail server says so")
    returned = [Returned(each.address, each.reason, each.at) for each in news]
    now = desk.clock.now()
    return len(perform(desk, lambda tx: bounced(tx, desk.policy, returned, by, now), wakes=None))
