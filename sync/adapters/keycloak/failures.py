"""Turns what Keycloak answers, or does not answer, into a `Failure` of the domain: the one place for it.

Each class here is a `Failure`, so an error that no caller looks at is already sorted by what to do next (H2);
a caller that knows more (a taken username, a user that is gone) catches the narrower class. Messages carry
Keycloak's own words, never what was sent: that may hold a password.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta

import requests
from urllib3.exceptions import TimeoutError as AnyTimeout

from sync.adapters.keycloak.demanded import NAMES
from sync.adapters.requests_in_time import retry_after
from sync.domain.errors import Conflict, Failure, FailureCode, Misconfigured, NeedsPerson, System, Transient

LONGEST_TEXT = 300

KEYCLOAK: System = "keycloak"
"""Named by a failure that every request would meet."""

BAD_ROW = 500
"""Also Keycloak's answer to a write that it does not like; other 5xx say that it cannot work at all for now."""

TIMEOUTS = (TimeoutError, AnyTimeout)
"""What requests carries where a request was not sent, or the body of an answer did not come, in time."""

LATER = (408, 425, 429)
"""Timed out, too early (RFC 8470), too many: answers that say "not now", not that something is wrong."""

REALM_MISSING = ("Realm not found", "Realm does not exist")
NOT_KEYCLOAK = "Unable to find matching target resource method"


class Unreachable(Transient):
    """No whole answer came: refused, reset, timed out or cut off. A write may have been carried out."""

    code = FailureCode.UNREACHABLE

    def __init__(self, message: str) -> None:
        super().__init__(message, system=KEYCLOAK)


class RealmMissing(Misconfigured):
    """Keycloak has no such realm."""

    code = FailureCode.REALM_MISSING

    def __init__(self, message: str) -> None:
        super().__init__(message, system=KEYCLOAK)


