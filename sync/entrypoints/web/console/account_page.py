"""`/`: the page on which a person sees the own account, its access, and why (I5). It changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from mappings.policy import Policy
from sync.entrypoints.web.console.own_account import own_account
from sync.entrypoints.web.console.pages import Pages
from sync.entrypoints.web.console.visit import current
from sync.store.database.transactions import Database
from sync.views.accounts import account as views


def account_routes(database: Database, policy: Callable[[], Policy], pages: Pages) -> APIRouter:
    """`policy` returns the one in force."""
    router = APIRouter()

    @router.get("/")
    def own(request: Request) -> Response:
        """The account is the one of the token's subject: there is no way to ask for another one's."""
        visit = current(request.session, time.time())
        if visit is None:
            return RedirectResponse("/login", status_code=303)
        if visit.no_access:
            return pages.page("no_access.html", status=403, visit=visit)
        with database.read() as tx:
            found = views.own_account(tx, visit.subject)
        if found is None:
            return pages.page("no_account.html", status=404, visit=visit)
        return pages.page("account.html", visit=visit, own=own_account(*found, visit, policy()))

    return router
