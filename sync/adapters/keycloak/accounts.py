"""The accounts gateway: carries the changes of one account into Keycloak, with the least rights that do.

Its own limits are in `guard`, reading in `reading`, creating in `creation`; creating many at once, which takes
more rights, is `creation.importing`. What shall change is decided in `sync.domain.provisioning.plan`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from mappings.policy import Policy
from sync.adapters.keycloak.checks import guard
from sync.adapters.keycloak.checks.realm import RealmCheck
from sync.adapters.keycloak.checks.user_profile import UserProfile
from sync.adapters.keycloak.connection import Connection, Json, segment
from sync.adapters.keycloak.creation.creating import Creator, stops_everything, taken, untried
from sync.adapters.keycloak.creation.defaults import RealmDefaults
from sync.adapters.keycloak.demanded import made_up
from sync.adapters.keycloak.failures import BAD_ROW, AttributeDemanded, Gone, Invalid, Taken, Unwell
from sync.adapters.keycloak.groups import Groups
from sync.adapters.keycloak.reading import DISABLED_REASON, UserReader, attributes_of
from sync.adapters.keycloak.reading_many import ManyReader
from sync.domain.acts import PASSWORD_HISTORY
from sync.domain.errors import Failure, FailureCode, Misconfigured, NeedsPerson, Transient, Unsafe
from sync.domain.provisioning.change import (
    Change,
    Disable,
    Enable,
    EndSessions,
    JoinGroup,
    LeaveGroup,
    TakeCredentials,
    TakeRole,
    UpdateDetails,
)
from sync.domain.provisioning.observed import ACCOUNT_ID, Observed
from sync.ports.accounts import Created, NewUser

FIELDS = {"username": "username", "email": "email", "given_name": "firstName", "family_name": "lastName"}
"""Sent with every change of attributes: left out they would be cleared, and a missing username is refused
where the realm lets usernames change (fact: attributes-replace-the-user)."""

NAMES = frozenset({"username", "email"})
"""One namespace of Keycloak's, which a switch of the realm can make one value."""


