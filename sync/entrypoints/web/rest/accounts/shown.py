"""One account as it is answered: its ETag is the wanted version."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from sync.domain.access.admission import Admitted
from sync.entrypoints.web.caller import administered
from sync.entrypoints.web.rest.accounts.shapes import of_view
from sync.entrypoints.web.rest.parts import Parts
from sync.views.accounts.account import account_view


def shown(parts: Parts, by: Admitted, account_id: str, response: Response) -> dict[str, Any]:
    """Raises NotFound, NotAllowed."""
    with parts.database.read() as tx:
        view = account_view(tx, administered(by), account_id, parts.clock.now())
    if view.work is not None:
        response.headers["ETag"] = f'"{view.work.wanted_version}"'
    return of_view(view)
