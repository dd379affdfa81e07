"""HTML pages from the templates of this package, and the pages for what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from fastapi import FastAPI, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from mappings import MappingErrors
from mappings.policy import Policy
from sync.domain.errors import Failure
from sync.entrypoints.web.console.visit import Visit

NAMELESS = "Field service"
"""Stands where realm.toml names no company."""

log = structlog.get_logger()


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("sync.entrypoints.web.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass(frozen=True)
class Pages:
    """`account_console` is Keycloak's own page for password, second factor and sessions. `policy` returns the one
    in force: every page bears the company's name."""

    account_console: str
    policy: Callable[[], Policy]
    environment: Environment = field(default_factory=_environment)

    def page(self, template: str, *, status: int = 200, visit: Visit | None = None, **values: object) -> Response:
        """Render a template; with a visit it has a button to log out."""
        text = self.environment.get_template(template).render(
            account_console=self.account_console, brand=self._brand(), visit=visit, **values
        )
        return HTMLResponse(text, status_code=status)

    def _brand(self) -> str:
        """A page that says what is wrong needs no database."""
        try:
            return self.policy().realm.company or NAMELESS
        except (Failure, MappingErrors):
            return NAMELESS

    def error(self, status: int, title: str, reason: str) -> Response:
        return self.page("error.html", status=status, title=title, reason=reason)

    def login_not_possible(self) -> Response:
        return self.error(503, "Logging in is not possible now", "The login service does not answer.")


def add_error_pages(app: FastAPI, pages: Pages) -> None:
    """Pages instead of bare text, for an unknown address and for a failure of `sync.domain.errors`."""

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return pages.error(404, "There is no such page", "Perhaps the address was mistyped.")
        return pages.error(error.status_code, "This is not possible", str(error.detail))

    @app.exception_handler(Failure)
    async def failed(request: Request, failure: Failure) -> Response:
        log.warning("page failed", path=request.url.path, kind=failure.kind, reason=str(failure))
        return pages.error(503, "This is not possible now", "The database cannot be used. Please try again later.")