class KeycloakAccounts:
    """`sync.ports.accounts.Accounts` on the client `fsm-worker`.

    `now` returns seconds on a clock that never goes back; it says how long a look counts. `pause` waits some
    seconds, below one in all, while Keycloak shows a user as locked that may not be.
    """

    def __init__(
        self,
        connection: Connection,
        policy: Policy,
        *,
        now: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._reader = UserReader(connection, pause)
        self._groups = Groups(connection, policy, now)
        self._many = ManyReader(connection, self._reader, self._groups, now)
        self._realm_check = RealmCheck(connection, now)
        self._guard = guard.Guard(self._reader, self._realm_check, now)
        defaults = RealmDefaults(connection, self._reader, now)
        self._creator = Creator(connection, self._reader, self._groups, defaults)
        self._profile = UserProfile(connection, now)

    def create(self, users: Sequence[NewUser]) -> Mapping[str, Created | Failure]:
        """As the port says. When Keycloak goes away in the middle, the rest get that failure untried."""
        self._profile.check()
        self._realm_check.check_names()
        outcomes: dict[str, Created | Failure] = {}
        for user in users:
            try:
                self._profile.check_whole(user.desired.attributes)
                outcomes[user.desired.account_id] = self._creator.create(user)
            except Failure as failure:
                if stops_everything(failure):
                    return untried(users, outcomes, failure)
                outcomes[user.desired.account_id] = failure
        return outcomes

    def observe(self, idp_user_id: str, *, sessions: bool) -> Observed | None:
        """As the port says. After a 500 one request more tells whether other users meet it too."""
        try:
            observed = self._reader.observe(idp_user_id, sessions=sessions)
        except Unwell as failure:
            if failure.status == BAD_ROW and self._other_users_can_be_read():
                raise Transient(
                    f"{failure}; other users can be read, so it is about this one",
                    code=FailureCode.USER_UNREADABLE,
                ) from None
            raise
        if observed is not None:
            self._guard.saw(observed)
        return observed

    def _other_users_can_be_read(self) -> bool:
        """Asks Keycloak's database: the realm itself would be answered from its cache while that is away."""
        try:
            return bool(self._connection.get("users", max=1, briefRepresentation="true"))
        except Failure:
            return False

    def observe_many(self, idp_user_ids: Sequence[str]) -> Mapping[str, Observed | None]:
        """As the port says. Two requests a user, and one for forty of them."""
        seen = self._many.observe(idp_user_ids)
        for observed in seen.values():
            if observed is not None:
                self._guard.saw(observed)
        return seen

    def extra_roles(self, groups: Collection[str]) -> Mapping[str, frozenset[str]]:
        """As the port says; each group is read at most once in `groups.KEPT_SECONDS`."""
        return self._groups.extra_roles(groups)

    def apply(self, idp_user_id: str, change: Change) -> Change:
        """As the port says. Right after a look at the user one to three requests, later two more."""
        self._guard.admit(idp_user_id)
        at = f"users/{segment(idp_user_id)}"
        try:
            match change:
                case Disable():
                    return self._disable(idp_user_id)
                case Enable():
                    self._connection.put(at, {"enabled": True})
                case EndSessions():
                    self._end_sessions(idp_user_id)
                case TakeCredentials():
                    self._take_credentials(at)
                case TakeRole(role=role):
                    self._take_role(at, role)
                case LeaveGroup(path=path):
                    self._leave(at, path)
                case JoinGroup(path=path):
                    self._join(at, path)
                case UpdateDetails(new=new):
                    self._update(idp_user_id, new)
        except Gone:
            if self._reader.user(idp_user_id) is None:
                raise guard.gone(idp_user_id) from None
            raise
        return change

    def _disable(self, idp_user_id: str) -> Disable:
        """Disable, and look whether it worked: no failure is worse than a deactivation that silently was none."""
        at = f"users/{segment(idp_user_id)}"
        given: Mapping[str, str] = {}
        try:
            self._connection.put(at, {"enabled": False})
        except AttributeDemanded as refused:
            given = self._disable_giving(idp_user_id, refused)
        user = self._reader.settled(idp_user_id)
        if user is None:
            raise guard.gone(idp_user_id)
        if user.get("enabled"):
            raise Transient(
                f"Keycloak user {idp_user_id} is still enabled after it was disabled", code=FailureCode.NO_EFFECT
            )
        return Disable(tuple(sorted(given.items())))

    def _disable_giving(self, idp_user_id: str, refused: AttributeDemanded) -> Mapping[str, str]:
        """The whole user as it is, with values made up for what is demanded: the only way in which `enabled` does
        not travel alone. Raises `refused` where Keycloak takes none of them."""
        profile = self._connection.get("users/profile")
        for given in made_up(profile, refused.names):
            user = self._reader.user(idp_user_id)
            if user is None:
                raise guard.gone(idp_user_id)
            try:
                self._connection.put(f"users/{segment(idp_user_id)}", {**changed(user, given), "enabled": False})
            except Invalid:
                continue
            return given
        raise refused

    def _take_credentials(self, at: str) -> None:
        """The old passwords stay, so that none of them is chosen again."""
        for credential in self._connection.get(f"{at}/credentials"):
            if credential["type"] != PASSWORD_HISTORY:
                self._forget(f"{at}/credentials/{segment(credential['id'])}")

    def _end_sessions(self, idp_user_id: str) -> None:
        """Log out, revoke each offline token, and look whether it worked (D6,
        fact: logging-out-leaves-offline-tokens)."""
        at = f"users/{segment(idp_user_id)}"
        self._connection.post(f"{at}/logout")
        offline = self._reader.offline_clients(idp_user_id)
        for client_id in sorted(offline):
            self._forget(f"{at}/consents/{segment(client_id)}")
        online = self._reader.online_sessions(idp_user_id)
        left = self._reader.offline_clients(idp_user_id) if offline else offline
        if online or left:
            raise Transient(
                f"Keycloak user {idp_user_id} still has {online} sessions and offline tokens of "
                f"{', '.join(sorted(left)) or 'no client'} after they were ended",
                code=FailureCode.NO_EFFECT,
            )

    def _forget(self, there: str) -> None:
        try:
            self._connection.delete(there)
        except Gone:
            return

    def _take_role(self, at: str, role: str) -> None:
        guard.refuse_foreign_role(role)
        found = self._connection.find(f"roles/{segment(role)}")
        if found is not None:
            self._connection.delete(f"{at}/role-mappings/realm", [found])

    def _leave(self, at: str, path: str) -> None:
        guard.refuse_foreign_group(path)
        group = self._groups.find(path)
        if group is not None:
            self._with_group(path, group, lambda known: self._connection.delete(f"{at}/groups/{known}"))

    def _join(self, at: str, path: str) -> None:
        group = self._groups.joinable(path)
        self._with_group(path, group, lambda known: self._connection.put(f"{at}/groups/{known}"))

    def _with_group(self, path: str, group: str, write: Callable[[str], object]) -> None:
        """Write with the id that is known; if Keycloak does not know it any more, with the group's new one."""
        try:
            write(group)
        except Gone:
            self._groups.forget(path)
            again = self._groups.id_of(path)
            if again == group:
                raise
            write(again)

    def _update(self, idp_user_id: str, new: Mapping[str, str | None]) -> None:
        """Read, modify, write: what is not in `new` is sent as it is now."""
        if ACCOUNT_ID in new:
            raise Unsafe(
                f"the account id of Keycloak user {idp_user_id} is never changed", code=FailureCode.OUTSIDE_OURS
            )
        self._profile.check(name for name in new.keys() - FIELDS.keys() if new[name] is not None)
        if NAMES & new.keys():
            self._realm_check.check_names()
        user = self._reader.user(idp_user_id)
        if user is None:
            raise guard.gone(idp_user_id)
        try:
            self._connection.put(f"users/{segment(idp_user_id)}", changed(user, new))
        except Taken:
            raise self._taken(idp_user_id, new.get("username") or "", new.get("email") or "") from None
        except Invalid as error:
            if "read-only" in error.text:
                raise Misconfigured(
                    f"the realm forbids this change ({error.text}); run `fsm-identity realm apply`",
                    code=FailureCode.REALM_BEHIND,
                ) from None
            raise NeedsPerson(
                f"Keycloak refuses the change of {user['username']!r}: {error.text}",
                code=FailureCode.VALUE_REFUSED,
            ) from None

    def _taken(self, idp_user_id: str, username: str, email: str) -> Failure:
        holders = self._reader.holders(username=username, email=email)
        return taken([holder for holder in holders if holder["id"] != idp_user_id], username, email)


def changed(user: Json, new: Mapping[str, str | None]) -> dict[str, object]:
    """The body of the PUT. `enabled` is never in it; a new e-mail address counts as not verified
    (fact: a-new-address-stays-verified)."""
    attributes = {name: list(values) for name, values in attributes_of(user).items() if name != DISABLED_REASON}
    for name in new.keys() - FIELDS.keys():
        value = new[name]
        if value is None:
            attributes.pop(name, None)
        else:
            attributes[name] = [value]
    body: dict[str, object] = {"attributes": attributes}
    for key, field in FIELDS.items():
        value = new[key] if key in new else user.get(field)
        if value is not None:
            body[field] = value
    if "email" in new and (new["email"] or "").lower() != (user.get("email") or ""):
        body["emailVerified"] = False
    return body