class Unwell(Transient):
    """Keycloak or a proxy answered 5xx or one of `LATER`. `status` is the HTTP status, `text` its words.

    500 to a write may be about what was written alone; to anything else Keycloak cannot work, as without its
    database. `retry_after` is how long it, or a proxy, asked to be left alone.
    """

    code = FailureCode.UNAVAILABLE

    def __init__(
        self,
        message: str,
        status: int,
        text: str,
        *,
        writing: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        system = None if writing and status == BAD_ROW else KEYCLOAK
        super().__init__(message, system=system, retry_after=retry_after)
        self.status = status
        self.text = text


class Gone(NeedsPerson):
    """404 for the thing itself: Keycloak says it does not exist."""

    code = FailureCode.NOT_FOUND


class Taken(Conflict):
    """409: a name, an e-mail address or an id is in use. `text` holds Keycloak's words."""

    code = FailureCode.NAME_TAKEN

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        self.text = text


class Invalid(NeedsPerson):
    """400, 422 or another refusal of what was sent. `text` holds Keycloak's words."""

    code = FailureCode.VALUE_REFUSED

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        self.text = text


class AttributeDemanded(Misconfigured):
    """The realm's user profile demands attributes that the user has no value for: every write of the user meets
    it,
    and of whoever has them nobody does. `names` are the attributes."""

    code = FailureCode.ATTRIBUTE_DEMANDED

    def __init__(self, realm: str, names: Iterable[str]) -> None:
        self.names = tuple(sorted(names))
        listed = ", ".join(self.names)
        super().__init__(
            f"the user profile of the realm {realm!r} demands {listed} of every user, and Keycloak refuses each "
            "change of who has no value: let nobody or users alone be asked for it in Keycloak's console (Realm "
            "settings, User profile), or give everybody a value",
            about=listed,
        )


DEMANDED = "error-user-attribute-required"


def no_answer(doing: str, url: str, error: BaseException) -> Failure:
    """The failure for a request without a whole answer, or of the lease that was lost before it was sent. `doing`
    is the method and path."""
    cause = error.__cause__ or error
    match cause:
        case Failure():
            return cause
        case requests.exceptions.SSLError() if "UNEXPECTED_EOF" in str(cause):
            return broken_off(doing, url)
        case requests.exceptions.SSLError():
            return _unusable(
                f"Keycloak at {url}: the TLS certificate was not accepted; check FSM_KEYCLOAK__URL and the "
                "certificates this machine trusts"
            )
        case requests.exceptions.InvalidURL() | requests.exceptions.InvalidSchema():
            return _unusable(f"{url} is not an address of Keycloak; check FSM_KEYCLOAK__URL")
        case requests.exceptions.TooManyRedirects():
            return _unusable(f"Keycloak at {url} redirects elsewhere; set FSM_KEYCLOAK__URL to the final address")
        case requests.exceptions.ConnectTimeout():
            reason = "no connection in time"
        case requests.exceptions.Timeout() | TimeoutError():
            reason = "no answer in time"
        case requests.exceptions.ConnectionError() if any(isinstance(each, TIMEOUTS) for each in _inside(cause)):
            reason = "no answer in time"
        case requests.exceptions.ChunkedEncodingError() | requests.exceptions.ContentDecodingError():
            return broken_off(doing, url)
        case _:
            reason = "not reachable"
    return Unreachable(f"Keycloak at {url}: {reason} ({doing})")


def _inside(error: BaseException) -> Iterator[object]:
    for each in error.args:
        yield each
        yield from getattr(each, "args", ())


def refused(doing: str, response: requests.Response, *, who: str, realm: str) -> Failure:
    """The failure for an answer that is not a success. `who` is the client or user that asked."""
    status, text = response.status_code, words(response.content)
    told = f"Keycloak answered {status} to {doing}: {text}"
    if status >= 500 or status in LATER:
        return Unwell(told, status, text, writing=not doing.startswith("GET "), retry_after=retry_after(response))
    if status == 401:
        return _unusable(f"{told}; {who} is not accepted, check that it exists and is enabled")
    if status == 403:
        return _unusable(
            f"{told}; {who} lacks a role in realm {realm!r}: run `fsm-identity realm apply` or give it the role"
        )
    if status == 404:
        return _not_found(told, response, text, realm)
    if status == 409:
        return Taken(told, text)
    lacking = _demanded(response.content)
    return AttributeDemanded(realm, lacking) if lacking else Invalid(told, text)


def sign_in_refused(response: requests.Response, *, who: str, credential: str, realm: str, url: str) -> Failure:
    """The failure for a token request that brought no token; RFC 6749 section 5.2 names the errors. The words of
    a success are not told: they may hold a token."""
    status = response.status_code
    if response.ok:
        return not_json("sign-in", url)
    text = words(response.content)
    told = f"Keycloak at {url} answered {status} and gave {who} no token: {text}"
    if status >= 500 or status in LATER:
        return Unwell(told, status, text, retry_after=retry_after(response))
    if text.startswith(REALM_MISSING):
        return _no_realm(realm)
    if status in (400, 401, 403):
        return _unusable(f"{told}; check that it exists in the realm {realm!r} and that {credential} is right")
    return _unusable(f"{told}; check that FSM_KEYCLOAK__URL is the address of Keycloak")


def _unusable(message: str) -> Misconfigured:
    """Nothing of ours works there before somebody mends it: wrong credentials, a missing right, a wrong
    address."""
    return Misconfigured(message, system=KEYCLOAK, code=FailureCode.ACCESS_REFUSED)


def broken_off(doing: str, url: str) -> Unreachable:
    return Unreachable(f"Keycloak at {url}: the answer broke off ({doing})")


def not_json(doing: str, url: str) -> Misconfigured:
    return _unusable(
        f"{url} answered {doing} with something that is not Keycloak's JSON; check that FSM_KEYCLOAK__URL is the "
        "address of Keycloak and that no proxy answers for it"
    )


def words(body: bytes | str) -> str:
    """Keycloak's own words from an error body of any shape, on one line and at most 300 characters."""
    raw = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        said = _said(json.loads(raw))
    except ValueError:
        said = re.sub(r"<[^>]*>", " ", raw)
    said = " ".join(said.split())
    return said[:LONGEST_TEXT] or "nothing said"


def _demanded(body: bytes) -> frozenset[str]:
    """The attributes that a refusal misses; none if it is, also, about anything else or about a name."""
    try:
        said = json.loads(body)
    except ValueError:
        return frozenset()
    errors = said.get("errors") or [said] if isinstance(said, dict) else []
    missing = [str(each["field"]) for each in errors if each.get("errorMessage") == DEMANDED and each.get("field")]
    return frozenset() if len(missing) < len(errors) or NAMES & set(missing) else frozenset(missing)


def _said(value: object) -> str:
    match value:
        case {"errors": list(errors)}:
            return "; ".join(_said(each) for each in errors)
        case {"field": field, "errorMessage": message}:
            return f"{field}: {message}"
        case {"errorMessage": message} | {"error_description": message} | {"message": message}:
            return str(message)
        case {"error": message}:
            return str(message)
        case list():
            return "; ".join(_said(each) for each in value)
        case _:
            return "" if value is None else str(value)


def _not_found(told: str, response: requests.Response, text: str, realm: str) -> Failure:
    if text.startswith(REALM_MISSING):
        return _no_realm(realm)
    if text.startswith(NOT_KEYCLOAK) or "json" not in response.headers.get("Content-Type", ""):
        return _unusable(f"{told}; check that FSM_KEYCLOAK__URL is the address of Keycloak")
    return Gone(told)


def _no_realm(realm: str) -> RealmMissing:
    return RealmMissing(
        f"Keycloak has no realm {realm!r}; check FSM_KEYCLOAK__REALM or run `fsm-identity realm bootstrap`"
    )
