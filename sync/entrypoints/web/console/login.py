"""Logging in and out through Keycloak: authorization code flow with PKCE, state and nonce (OpenID Connect).

A visit lives as long as the access token, a few minutes; then Keycloak is asked again, which nobody notices while
the single sign-on session lives, and which ends the visit of a person who has been deactivated.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx
from authlib.integrations.starlette_client import OAuthError
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from joserfc.errors import JoseError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from sync.claims import ClaimsReader, FsmClaims, InvalidToken, KeysUnavailable, NoAccess
from sync.domain.realm.options import CONSOLE_CLIENT, LOGGED_IN_PATH, LOGGED_OUT_PATH
from sync.entrypoints.web.console.pages import Pages
from sync.entrypoints.web.console.visit import Visit, current, keep

SESSION_SECONDS = 3600
SHORTEST_VISIT_SECONDS = 60


class OidcClient(Protocol):
    """What we use of Authlib's client."""

    async def authorize_redirect(self, request: Request, redirect_uri: str) -> Response: ...

    async def authorize_access_token(
        self, request: Request, *, claims_options: dict[str, Any]
    ) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Login:
    """`issuer` is the realm as browsers reach it, `public_url` this process, neither with a slash at the end."""

    client: OidcClient
    reader: ClaimsReader
    issuer: str
    public_url: str

    async def visit(self, request: Request) -> Visit:
        """Take Keycloak's answer and verify it: the ID token with its nonce, the access token with its claims.

        Raises OAuthError, JoseError, httpx.HTTPError or a ClaimsError.
        """
        tokens = await self.client.authorize_access_token(
            request, claims_options={"iss": {"essential": True, "values": [self.issuer]}}
        )
        person = tokens["userinfo"]
        claims, no_access = await run_in_threadpool(self._access, tokens["access_token"])
        return Visit(
            subject=person["sub"],
            name=person.get("name", ""),
            username=person.get("preferred_username", ""),
            until=_until(claims),
            id_token=tokens["id_token"],
            no_access=no_access,
            **_granted(claims),
        )

    def _access(self, access_token: str) -> tuple[FsmClaims | None, str]:
        try:
            return self.reader.read(access_token), ""
        except NoAccess as error:
            return None, error.reason

    def logout_url(self, visit: Visit | None) -> str:
        """OpenID Connect RP-Initiated Logout 1.0: ends the single sign-on session and comes back."""
        query = {"client_id": CONSOLE_CLIENT, "post_logout_redirect_uri": f"{self.public_url}{LOGGED_OUT_PATH}"}
        if visit is not None and visit.id_token:
            query["id_token_hint"] = visit.id_token
        return f"{self.issuer}/protocol/openid-connect/logout?{urlencode(query)}"


def _until(claims: FsmClaims | None) -> float:
    soonest = time.time() + SHORTEST_VISIT_SECONDS
    return soonest if claims is None else max(soonest, claims.expires_at.timestamp())


def _granted(claims: FsmClaims | None) -> dict[str, Any]:
    if claims is None:
        return {}
    return {
        "profile": claims.profile,
        "features": tuple(sorted(claims.features)),
        "data_access": claims.data_access,
        "branch": claims.branch or "",
        "team": claims.team or "",
        "technician_id": claims.technician_id or "",
    }


def login_routes(login: Login, pages: Pages) -> APIRouter:
    router = APIRouter()

    @router.get("/login")
    async def start(request: Request) -> Response:
        try:
            return await login.client.authorize_redirect(request, f"{login.public_url}{LOGGED_IN_PATH}")
        except httpx.HTTPError:
            return pages.login_not_possible()

    @router.get(LOGGED_IN_PATH)
    async def finish(request: Request) -> Response:
        try:
            visit = await login.visit(request)
        except (httpx.HTTPError, KeysUnavailable):
            return pages.login_not_possible()
        except (OAuthError, JoseError, InvalidToken):
            return pages.error(
                400, "The login was not completed", "It took too long, or it was begun in another window."
            )
        keep(request.session, visit)
        return RedirectResponse("/", status_code=303)

    @router.post("/logout")
    def leave(request: Request) -> Response:
        visit = current(request.session, now=0)
        request.session.clear()
        return RedirectResponse(login.logout_url(visit), status_code=303)

    @router.get(LOGGED_OUT_PATH)
    def left() -> Response:
        return pages.page("logged_out.html")

    return router
