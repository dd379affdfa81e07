"""The account that a request is about, and the version of it that the caller has looked at.

Both are looked at before the content: what the caller may not see is not there, and what was changed since is told
field by field, whatever else is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Header, Request

from sync.domain.access.admission import Admitted
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.change import AccountChange
from sync.domain.errors import Outdated, Problem
from sync.entrypoints.web.caller import administered
from sync.entrypoints.web.problems import ApiProblem, Code
from sync.entrypoints.web.rest.parts import By, Parts, With
from sync.views.accounts.find import within
from sync.views.accounts.versions import stated_in, stated_now, version_now

_TAG = re.compile(r'"([0-9]{1,18})"')
_FIELDS = frozenset(AccountChange.__slots__) - {"attributes"} | {"life"}


def _target(parts: With, by: By, account_id: str) -> Account:
    scope = administered(by)
    with parts.database.read() as tx:
        return within(tx, scope, account_id)


Target: TypeAlias = Annotated[Account, Depends(_target)]
"""Raises NotFound, NotAllowed."""


async def _content(request: Request) -> Mapping[str, Any]:
    """The content as it came; nothing where it is no object, which is refused later."""
    try:
        found = await request.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


Sent: TypeAlias = Annotated[Mapping[str, Any], Depends(_content)]
IfMatch: TypeAlias = Annotated[
    str | None, Header(max_length=100, description="the ETag of the account; without it: 428")
]


@dataclass(frozen=True, slots=True)
class Seen:
    """An account, and its wanted version when the caller looked at it."""

    account: Account
    version: int
    _parts: Parts
    _by: Admitted
    _sent: Mapping[str, Any]

    @contextmanager
    def compared(self) -> Iterator[None]:
        """Around a command that compares the version once more, under its lock. Raises ApiProblem."""
        try:
            yield
        except Outdated:
            raise self.outdated() from None

    def outdated(self) -> ApiProblem:
        """Field by field: of what the request names, and of what was changed since."""
        scope = administered(self._by)
        with self._parts.database.read() as tx:
            now = stated_now(tx, scope, self.account.id)
            was = stated_in(tx, scope, self.account.id, self.version)
            version = version_now(tx, scope, self.account.id)
        mine = self._mine()
        changed = (
            set() if was is None else {name for name in now.keys() | was.keys() if now.get(name) != was.get(name)}
        )
        told = [
            {"pointer": f"/attributes/{_escaped(name)}" if name not in Account.__slots__ else f"/{name}"}
            | {"code": Code.OUTDATED.value, "reason": _reason(name, changed, known=was is not None)}
            | ({"mine": mine[name]} if name in mine else {})
            | {"theirs": now.get(name)}
            | ({} if was is None else {"was": was.get(name)})
            for name in sorted(mine.keys() | changed)
        ]
        tag = {} if version is None else {"ETag": f'"{version}"'}
        return ApiProblem(
            Code.OUTDATED, f"version {self.version} is not wanted any more", headers=tag, pointers=told
        )

    def _mine(self) -> Mapping[str, object]:
        own = self._sent.get("attributes")
        named = {name: value for name, value in self._sent.items() if name in _FIELDS}
        return named | (own if isinstance(own, dict) else {})


def _reason(name: str, changed: set[str], *, known: bool) -> str:
    if not known:
        return "it may have been changed since"
    return "it was changed since" if name in changed else "nobody has changed it since"


def _escaped(key: str) -> str:
    """RFC 6901, section 3."""
    return key.replace("~", "~0").replace("/", "~1")


def seen(parts: Parts, by: Admitted, account: Account, wanted: Mapping[str, Any], if_match: str | None) -> Seen:
    """`wanted` is what the request wants of it, by field. Raises ApiProblem for a request that names no version,
    or another one than is wanted now."""
    found = Seen(account, _version(if_match), parts, by, wanted)
    with parts.database.read() as tx:
        version = version_now(tx, administered(by), account.id)
    if version != found.version:
        raise found.outdated()
    return found


def _version(if_match: str | None) -> int:
    if if_match is None or if_match.strip() == "*":
        raise ApiProblem(Code.WITHOUT_VERSION, "" if if_match is None else "* names no version")
    found = _TAG.fullmatch(if_match.strip())
    if found is None:
        reason = Problem("", "is no ETag of an account", 'send one as in If-Match: "17"')
        told = {"parameter": "If-Match", "reason": reason.reason, "remedy": reason.remedy}
        raise ApiProblem(Code.BAD_PARAMETER, pointers=[told])
    return int(found[1])


def _changing(parts: With, by: By, target: Target, sent: Sent, if_match: IfMatch = None) -> Seen:
    return seen(parts, by, target, sent, if_match)


def _wanting(life: Life) -> Callable[..., Seen]:
    def dependency(parts: With, by: By, target: Target, if_match: IfMatch = None) -> Seen:
        return seen(parts, by, target, {"life": life.value}, if_match)

    return dependency


WithVersion: TypeAlias = Annotated[Seen, Depends(_changing)]
"""Of a change. Raises as `seen`, or like Target."""
ToDeactivate: TypeAlias = Annotated[Seen, Depends(_wanting(Life.INACTIVE))]
ToReactivate: TypeAlias = Annotated[Seen, Depends(_wanting(Life.ACTIVE))]
