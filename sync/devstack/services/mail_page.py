"""A page that shows what the mail catcher took, for people with a browser. `mail_catcher` serves it beside SMTP.

It asks for the login that stands in PAGE_LOGIN (`name:password`): the mails hold passwords, and whoever works on
the same machine can reach the port.
"""

from __future__ import annotations

import base64
import hmac
import threading
from email.message import EmailMessage
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from sync.devstack.ports import LOOPBACK
from sync.devstack.services.mailbox import mails, sent_to, text_of

PAGE_LOGIN = "MAIL_PAGE_LOGIN"
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
STYLE = (
    "body{font-family:sans-serif;margin:2rem;max-width:60rem}td,th{padding:.3rem 1rem .3rem 0;text-align:left}"
    "pre{white-space:pre-wrap;border-top:1px solid #999;padding-top:1rem}"
)


def serve_page(port: int, folder: Path, login: str) -> None:
    """Show the mails of the folder to whoever knows the login, from a thread of its own, until the process
    ends."""
    right = base64.b64encode(login.encode()).decode()

    class Page(BaseHTTPRequestHandler):
        """`/` lists, `/?to=ADDRESS` those to one address, `/3` shows the third."""

        def do_GET(self) -> None:
            scheme, _, given = self.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "basic" or not hmac.compare_digest(given.encode(), right.encode()):
                self._answer(HTTPStatus.UNAUTHORIZED, "Log in with the login that the stack shows.")
                return
            address = urlsplit(self.path)
            wanted = parse_qs(address.query).get("to", [""])[0]
            found, number = mails(folder), address.path.removeprefix("/")
            if not number:
                self._answer(HTTPStatus.OK, _list(found, wanted))
            elif number.isdecimal() and 1 <= int(number) <= len(found):
                self._answer(HTTPStatus.OK, _one(found[int(number) - 1]))
            else:
                self._answer(HTTPStatus.NOT_FOUND, "There is no such mail.")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's own
            """An address may stand in the path, and logs are kept longer than mails."""

        def _answer(self, status: HTTPStatus, body: str) -> None:
            page = f"<!doctype html><html lang=en><title>Mails</title><style>{STYLE}</style><body>{body}"
            content = page.encode()
            self.send_response(status)
            for name, value in HEADERS.items():
                self.send_header(name, value)
            if status is HTTPStatus.UNAUTHORIZED:
                self.send_header("WWW-Authenticate", 'Basic realm="mails", charset="UTF-8"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer((LOOPBACK, port), Page)
    threading.Thread(target=server.serve_forever, name="mail page", daemon=True).start()


def _list(found: list[EmailMessage], wanted: str) -> str:
    """The newest first."""
    rows = [
        f"<tr><td>{escape(str(mail['Date']))}<td>{escape(str(mail['X-Envelope-To']))}"
        f"<td><a href='/{number}'>{escape(str(mail['Subject']))}</a>"
        for number, mail in reversed(list(enumerate(found, start=1)))
        if not wanted or sent_to(mail, wanted)
    ]
    search = f"<input name=to value='{escape(wanted)}' placeholder='e-mail address'> <button>Find</button>"
    table = f"<table><tr><th>date<th>to<th>subject{''.join(rows)}</table>"
    return f"<h1>Mails that were caught</h1><form>{search}</form>{table}<p>{len(rows)} mails"


def _one(mail: EmailMessage) -> str:
    lines = "".join(
        f"<tr><th>{title}<td>{escape(str(mail[name]))}"
        for title, name in (("from", "From"), ("to", "X-Envelope-To"), ("date", "Date"), ("subject", "Subject"))
    )
    return f"<p><a href='/'>All mails</a><table>{lines}</table><pre>{escape(text_of(mail))}</pre>"
