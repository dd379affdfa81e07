"""What goes wrong over HTTP, as RFC 9457 says it: one code for each thing that a caller mends in its own way.

`type` leads to a page of this process that explains the code (`problem_pages`). A text never holds a value that
the caller may not see, and no secret.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from sync.domain.errors import Failure, NotAllowed, NotFound, Problem, Refused
from sync.entrypoints.web.console.pages import Pages

PROBLEM_PATH: Final = "/problems"
MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 5
"""For what is away just now."""

log = structlog.get_logger()


class Code(StrEnum):
    """Each has an entry in `MEANINGS`, and with it a page."""

    TOKEN_MISSING = "token-missing"  # noqa: S105 - a code
    TOKEN_REFUSED = "token-refused"  # noqa: S105 - a code
    CHANGED_SINCE = "account-changed"
    NO_ACCOUNT = "no-account"
    NOT_ALLOWED = "not-allowed"
    NOT_FOUND = "not-found"
    NO_SUCH_METHOD = "method-not-allowed"
    BAD_PARAMETER = "bad-parameter"
    BAD_CURSOR = "bad-cursor"
    BAD_CONTENT = "bad-content"
    TOO_LARGE = "too-large"
    WEBHOOK_SECRET = "webhook-secret"  # noqa: S105 - a code
    REFUSED = "refused"
    WITHOUT_VERSION = "precondition-required"
    OUTDATED = "changed-since"
    AWAY = "not-available-now"
    UNFORESEEN = "unforeseen"


@dataclass(frozen=True, slots=True)
class Meaning:
    """`text` is the page: what happened, and what the caller can do."""

    status: int
    title: str
    text: str


MEANINGS: Final[Mapping[Code, Meaning]] = {
    Code.TOKEN_MISSING: Meaning(
        401,
        "The request bears no access token",
        "Send one of Keycloak's access tokens in the header Authorization, after the word Bearer.",
    ),
    Code.TOKEN_REFUSED: Meaning(
        401,
        "The access token is not accepted",
        "It has expired, is not genuine, or was made for another application. Ask Keycloak for a new one; its "
        "client needs the client scope fsm-api.",
    ),
    Code.CHANGED_SINCE: Meaning(
        401,
        "The account has changed since the token was made",
        "A token says what was true when it was made. Ask Keycloak for a new one, once the change has reached it.",
    ),
    Code.NO_ACCOUNT: Meaning(
        403,
        "Whoever asks has no active account here",
        "The login is genuine, and no active account of fsm-identity belongs to it. An administrator creates or "
        "reactivates one.",
    ),
    Code.NOT_ALLOWED: Meaning(
        403,
        "This is not for whoever asks",
        "The account lacks the feature, the rank or the data access for it. An administrator of more may do it.",
    ),
    Code.NOT_FOUND: Meaning(
        404,
        "There is no such thing",
        "It does not exist, or it lies outside what the caller may see: the two are told alike.",
    ),
    Code.NO_SUCH_METHOD: Meaning(
        405, "The address knows no such method", "The header Allow names those that it knows."
    ),
    Code.BAD_PARAMETER: Meaning(
        400,
        "A parameter of the address is unknown or has a wrong value",
        "Nothing was done. Unknown parameters are refused, so that a mistyped one never changes what is meant.",
    ),
    Code.BAD_CURSOR: Meaning(
        400,
        "The cursor does not belong to this list",
        "Cursors are good for an hour, for the caller who got them and for the same filter. Begin the list again.",
    ),
    Code.BAD_CONTENT: Meaning(
        422, "The content is not what the address takes", "Each member of errors says where, and what is wrong."
    ),
    Code.TOO_LARGE: Meaning(
        413, "The content is too large", "Nothing was done. Send less at once, in several requests."
    ),
    Code.WEBHOOK_SECRET: Meaning(
        401,
        "The request does not bear the secret of this webhook",
        "Send the secret of the settings in the header Authorization, after the word Bearer.",
    ),
    Code.REFUSED: Meaning(
        422,
        "This is refused",
        "Nothing was stored. Each member of errors says what is in the way and what mends it.",
    ),
    Code.WITHOUT_VERSION: Meaning(
        428,
        "The request does not say which version it is about",
        "Nothing was done. Read the account and send its ETag in the header If-Match: then nobody changes what "
        "somebody else has just changed. The version * is refused, for it names none.",
    ),
    Code.OUTDATED: Meaning(
        412,
        "The account was changed since it was read",
        "Nothing was done. Each member of errors has a field as the request wants it (mine), as it is wanted now "
        "(theirs) and, where that is known, as it was in the version of If-Match (was). Decide with it, and send "
        "the request again with the new ETag.",
    ),
    Code.AWAY: Meaning(
        503, "This is not possible just now", "Something that is needed does not answer. Try again a little later."
    ),
    Code.UNFORESEEN: Meaning(
        500,
        "Something went wrong that nobody foresaw",
        "It is in the log of the web process under the id that instance names.",
    ),
}


class ErrorShape(BaseModel):
    """One thing that is wrong. `pointer` (RFC 6901) leads into the content; `parameter` is one of the address. Of
    what was changed since: a value as the request wants it, as it is now, and as it was."""

    pointer: str | None = None
    parameter: str | None = None
    code: str | None = None
    reason: str
    remedy: str | None = None
    mine: Any = None
    theirs: Any = None
    was: Any = None


class ProblemShape(BaseModel):
    """RFC 9457. `type` is a page that explains it, `instance` the id under which the request stands in our log."""

    type: str
    title: str
    status: int
    instance: str
    detail: str | None = None
    errors: list[ErrorShape] | None = None


class ApiProblem(Exception):
    """A door of the API refuses with this code. `detail` says what is particular about this time. `pointers` are
    errors as JSON, in place of `errors`."""

    def __init__(
        self,
        code: Code,
        detail: str = "",
        errors: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
        pointers: Sequence[Mapping[str, object]] = (),
    ) -> None:
        super().__init__(detail or MEANINGS[code].title)
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.pointers = tuple(pointers)


def answer(request: Request, problem: ApiProblem, pointers: Sequence[Mapping[str, object]] = ()) -> Response:
    """The problem as JSON. `pointers` are errors that have one already, instead of those of the problem."""
    meaning = MEANINGS[problem.code]
    body: dict[str, object] = {
        "type": f"{request.app.state.public_url}{PROBLEM_PATH}/{problem.code}",
        "title": meaning.title,
        "status": meaning.status,
        "instance": f"urn:uuid:{request_id(request)}",
    }
    if problem.detail:
        body["detail"] = problem.detail
    errors: list[Mapping[str, object]] = list(pointers) or [pointed(each) for each in problem.errors]
    if errors:
        body["errors"] = errors
    return JSONResponse(body, meaning.status, headers=problem.headers, media_type=MEDIA_TYPE)


def request_id(request: Request) -> str:
    """One for the whole of a request, made by us: who asks cannot choose what stands in our log."""
    if not hasattr(request.state, "id"):
        request.state.id = str(uuid.uuid4())
    return str(request.state.id)


def add_problems(app: FastAPI, public_url: str) -> None:
    """Every error of the application becomes a problem; nothing of an unforeseen one is told but its id."""
    app.state.public_url = public_url

    @app.exception_handler(ApiProblem)
    async def refused_here(request: Request, problem: ApiProblem) -> Response:
        return answer(request, problem, problem.pointers)

    @app.exception_handler(Refused)
    async def refused(request: Request, refusal: Refused) -> Response:
        return answer(request, ApiProblem(_code_of(refusal), errors=refusal.problems))

    @app.exception_handler(RequestValidationError)
    async def not_understood(request: Request, wrong: RequestValidationError) -> Response:
        in_address = any(error["loc"][0] != "body" for error in wrong.errors())
        problem = ApiProblem(Code.BAD_PARAMETER if in_address else Code.BAD_CONTENT)
        return answer(request, problem, [of_pydantic(error) for error in wrong.errors()])

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> Response:
        code = {404: Code.NOT_FOUND, 405: Code.NO_SUCH_METHOD}.get(error.status_code, Code.BAD_CONTENT)
        return answer(request, ApiProblem(code, headers=error.headers))

    @app.exception_handler(Failure)
    async def away(request: Request, failure: Failure) -> Response:
        log.warning("request failed", id=request_id(request), kind=failure.kind, reason=str(failure))
        return answer(request, ApiProblem(Code.AWAY, headers={"Retry-After": str(RETRY_SECONDS)}))

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        log.error("request ended unforeseen", id=request_id(request), type=type(error).__name__)
        return answer(request, ApiProblem(Code.UNFORESEEN))


def _code_of(refusal: Refused) -> Code:
    if isinstance(refusal, NotFound):
        return Code.NOT_FOUND
    return Code.NOT_ALLOWED if isinstance(refusal, NotAllowed) else Code.REFUSED


def pointed(problem: Problem) -> dict[str, str]:
    """As JSON. A field may lead into another, as in `attributes/vehicle`."""
    told = {name: text for name, text in asdict(problem).items() if text}
    field = told.pop("field", "")
    return ({"pointer": f"/{field}"} if field else {}) | told


def of_pydantic(error: Mapping[str, object]) -> dict[str, str]:
    """Where and why; never what was sent, which may be a secret in the wrong place."""
    where, *path = map(str, error["loc"])  # type: ignore[call-overload]
    place = {"pointer": "".join(f"/{each}" for each in path)} if where == "body" else {"parameter": path[-1]}
    return place | {"code": str(error["type"]), "reason": str(error["msg"])}


def problem_pages(pages: Pages) -> APIRouter:
    """A page a code, to which `type` leads."""
    router = APIRouter()

    @router.get(f"{PROBLEM_PATH}/{{code}}", include_in_schema=False)
    def explain(code: Code) -> Response:
        return pages.page("problem.html", code=code.value, meaning=MEANINGS[code])

    return router
