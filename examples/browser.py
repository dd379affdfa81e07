"""A browser without a screen: follows redirects, keeps cookies, fills in Keycloak's real forms.

Keycloak's cookies are marked Secure on plain http too; like a browser on localhost this one sends them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import struct
import time
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import requests
from lxml import html

CALLBACK = "http://127.0.0.1:9/callback"

FORMS = {
    "kc-form-login": "password",
    "kc-otp-login-form": "code",
    "kc-totp-settings-form": "set up code",
    "kc-passwd-update-form": "new password",
    "kc-reset-password-form": "recovery",
    "kc-update-email-form": "new e-mail",
    "kc-update-profile-form": "profile",
    "register": "register passkey",
}


class NotAsExpected(Exception):
    """Something shows what it should not; the message says what was seen."""


@dataclass(frozen=True)
class Page:
    """What the browser shows. `asks` names what the form wants, "" where there is no form we know."""

    url: str
    status: int
    document: html.HtmlElement = field(repr=False)

    @property
    def asks(self) -> str:
        return next((name for form, name in FORMS.items() if self._by_id(form) is not None), "")

    @property
    def message(self) -> str:
        """What the page tells its reader: an alert, a field's error, an error page's or information text."""
        places = (
            "//*[contains(@class, 'alert')]|//*[starts-with(@id, 'input-error')]"
            "|//*[@id='kc-error-message']|//*[@id='kc-info-message']"
        )
        texts = (" ".join(each.text_content().split()) for each in self.document.xpath(places))
        return " ".join(dict.fromkeys(filter(None, texts)))

    @property
    def code(self) -> str | None:
        """The authorization code, if the login is over."""
        return parse_qs(urlsplit(self.url).query).get("code", [None])[0]

    def form(self) -> html.FormElement:
        form = next((found for name in FORMS if (found := self._by_id(name)) is not None), None)
        if form is None:
            shown = self.message or self.document.text_content()[:400]
            raise NotAsExpected(f"no form on {self.url}: {shown}")
        return form

    def link(self, text: str) -> str:
        """The address behind a link with this text."""
        [address] = self.document.xpath(f"//a[contains(normalize-space(.), '{text}')]/@href")[:1]
        return urljoin(self.url, str(address))

    def _by_id(self, name: str) -> Any:
        return next(iter(self.document.xpath(f"//form[@id='{name}']")), None)


@dataclass
class Browser:
    """One browser with its cookies, at one realm, as a user of the client `client_id`."""

    url: str
    realm: str
    client_id: str
    callback: str = CALLBACK
    http: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self._verifier = secrets.token_urlsafe(48)

    @property
    def endpoint(self) -> str:
        return f"{self.url}/realms/{self.realm}/protocol/openid-connect"

    def open_app(self, scope: str = "openid", **parameters: str) -> Page:
        """Go to the application, which sends the browser to Keycloak."""
        challenge = urlsafe_b64encode(hashlib.sha256(self._verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "client_id": self.client_id,
            "redirect_uri": self.callback,
            "response_type": "code",
            "scope": scope,
            "state": secrets.token_urlsafe(8),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **parameters,
        }
        return self.go(f"{self.endpoint}/auth?{urlencode(query)}")

    def go(self, url: str) -> Page:
        return self._follow(self._send("GET", url))

    def submit(self, page: Page, **values: str) -> Page:
        """Fill in the page's form and send it."""
        form = page.form()
        fields = {name: value for name, value in form.form_values() if name not in ("cancel-aia",)}
        address = urljoin(page.url, form.get("action"))
        return self._follow(self._send("POST", address, fields | values))

    def log_in(self, username: str, password: str, scope: str = "openid") -> Page:
        """Open the application and give username and password; the page that follows."""
        return self.submit(self.open_app(scope), username=username, password=password)

    def use_passkey(self, page: Page, fields: dict[str, str]) -> Page:
        """Send what the browser's passkey dialogue would put into the hidden form of the login page."""
        [form] = page.document.xpath("//form[@id='webauth']")
        return self._follow(self._send("POST", urljoin(page.url, form.get("action")), fields))

    def set_up_code(self, page: Page) -> tuple[Page, Authenticator]:
        """Do what the set-up page of the second factor asks for."""
        if page.asks != "set up code":
            raise NotAsExpected(f"Keycloak asks for {page.asks!r}: {page.message}")
        authenticator = Authenticator(dict(page.form().form_values())["totpSecret"])
        return self.submit(page, totp=authenticator.code(), userLabel="phone"), authenticator

    def tokens(self, page: Page) -> dict[str, Any]:
        """Exchange the code at the end of a login for tokens."""
        if not page.code:
            raise NotAsExpected(f"the login is not over: {page.asks or page.message} at {page.url}")
        answer = requests.post(
            f"{self.endpoint}/token",
            data={
                "grant_type": "authorization_code",
                "client_id": self.client_id,
                "redirect_uri": self.callback,
                "code": page.code,
                "code_verifier": self._verifier,
            },
            timeout=30,
        )
        if not answer.ok:
            raise NotAsExpected(f"no tokens for the code: {answer.text}")
        return dict(answer.json())

    def refresh(self, tokens: dict[str, Any]) -> requests.Response:
        return self.grant("refresh_token", refresh_token=tokens["refresh_token"])

    def grant(self, grant_type: str, **form: str) -> requests.Response:
        """Ask the token endpoint directly, without a page."""
        data = {"grant_type": grant_type, "client_id": self.client_id, **form}
        return requests.post(f"{self.endpoint}/token", data=data, timeout=30)

    def _send(self, method: str, url: str, form: dict[str, str] | None = None) -> requests.Response:
        answer = self.http.request(method, url, data=form, allow_redirects=False, timeout=30)
        for cookie in self.http.cookies:
            cookie.secure = False
        return answer

    def _follow(self, answer: requests.Response) -> Page:
        for _ in range(10):
            location = answer.headers.get("Location")
            if location is None:
                return Page(answer.url, answer.status_code, html.fromstring(answer.content or b"<html/>"))
            target = urljoin(answer.url, location)
            if target.startswith(self.callback):
                return Page(target, answer.status_code, html.fromstring("<html/>"))
            answer = self._send("GET", target)
        raise NotAsExpected(f"redirected without end: {answer.url}")


@dataclass(frozen=True)
class Authenticator:
    """An authenticator app: RFC 6238 with Keycloak's secret, whose bytes are the key. A code is good once;
    Keycloak takes this period's (`step` 0) and, looking ahead, the next one's (`step` 1)."""

    secret: str = field(repr=False)
    digits: int = 6
    period: int = 30

    @property
    def key(self) -> str:
        """The secret as people type it into an authenticator app."""
        return b32encode(self.secret.encode()).decode().rstrip("=")

    def code(self, step: int = 0) -> str:
        counter = int(time.time()) // self.period + step
        digest = hmac.new(self.secret.encode(), struct.pack(">Q", counter), hashlib.sha1).digest()
        offset = digest[-1] & 0xF
        number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
        return str(number % 10**self.digits).zfill(self.digits)

    def credential(self) -> dict[str, Any]:
        """The same as a credential of a user made by the admin API."""
        data = {
            "subType": "totp",
            "digits": self.digits,
            "counter": 0,
            "period": self.period,
            "algorithm": "HmacSHA1",
        }
        return {
            "type": "otp",
            "userLabel": "phone",
            "secretData": json.dumps({"value": self.secret}),
            "credentialData": json.dumps(data),
        }


def payload(token: str) -> dict[str, Any]:
    """What a token says; nothing is verified here."""
    part = token.split(".")[1]
    return dict(json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4))))
