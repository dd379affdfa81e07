"""Pages keep browsers from doing harm, and can be used by everybody."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import html
from starlette.testclient import TestClient

import sync.entrypoints.web.console as console_package
from mappings import load
from sync.domain.access.callers import CallerKey
from sync.entrypoints.web import create_app
from sync.entrypoints.web.console.own_account import own_account
from sync.entrypoints.web.console.pages import Pages
from sync.settings import SettingsError
from tests.entrypoints.web.conftest import MakeSettings
from tests.entrypoints.web.console.test_own_account import ACCOUNT, VISIT, given

pytestmark = [pytest.mark.req("I1"), pytest.mark.supports("I5")]

PACKAGE = Path(console_package.__file__).parent
STYLE = (PACKAGE.parent / "static" / "console.css").read_text()


@pytest.fixture
def console(make_settings: MakeSettings) -> TestClient:
    return TestClient(create_app(make_settings()), follow_redirects=False)


@pytest.mark.parametrize("path", ["/logged-out", "/no-such-page", "/health/live", "/static/console.css", "/"])
def test_every_answer_has_the_security_headers(console: TestClient, path: str) -> None:
    """No scripts, no frames, nothing from elsewhere; pages are not kept, the style sheet is."""
    headers = console.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:9;" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == ("public, max-age=3600" if path.startswith("/static") else "no-store")


@pytest.mark.supports("I7")
@pytest.mark.parametrize("path", ["/logged-out", "/no-such-page", "/login"])
def test_every_page_bears_the_name_of_the_company(console: TestClient, path: str) -> None:
    """Pages of what goes wrong too."""
    page = html.fromstring(console.get(path).text)
    assert page.findtext(".//title").endswith("Nordwind Gebäudetechnik")
    assert page.find_class("brand")[0].text == "Nordwind Gebäudetechnik"


def test_a_page_that_cannot_read_the_database_still_says_what_is_wrong(make_settings: MakeSettings) -> None:
    """Nobody has adopted mapping files, or the database is away: then nobody is named."""
    app = create_app(make_settings(database_url="sqlite:////nowhere/at-all.db"))
    answer = TestClient(app, follow_redirects=False).get("/no-such-page")
    assert answer.status_code == 404
    assert html.fromstring(answer.text).find_class("brand")[0].text == "Field service"


@pytest.mark.supports("I1", "I5")
def test_a_reason_stands_once_on_the_page() -> None:
    """And nobody is told of `root`."""
    policy = load()
    gave = replace(given(0, "root", "staff import"), caller=CallerKey("machine", "0", "host"))
    page = Pages("https://keycloak.example.com/account/", lambda: policy)
    text = page.page("account.html", visit=VISIT, own=own_account(ACCOUNT, (gave,), VISIT, policy)).body.decode()
    assert text.count("staff import") == 1
    assert "an administrator of Nordwind Gebäudetechnik" in text
    assert "root" not in text


def test_a_page_needs_nothing_from_elsewhere(console: TestClient) -> None:
    """Whatever the templates load stands in this package, and none of them runs a script or has a style inside."""
    for template in (PACKAGE / "templates").glob("*.html"):
        text = template.read_text()
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|(src|href)=\"(https?:)?//", text), template.name
    assert console.get("/static/console.css").headers["Content-Type"].startswith("text/css")


@pytest.mark.parametrize(("path", "status"), [("/logged-out", 200), ("/no-such-page", 404), ("/login", 503)])
def test_a_page_has_language_title_landmarks_and_one_heading(console: TestClient, path: str, status: int) -> None:
    """WCAG 2.2: 1.3.1, 2.4.1, 2.4.2, 3.1.1. Keycloak that does not answer is a page too."""
    answer = console.get(path)
    assert answer.status_code == status
    page = html.fromstring(answer.text)
    assert page.get("lang") == "en"
    assert page.findtext(".//title")
    assert [len(page.findall(f".//{name}")) for name in ("main", "header", "h1")] == [1, 1, 1]
    assert page.find(".//a").get("href") == "#main"
    assert "width=device-width" in answer.text


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.supports("I1", "I5")
@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back"),
    [
        ("text", "ground"),
        ("text", "panel"),
        ("text", "notice"),
        ("quiet", "ground"),
        ("accent", "ground"),
        ("on-accent", "accent"),
    ],
)
def test_text_can_be_read(front: str, back: str, scheme: int) -> None:
    """WCAG 2.2, 1.4.3: a contrast of at least 4.5 to 1, in both colour schemes."""
    schemes = [
        dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in re.findall(r":root \{(.*?)\}", STYLE, re.S)
    ]
    lighter, darker = sorted((_luminance(schemes[scheme][name]) for name in (front, back)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


@pytest.mark.supports("I1", "I5", "J3")
def test_a_missing_secret_stops_the_start(make_settings: MakeSettings) -> None:
    """The setting is named at the start, not at the first login."""
    with pytest.raises(SettingsError, match="FSM_KEYCLOAK__CONSOLE_SECRET"):
        create_app(make_settings({"console_secret": None}))
