"""The page with the mails that were caught, asked as a browser asks."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import httpx
import pytest

from sync.devstack.ports import LOOPBACK, free_ports
from sync.devstack.services.mail_page import serve_page

pytestmark = pytest.mark.supports("J1")

LOGIN = ("operator", "the-password")


def caught(folder: Path, name: str, to: str, subject: str, text: str) -> None:
    """A mail as the catcher writes it: lines end as they do on their way."""
    mail = EmailMessage()
    mail["X-Envelope-To"], mail["From"], mail["Subject"] = to, "fsm@example.com", subject
    mail.set_content(text)
    (folder / f"{name}.eml").write_bytes(mail.as_bytes(policy=SMTP))


@pytest.fixture
def page(tmp_path: Path) -> str:
    """Its address; three mails were caught."""
    caught(tmp_path, "1", "kim.lind@example.com", "Welcome, Kim", "Your password: abcd")
    caught(tmp_path, "2", "jo.berg@example.com", "Welcome, Jo", "Your password: efgh")
    caught(tmp_path, "3", "kim.lind@example.com", "<script>alert(1)</script>", "1 < 2 & <b>bold</b>")
    [port] = free_ports(1)
    serve_page(port, tmp_path, ":".join(LOGIN))
    return f"http://{LOOPBACK}:{port}"


def get(address: str, auth: tuple[str, str] | None = LOGIN) -> httpx.Response:
    return httpx.get(address, auth=auth, trust_env=False, timeout=10)


def test_all_mails_are_listed_the_newest_first(page: str) -> None:
    """With whom they went to, and a link to each."""
    text = get(page).text
    assert text.index("kim.lind@example.com") < text.index("Welcome, Jo") < text.index("Welcome, Kim")
    assert "href='/1'" in text
    assert "3 mails" in text


def test_the_mails_to_one_address_are_found(page: str) -> None:
    """However its letters are written."""
    text = get(f"{page}/?to=JO.BERG@example.com").text
    assert "Welcome, Jo" in text
    assert "kim.lind" not in text


def test_a_mail_is_shown_as_text(page: str) -> None:
    """What stands in it is shown, and does nothing."""
    assert "Your password: efgh" in get(f"{page}/2").text
    shown = get(f"{page}/3")
    assert "1 &lt; 2 &amp; &lt;b&gt;bold&lt;/b&gt;" in shown.text
    assert "<script>" not in shown.text + get(page).text
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]


@pytest.mark.parametrize("auth", [None, ("operator", "wrong"), ("", "")])
def test_nobody_reads_mails_without_the_login(page: str, auth: tuple[str, str] | None) -> None:
    """They hold passwords, and others on the machine can reach the port."""
    for path in ("", "/1", "/?to=kim"):
        answer = get(page + path, auth)
        assert answer.status_code == 401
        assert "Kim" not in answer.text
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize("path", ["/0", "/4", "/x/1", "/1.eml", "/..%2f1"])
def test_what_is_no_mail_is_not_found(page: str, path: str) -> None:
    """Nothing else of the machine can be asked for."""
    assert get(page + path).status_code == 404
