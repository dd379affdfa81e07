"""What a list of accounts is asked for: the filter, beside the scope of who asks (`sync.domain.access.scope`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sync.domain.accounts.account import Life


@dataclass(frozen=True, slots=True)
class AccountQuery:
    """A filter, each part None when not asked for; parts are joined by "and".

    `text` is found anywhere in username, e-mail, name, employee number or technician id, ignoring case.
    `bounced`: mails to their address came back.
    `locked_at`: only whom Keycloak's lockout keeps out at that time. `unlinked_profiles`: only accounts of these
    profiles that have no technician link (B3). `attributes`: values of the company's own attributes, as canonical
    texts. `after` is the `next` of the page before; `limit` bounds the page.
    """

    text: str | None = None
    profile: str | None = None
    branch: str | None = None
    team: str | None = None
    life: Life | None = None
    quarantined: bool | None = None
    held: bool | None = None
    bounced: bool | None = None
    locked_at: datetime | None = None
    unlinked_profiles: frozenset[str] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    after: str | None = None
    limit: int = 100
