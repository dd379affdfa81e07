"""Where a list goes on: signed, so that a cursor leads nowhere its caller did not get by the same question."""

from __future__ import annotations

from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer
from pydantic import BaseModel, ConfigDict, Field

from mappings.fingerprint import fingerprint
from sync.domain.access.admission import Admitted
from sync.domain.access.callers import key_of
from sync.domain.access.scope import Scope
from sync.entrypoints.web.problems import ApiProblem, Code

GOOD_FOR = 3600
"""Seconds."""

LONGEST_PAGE = 200


class PageQuery(BaseModel):
    """What every list is asked for. Its own filters are joined by "and"; what is left out filters nothing."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=100, ge=1, le=LONGEST_PAGE)
    cursor: str | None = Field(default=None, max_length=4000, description="`next` of the page before")

    def filters(self, *but: str) -> dict[str, Any]:
        """As JSON holds them: what two pages of one list have in common."""
        return self.model_dump(mode="json", exclude={"cursor", "limit", *but})


class Cursors:
    """`secret` is the same in every web process."""

    def __init__(self, secret: str) -> None:
        self._signer = URLSafeTimedSerializer(secret, salt="list cursor")

    def write(self, after: str, asked: str) -> str:
        """`asked` is `question` of what the list was asked for."""
        return str(self._signer.dumps([after, asked]))

    def after(self, query: PageQuery, asked: str) -> str | None:
        """What the list goes on after; None: it begins. Raises ApiProblem for a cursor of another question, caller
        or hour."""
        if query.cursor is None:
            return None
        try:
            after, was_asked = self._signer.loads(query.cursor, max_age=GOOD_FOR)
        except (BadData, ValueError, TypeError):
            raise ApiProblem(Code.BAD_CURSOR) from None
        if was_asked != asked:
            raise ApiProblem(Code.BAD_CURSOR)
        return str(after)


def question(of: Admitted, scope: Scope, *filters: object) -> str:
    """What makes two pages pages of one list: filter, scope and caller."""
    return fingerprint(key_of(of.caller), scope, filters)
