"""Creating many users at once with `partialImport`, for the bulk lane (fact: small-imports-are-fast).

Its client needs manage-realm beside manage-users (fact: importing-needs-manage-realm), so it is not the gateway of
the other lanes. The id of the Keycloak user is the account's id: a chunk that is sent again answers with the same
ids and adds nothing (fact: importing-honours-the-id).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from mappings.policy import Policy
from sync.adapters.keycloak.accounts import KeycloakAccounts
from sync.adapters.keycloak.connection import Connection
from sync.adapters.keycloak.creation.creating import stops_everything, taken, untried
from sync.adapters.keycloak.failures import Invalid, Taken, Unwell
from sync.adapters.keycloak.reading import account_id_of
from sync.domain.errors import Conflict, Failure, FailureCode, NeedsPerson, Transient
from sync.ports.accounts import Created, NewUser
from sync.ports.lease import carried

CHUNK = 10
"""Users in one request. The cost of a chunk is quadratic in its size and in the groups of each user: with the
groups that ours have 10 was fastest (`python -m bench at-once`; docs/decisions/0012)."""

CONNECTIONS = 2
"""Chunks on their way at once from one process. Keycloak on two cores is busy with two (docs/decisions/0012); a
process of ours is away from it while it reads and records, and the other one fills the gap."""


@dataclass(frozen=True, slots=True)
class _Row:
    user: NewUser
    body: Mapping[str, object] = field(repr=False)

    @property
    def account_id(self) -> str:
        return self.user.desired.account_id


class ImportingAccounts(KeycloakAccounts):
    """`sync.ports.accounts.Accounts` on the client `fsm-import`: `chunk` users a request,
    `connections` requests at once."""

    def __init__(
        self,
        connection: Connection,
        policy: Policy,
        *,
        now: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
        chunk: int = CHUNK,
        connections: int = CONNECTIONS,
    ) -> None:
        super().__init__(connection, policy, now=now, pause=pause)
        self._chunk = chunk
        self._connections = connections
        self._default_role: str | None = None

    def create(self, users: Sequence[NewUser]) -> Mapping[str, Created | Failure]:
        """As the port says. A user that cannot be created is found by halving its chunk; the others land.

        One request for 10 users; one or two more for a user whose username is not its e-mail address.
        """
        outcomes: dict[str, Created | Failure] = {}
        self._profile.check()
        self._realm_check.check_names()
        try:
            self._import_all(self._rows(users, outcomes), outcomes)
        except Failure as failure:
            return untried(users, outcomes, failure)
        return outcomes

    def _import_all(self, rows: Sequence[_Row], outcomes: dict[str, Created | Failure]) -> None:
        """Several chunks at once. Raises what stopped everything, when all that were on their way have ended."""
        chunks = [rows[start : start + self._chunk] for start in range(0, len(rows), self._chunk)]
        stopped = threading.Event()
        failures: list[Exception] = []

        def send(chunk: Sequence[_Row]) -> dict[str, Created | Failure]:
            landed: dict[str, Created | Failure] = {}
            if not stopped.is_set():
                try:
                    self._import(chunk, landed)
                except Exception as error:
                    stopped.set()
                    failures.append(error)
            return landed

        with ThreadPoolExecutor(self._connections) as pool:
            for landed in pool.map(carried(send), chunks):
                outcomes.update(landed)
        if failures:
            raise failures[0]

    def _rows(self, users: Sequence[NewUser], outcomes: dict[str, Created | Failure]) -> list[_Row]:
        """What can be sent; the outcome of every other user. Raises what stops everything."""
        rows = []
        for user in users:
            try:
                rows.append(self._row(user))
            except Failure as failure:
                if stops_everything(failure):
                    raise
                outcomes[user.desired.account_id] = failure
        return rows

    def _row(self, user: NewUser) -> _Row:
        self._profile.check_whole(user.desired.attributes)
        body = self._creator.body(user)
        body["id"] = user.desired.account_id
        body["realmRoles"] = [self._default_roles()]
        self._refuse_crossed_names(user)
        return _Row(user, body)

    def _refuse_crossed_names(self, user: NewUser) -> None:
        """`POST users` refuses a username that is somebody's e-mail address and the other way round, the import
        does not (fact: importing-lets-names-cross): one of the two could not log in any more."""
        username, email = user.desired.username, user.desired.email
        if username == email:
            return
        holders = [*self._reader.with_username(email), *self._reader.with_email(username)]
        strangers = [holder for holder in holders if account_id_of(holder) != user.desired.account_id]
        if strangers:
            raise taken(strangers, username, email)

    def _default_roles(self) -> str:
        """The name of the realm's default role: the import does not add it, and makes any role it does not
        know (fact: importing-adds-no-default-role), so the name is read and not guessed."""
        if self._default_role is None:
            self._default_role = str(self._connection.get("")["defaultRole"]["name"])
        return self._default_role

    def _import(self, rows: Sequence[_Row], outcomes: dict[str, Created | Failure]) -> None:
        """One chunk, all of it or, where Keycloak refuses it, each half by itself."""
        if not rows:
            return
        try:
            answer = self._connection.post(
                "partialImport", {"ifResourceExists": "SKIP", "users": [row.body for row in rows]}
            )
        except (Taken, Invalid, Unwell) as failure:
            if stops_everything(failure):
                raise
            if len(rows) == 1:
                outcomes[rows[0].account_id] = self._refused(rows[0].user, failure)
                return
            half = len(rows) // 2
            self._import(rows[:half], outcomes)
            self._import(rows[half:], outcomes)
            return
        results = {result["resourceName"].lower(): result for result in (answer or {}).get("results", ())}
        for row in rows:
            result = results.get(row.user.desired.username)
            outcomes[row.account_id] = self._outcome(row.user, result)

    def _outcome(self, user: NewUser, result: Mapping[str, str] | None) -> Created | Failure:
        if result is None:
            return Transient(
                f"Keycloak's import says nothing about {user.desired.username!r}", code=FailureCode.NO_EFFECT
            )
        if result["action"] == "ADDED":
            wanted = user.desired
            if result["id"] != wanted.account_id:
                return Conflict(
                    f"Keycloak made {wanted.username!r} as user {result['id']} and not under the account's id",
                    code=FailureCode.ID_TAKEN,
                )
            return Created(result["id"], existed=False)
        return self._skipped(user, result["id"])

    def _skipped(self, user: NewUser, idp_user_id: str) -> Created | Failure:
        """The username is there already: ours from an earlier try, or somebody else's."""
        wanted = user.desired
        try:
            holder = self._reader.user(idp_user_id)
        except Failure as failure:
            return failure
        if holder is not None and account_id_of(holder) == wanted.account_id:
            return Created(idp_user_id, existed=True)
        return taken([holder] if holder is not None else [], wanted.username, wanted.email)

    def _refused(self, user: NewUser, failure: Taken | Invalid | Unwell) -> Created | Failure:
        """Why one row was refused: Keycloak names the wrong reason or none (fact: importing-does-not-say-which),
        so look."""
        wanted = user.desired
        self._groups.forget_all()
        try:
            known = self._reader.user(wanted.account_id)
            if known is not None:
                return self._skipped(user, wanted.account_id)
            holders = self._reader.holders(username=wanted.username, email=wanted.email)
            for holder in holders:
                if account_id_of(holder) == wanted.account_id:
                    return Created(holder["id"], existed=True)
            if holders:
                return taken(holders, wanted.username, wanted.email)
            self._creator.body(user)
        except Failure as reason:
            return reason
        if isinstance(failure, Invalid):
            return NeedsPerson(
                f"Keycloak refuses {wanted.username!r}: {failure.text}", code=FailureCode.VALUE_REFUSED
            )
        return failure
