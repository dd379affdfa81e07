"""What every answer tells the browser: nothing from elsewhere, no frames, no scripts, nothing kept."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class SecurityHeaders:
    """Adds the headers to every HTTP answer of the application.

    `forms_lead_to` is the one foreign origin a form may end at: logging out goes on to Keycloak, and browsers
    hold redirects of a form to `form-action` too (CSP Level 3).
    """

    def __init__(self, app: ASGIApp, *, forms_lead_to: str, hsts: bool) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": (
                "default-src 'none'; style-src 'self'; img-src 'self'; "
                f"form-action 'self' {forms_lead_to}; frame-ancestors 'none'; base-uri 'none'"
            ),
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        }
        if hsts:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                kept = scope["path"].startswith("/static/")
                headers["Cache-Control"] = "public, max-age=3600" if kept else "no-store"
            await send(message)

        await self._app(scope, receive, send_with_headers)
