"""One question to the FSM system over HTTP: sent once, bounded in time and size, and answered by a shape that was
checked or by a `Failure`.

Redirects are not followed: they would carry our token elsewhere. No message shows the token or what was answered
instead of the contract, which may be anybody's data.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import requests
from pydantic import BaseModel, ValidationError
from requests.auth import AuthBase
from urllib3.exceptions import TimeoutError as AnyTimeout

from sync.adapters import deadline
from sync.adapters.fsm.engine import FSM, SETTING
from sync.adapters.fsm.http_shapes import ProblemShape
from sync.adapters.requests_in_time import DeadlineAdapter, retry_after
from sync.domain.errors import Failure, FailureCode, Misconfigured, NeedsPerson, Transient

Shaped = TypeVar("Shaped", bound=BaseModel)
Params = Sequence[tuple[str, str]]

TOKEN_SETTING = "FSM_FIELD_SERVICE_TOKEN"  # noqa: S105 - a name
LARGEST_BODY = 8 * 1024 * 1024
"""Bytes, unpacked: some thirty thousand work orders."""

CHUNK = 64 * 1024
POOL = 4
LATER = (408, 425, 429)
"""Timed out, too early, too many: "not now"."""


class Refusal(Exception):
    """The FSM system says no by a code of the contract: whoever asked knows what that means."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class Asking:
    """The sockets are made at the first question and made anew in a forked process."""

    def __init__(self, url: str, token: str, timeout_seconds: float) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._timeout = timeout_seconds
        self._opened: tuple[int, requests.Session] | None = None

    def get(self, path: str, shape: type[Shaped], params: Params = ()) -> Shaped:
        return self._asked("GET", path, shape, params=params)

    def put(self, path: str, shape: type[Shaped]) -> Shaped:
        return self._asked("PUT", path, shape)

    def delete(self, path: str, shape: type[Shaped]) -> Shaped:
        return self._asked("DELETE", path, shape)

    def post(self, path: str, shape: type[Shaped], body: Mapping[str, object]) -> Shaped:
        return self._asked("POST", path, shape, body=body)

    def differs(self, what: str) -> Misconfigured:
        """The answer is not what the contract says. It may repeat our token, which is not told."""
        what = self._without_token(what)
        return Misconfigured(
            f"the FSM system at {self._url} does not keep to the contract of docs/field-service.md: {what}",
            system=FSM,
            code=FailureCode.CONTRACT_DIFFERS,
            about=FSM,
        )

    def away(self, why: str, code: FailureCode = FailureCode.UNAVAILABLE) -> Transient:
        return Transient(
            f"the FSM system at {self._url} cannot be asked just now: {why}", system=FSM, code=code, about=FSM
        )

    def _asked(
        self,
        method: str,
        path: str,
        shape: type[Shaped],
        *,
        params: Params = (),
        body: Mapping[str, object] | None = None,
    ) -> Shaped:
        """Raises a Failure, or Refusal for a problem of the contract."""
        try:
            with (
                deadline.within(self._timeout),
                self._session().request(
                    method,
                    f"{self._url}/{path}",
                    params=list(params),
                    json=body,
                    auth=_Bearer(self._token),
                    headers={"Accept": "application/json, application/problem+json"},
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                content = self._content(response)
        except requests.exceptions.RequestException as error:
            raise self._no_answer(error) from None
        except (TimeoutError, AnyTimeout):
            raise self.away("no answer in time", FailureCode.UNREACHABLE) from None
        if response.status_code != 200:
            raise self._refused(response, content)
        return self._shaped(content, shape, f"{method} {shape.__name__}")

    def _content(self, response: requests.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        for chunk in response.iter_content(CHUNK):
            size += len(chunk)
            if size > LARGEST_BODY:
                raise self.differs(
                    f"an answer of more than {LARGEST_BODY // 1024 // 1024} MiB; send smaller pages"
                )
            parts.append(chunk)
        return b"".join(parts)

    def _shaped(self, content: bytes, shape: type[Shaped], doing: str) -> Shaped:
        try:
            parsed = json.loads(content)
        except (ValueError, RecursionError):
            raise self.away("it answers with something that is not JSON, or with half of it") from None
        if isinstance(parsed, dict) and {"error", "errors"} & parsed.keys():
            raise self.away("it answers 200 with an error inside")
        try:
            return shape.model_validate_json(content)
        except ValidationError as error:
            raise self.differs(f"{doing}: {'; '.join(_wrong(error))}") from None

    def _refused(self, response: requests.Response, content: bytes) -> Failure | Refusal:
        status = response.status_code
        if status >= 500 or status in LATER:
            failure = self.away(f"it answers {status}")
            failure.retry_after = retry_after(response)
            return failure
        if status in {401, 403}:
            return self._unusable(f"refuses us ({status}); check {TOKEN_SETTING}", FailureCode.ACCESS_REFUSED)
        if 300 <= status < 400:
            return self._unusable(
                f"redirects elsewhere ({status}); set {SETTING} to the final address", FailureCode.SETTING_WRONG
            )
        try:
            code = ProblemShape.model_validate_json(content).code
        except ValidationError:
            return self.differs(f"{status} without a problem that has a code; check {SETTING}")
        return Refusal(status, self._without_token(code))

    def _no_answer(self, error: requests.exceptions.RequestException) -> Failure:
        """`error` may show the address alone: ours has no login in it, and headers are never told."""
        match error:
            case requests.exceptions.SSLError() if "UNEXPECTED_EOF" not in str(error):
                return self._unusable(
                    "has a TLS certificate that this machine does not accept", FailureCode.SETTING_WRONG
                )
            case requests.exceptions.InvalidURL() | requests.exceptions.InvalidSchema():
                return self._unusable("is not an address", FailureCode.SETTING_WRONG)
            case requests.exceptions.ChunkedEncodingError() | requests.exceptions.ContentDecodingError():
                why = "its answer broke off"
            case requests.exceptions.Timeout():
                why = "no answer in time"
            case _ if any(isinstance(each, TimeoutError | AnyTimeout) for each in _inside(error)):
                why = "no answer in time"
            case _:
                why = "not reachable"
        return self.away(why, FailureCode.UNREACHABLE)

    def _without_token(self, answered: str) -> str:
        return answered.replace(self._token, "…")

    def _unusable(self, what: str, code: FailureCode) -> Misconfigured:
        return Misconfigured(f"{SETTING}: the FSM system at {self._url} {what}", system=FSM, code=code, about=FSM)

    def _session(self) -> requests.Session:
        opened = self._opened
        if opened is not None and opened[0] == os.getpid():
            return opened[1]
        session = requests.Session()
        for scheme in ("https://", "http://"):
            session.mount(scheme, DeadlineAdapter(POOL))
        self._opened = os.getpid(), session
        return session


class _Bearer(AuthBase):
    """An object and no header of the session, so that no .netrc of the machine takes its place."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def segment(name: str) -> str:
    """A name as one part of a path. Raises NeedsPerson for one that would lead to another path."""
    if name in {"", ".", ".."}:
        raise NeedsPerson(
            f"{name!r} cannot be a technician record of the FSM system", code=FailureCode.VALUE_REFUSED
        )
    return quote(name, safe="")


def _wrong(error: ValidationError) -> Iterator[str]:
    """Where and what, never the value."""
    for each in error.errors(include_input=False, include_url=False)[:3]:
        place = ".".join(str(part) for part in each["loc"]) or "the answer"
        yield f"{place}: {each['msg']}"


def _inside(error: BaseException) -> Iterator[Any]:
    for each in error.args:
        yield each
        yield from getattr(each, "args", ())
