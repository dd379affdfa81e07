"""Where the head of the audit chain is kept: a file that only grows, and a web address (`domain.chain.anchor` has
the line that both get)."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import requests

from sync.domain.audit.anchor import anchor_line
from sync.domain.audit.link import Head
from sync.domain.errors import FailureCode, Misconfigured, Transient
from sync.ports.lease import before_request

TIMEOUT_SECONDS = 5
REFUSALS = range(400, 500)
LATER = {408, 425, 429}


class FileAnchor:
    """A line at the end of a file, on the disk before this returns."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, head: Head, at: datetime) -> None:
        line = f"{anchor_line(head, at)}\n".encode()
        before_request()
        try:
            number = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
            try:
                os.write(number, line)
                os.fsync(number)
            finally:
                os.close(number)
        except OSError as error:
            raise Misconfigured(
                f"the head of the audit chain cannot be written to {self._path} ({error.strerror}): "
                "see FSM_AUDIT__ANCHOR_FILE",
                code=FailureCode.SETTING_WRONG,
            ) from error


class WebAnchor:
    """The line by POST; any 2xx is taken for kept. Redirections are not followed: the secret goes nowhere else."""

    def __init__(self, url: str, secret: str | None) -> None:
        self._url = url
        self._headers = {"Content-Type": "application/json"}
        if secret is not None:
            self._headers["Authorization"] = f"Bearer {secret}"

    def keep(self, head: Head, at: datetime) -> None:
        before_request()
        try:
            answer = requests.post(
                self._url,
                data=anchor_line(head, at).encode(),
                headers=self._headers,
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
                stream=True,
            )
            answer.close()
        except requests.RequestException as error:
            raise Transient(
                f"the address in FSM_AUDIT__ANCHOR_URL does not answer ({type(error).__name__})",
                code=FailureCode.UNREACHABLE,
            ) from None
        if answer.status_code in REFUSALS and answer.status_code not in LATER:
            raise Misconfigured(
                f"the address in FSM_AUDIT__ANCHOR_URL refuses the head of the audit chain "
                f"(HTTP {answer.status_code}): see FSM_AUDIT__ANCHOR_URL and FSM_AUDIT__ANCHOR_SECRET",
                code=FailureCode.SETTING_WRONG,
            )
        if not answer.ok or answer.status_code >= 300:
            raise Transient(
                f"the address in FSM_AUDIT__ANCHOR_URL answers HTTP {answer.status_code}",
                code=FailureCode.UNAVAILABLE,
            )
