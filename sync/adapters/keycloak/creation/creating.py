"""Creating users one by one with `POST users`, and telling whose a user is that exists already.

Needs no right beyond manage-users. Keycloak chooses the id (fact: posting-chooses-the-id), so a repetition after a
crash is recognised by the account id that the user carries; `importing` chooses ids and needs no such search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sync.adapters.keycloak.checks.user_profile import AttributeUndeclared
from sync.adapters.keycloak.connection import Connection, Json
from sync.adapters.keycloak.creation.defaults import RealmDefaults
from sync.adapters.keycloak.creation.new_user import representation
from sync.adapters.keycloak.failures import AttributeDemanded, Invalid, Taken, Unwell
from sync.adapters.keycloak.groups import GroupMissing, Groups
from sync.adapters.keycloak.reading import UserReader, account_id_of
from sync.domain.errors import Conflict, Failure, FailureCode, Misconfigured, NameHeld, NeedsPerson, Transient
from sync.ports.accounts import Created, NewUser

Outcomes = Mapping[str, Created | Failure]


class Creator:
    """Creates one user, or finds that an earlier try did."""

    def __init__(
        self, connection: Connection, reader: UserReader, groups: Groups, defaults: RealmDefaults
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._groups = groups
        self._defaults = defaults

    def body(self, user: NewUser) -> dict[str, object]:
        """The representation of a user whose groups exist. Raises Misconfigured for a group that does not, of
        which Keycloak would answer 500 and say nothing (fact: importing-does-not-say-which), and for a default
        group that nobody may be given."""
        defaults = self._defaults.read()
        body = representation(user, defaults)
        for path in sorted(user.desired.groups):
            self._groups.joinable(path)
        return body

    def create(self, user: NewUser) -> Created:
        """Two requests, and one for each group not seen lately."""
        wanted = user.desired
        body = self.body(user)
        existing = self._existing_of(wanted.account_id)
        if existing is not None:
            return existing
        try:
            return Created(self._connection.create("users", body), existed=False)
        except Taken:
            return self.existing(user)
        except Invalid as error:
            raise NeedsPerson(
                f"Keycloak refuses {wanted.username!r}: {error.text}", code=FailureCode.VALUE_REFUSED
            ) from None
        except Unwell:
            self._groups.forget_all()
            raise

    def _existing_of(self, account_id: str) -> Created | None:
        """The user that carries the account id. Raises Conflict if two do: nobody guesses which one is meant."""
        found = [user for user in self._reader.by_account(account_id) if account_id_of(user) == account_id]
        if len(found) > 1:
            names = " and ".join(sorted(f"{user['username']!r} ({user['id']})" for user in found))
            raise Conflict(
                f"the Keycloak users {names} both carry the account id {account_id}; take it off one",
                code=FailureCode.ID_TAKEN,
            )
        return Created(found[0]["id"], existed=True) if found else None

    def existing(self, user: NewUser) -> Created:
        """The user that has the names of `user`, if it is ours. Raises Conflict naming what is taken and by
        whom, Transient if nobody has the names any more."""
        wanted = user.desired
        holders = self._reader.holders(username=wanted.username, email=wanted.email)
        for holder in holders:
            if account_id_of(holder) == wanted.account_id:
                return Created(holder["id"], existed=True)
        raise taken(holders, wanted.username, wanted.email)


def taken(holders: Sequence[Json], username: str, email: str) -> Failure:
    """NameHeld, which names who has the username or the e-mail address; Transient if nobody has."""
    if not holders:
        return Transient(
            f"Keycloak said that {username!r} or {email!r} is taken, but nobody has it now",
            code=FailureCode.NAME_TAKEN,
        )
    marks = {mark for holder in holders if (mark := account_id_of(holder)) is not None}
    return NameHeld("; ".join(_taken_by(holder, username, email) for holder in holders), marks)


def _taken_by(holder: Json, username: str, email: str) -> str:
    names = {holder["username"], holder.get("email")}
    has = " and ".join(sorted({repr(name) for name in (username, email) if name in names})) or "the id"
    account_id = account_id_of(holder)
    owner = f"belongs to account {account_id}" if account_id else "is not ours"
    return f"{has} is taken by Keycloak user {holder['username']!r} ({holder['id']}), which {owner}"


def stops_everything(failure: Failure) -> bool:
    """True for a failure that the next user would meet too: Keycloak is away or does not let us in, the lease is
    lost, or the realm would drop what says whose a user is."""
    if isinstance(failure, Misconfigured):
        return not isinstance(failure, GroupMissing | AttributeUndeclared | AttributeDemanded)
    return failure.system is not None or failure.code is FailureCode.LEASE_LOST


def untried(users: Sequence[NewUser], outcomes: Outcomes, failure: Failure) -> Outcomes:
    """The outcomes so far, and the failure for every user without one. Raises it if nobody was created."""
    if not any(isinstance(outcome, Created) for outcome in outcomes.values()):
        raise failure
    return {user.desired.account_id: failure for user in users} | dict(outcomes)
