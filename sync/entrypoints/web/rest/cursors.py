"""Where a list goes on: signed, so that a cursor leads nowhere its caller did not get by the same question."""

from __future__ import annotations

from itsdangerous import BadData, URLSafeTimedSerializer

from mappings.fingerprint import fingerprint
from sync.domain.access.admission import Admitted
from sync.domain.access.callers import key_of
from sync.domain.access.scope import Scope
from sync.entrypoints.web.problems import ApiProblem, Code

GOOD_FOR = 3600
"""Seconds."""


class Cursors:
    """`secret` is the same in every web process."""

    def __init__(self, secret: str) -> None:
        self._signer = URLSafeTimedSerializer(secret, salt="list cursor")

    def write(self, after: str, asked: str) -> str:
        """`asked` is `question` of what the list was asked for."""
        return str(self._signer.dumps([after, asked]))

    def read(self, cursor: str, asked: str) -> str:
        """What the list goes on after. Raises ApiProblem for a cursor of another question, caller or hour."""
        try:
            after, was_asked = self._signer.loads(cursor, max_age=GOOD_FOR)
        except (BadData, ValueError, TypeError):
            raise ApiProblem(Code.BAD_CURSOR) from None
        if was_asked != asked:
            raise ApiProblem(Code.BAD_CURSOR)
        return str(after)


def question(of: Admitted, scope: Scope, *filters: object) -> str:
    """What makes two pages pages of one list: filter, scope and caller."""
    return fingerprint(key_of(of.caller), scope, filters)
