"""Looking at users of Keycloak one by one, where one that cannot be read must hold up no other: tells such a user
from a Keycloak that is away. For comparisons; a worker that brings an account about has its circuit for that.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from sync.domain.errors import Failure
from sync.domain.provisioning.observed import Observed
from sync.jobs.systems import Systems
from sync.jobs.work.unforeseen import message_of
from sync.store.accounts import pages

WITNESSES = 3
"""So many other users are asked for before Keycloak counts as away: one of them may be unreadable too."""

log = structlog.get_logger()


class Unreadable(Exception):
    """This user cannot be read, while others can. Its text is the reason, without what an error nobody foresaw may
    hold."""


class ReadableUsers:
    """Looks at users, one after the other. `note` is called before each look: a sign of life, for an unreadable
    one may take some requests of 25 s."""

    def __init__(self, systems: Systems, note: Callable[[], None] = lambda: None) -> None:
        self._systems = systems
        self._note = note
        self._read_well: str | None = None

    def at(self, idp_user_id: str) -> Observed | None:
        """The user without its sessions; None: Keycloak says there is none.

        Raises Unreadable if the look fails, another user can be read then, and the second look fails too. Where no
        other can be read either, the first failure is raised as it was: then it is about all of them.
        """
        try:
            return self._look(idp_user_id)
        except Exception as error:
            if not self._others_can_be_read(idp_user_id):
                raise
            log.warning("a user cannot be read", user=idp_user_id, exc_info=not isinstance(error, Failure))
        try:
            return self._look(idp_user_id)
        except Exception as error:
            raise Unreadable(message_of(error)) from error

    def _look(self, idp_user_id: str) -> Observed | None:
        self._note()
        seen = self._systems.accounts.observe(idp_user_id, sessions=False)
        if seen is not None:
            self._read_well = idp_user_id
        return seen

    def _others_can_be_read(self, idp_user_id: str) -> bool:
        with self._systems.db.read() as tx:
            others = pages.some_users(tx, WITNESSES + 1)
        known = [self._read_well] if self._read_well is not None else []
        asked = [user for user in dict.fromkeys([*known, *others]) if user != idp_user_id][:WITNESSES]
        return any(self._readable(user) for user in asked)

    def _readable(self, idp_user_id: str) -> bool:
        try:
            return self._look(idp_user_id) is not None
        except Exception:
            return False
