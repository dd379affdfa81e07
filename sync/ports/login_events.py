"""What happens at Keycloak's login, as it keeps it for some time (A9). One implementation asks Keycloak, one is
the fake of the tests; the contract suite in tests/contract runs on both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from sync.domain.logins.activity import LoginEvent
from sync.domain.logins.event_reading import Keeping


class LoginEvents(Protocol):
    """Every method raises a `Failure` of `sync.domain.errors`; a reading that failed is never an end of the
    events."""

    def keeping(self) -> Keeping:
        """What Keycloak stores of logins, and the time by its clock, to the second."""
        ...

    def since(self, moment: datetime | None) -> Iterator[Sequence[LoginEvent]]:
        """Logins, failed attempts and refreshes from that moment on (inclusive, to the millisecond) or all that
        are kept, in pages, ordered by time. An event may come twice. Those that happen while it is read may be in
        it or not. Asks for a page when it is wanted."""
        ...
