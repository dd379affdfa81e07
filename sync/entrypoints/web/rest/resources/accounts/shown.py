"""One account as it is answered, after a command or without one: its ETag is the wanted version."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from fastapi import Response

from sync.commands.perform import rehearsed
from sync.desk import Desk
from sync.domain.access.admission import Admitted
from sync.entrypoints.web.caller import administered
from sync.entrypoints.web.rest.parts import Parts
from sync.entrypoints.web.rest.resources.accounts.refusals import refusals_told
from sync.entrypoints.web.rest.resources.accounts.shapes import of_view
from sync.entrypoints.web.rest.resources.accounts.target import Seen
from sync.views.accounts.account import account_view


def shown(parts: Parts, by: Admitted, account_id: str, response: Response) -> dict[str, Any]:
    """Raises NotFound, NotAllowed."""
    with parts.database.read() as tx:
        view = account_view(tx, administered(by), account_id, parts.clock.now())
    if view.work is not None:
        response.headers["ETag"] = f'"{view.work.wanted_version}"'
    return of_view(view)


def after(
    parts: Parts,
    by: Admitted,
    seen: Seen,
    command: Callable[[Desk], object],
    response: Response,
    *,
    dry_run: bool,
    attributes: Collection[str] = (),
) -> dict[str, Any]:
    """The account after the command; after a rehearsal without an ETag, for no such version is wanted.
    `attributes` as in `refusals_told`. Raises ApiProblem, and what goes through it."""
    account_id, scope, desk = seen.account.id, administered(by), parts.desk()
    with seen.compared(), refusals_told(by, attributes):
        if dry_run:
            now = parts.clock.now()
            return rehearsed(desk, command, lambda tx: of_view(account_view(tx, scope, account_id, now)))
        command(desk)
    return shown(parts, by, account_id, response)
