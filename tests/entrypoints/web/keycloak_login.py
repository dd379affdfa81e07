"""A person at Keycloak's login page, played over HTTP: gets the form, fills it in, follows where it leads."""

from __future__ import annotations

import requests
from lxml import html
from starlette.testclient import TestClient

PUBLIC_URL = "http://127.0.0.1:8000"


class Person:
    """One browser: `console` speaks to the application under test, `keycloak` to the real Keycloak."""

    def __init__(self, app: object) -> None:
        self.console = TestClient(app, base_url=PUBLIC_URL, follow_redirects=False)  # type: ignore[arg-type]
        self.keycloak = requests.Session()

    def login(self, username: str, password: str) -> str:
        """Go to the application, log in at Keycloak, come back. Returns the address of the callback."""
        first = self.console.get("/")
        assert (first.status_code, first.headers["Location"]) == (303, "/login")
        to_keycloak = self.console.get("/login").headers["Location"]
        form_page = self.at_keycloak("GET", to_keycloak)
        callback = form_page.headers.get("Location")
        if callback is None:
            form = html.fromstring(form_page.text).get_element_by_id("kc-form-login")
            answer = self.at_keycloak("POST", form.get("action"), {"username": username, "password": password})
            callback = answer.headers["Location"]
        return callback.removeprefix(PUBLIC_URL)

    def at_keycloak(self, method: str, url: str, form: dict[str, str] | None = None) -> requests.Response:
        """Keycloak marks its cookies Secure on plain HTTP too; on the loopback browsers send them."""
        answer = self.keycloak.request(method, url, data=form, timeout=30, allow_redirects=False)
        for cookie in self.keycloak.cookies:
            cookie.secure = False
        return answer
