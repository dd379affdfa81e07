"""Mails that failed or expired, for whoever may send them again (F7, H3)."""

from __future__ import annotations

from datetime import datetime

from sync.domain.access.scope import Scope
from sync.store.database.transactions import Tx
from sync.store.mail import failed_mails
from sync.store.mail.failed_mails import FailedMail


def failed(tx: Tx, scope: Scope, now: datetime, limit: int | None = None) -> tuple[FailedMail, ...]:
    """The newest first; None: all of them. Raises Refused for a scope of one branch."""
    scope.require_everything("mails")
    return failed_mails.newest(tx, now, limit)
