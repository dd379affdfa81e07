"""Keycloak's accounts in memory, with what of Keycloak matters to those who use the port.

One namespace for usernames and e-mail addresses; disabling revokes nothing; offline tokens survive a logout;
enabling lifts a permanent lockout; groups by path, with roles that reach the members of the groups below. The
contract suite in tests/contract holds it to what the real one does.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from mappings.policy import Policy
from sync.domain.access import vocabulary
from sync.domain.access.group_roles import PARENTS, roles_of_groups
from sync.domain.accounts.user_names import refused_names
from sync.domain.acts import PASSWORD, PASSWORD_HISTORY, Credential
from sync.domain.errors import Failure, FailureCode, Misconfigured, NameHeld, NeedsPerson, Unsafe
from sync.domain.provisioning.change import (
    DETAILS,
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
from sync.domain.provisioning.observed import (
    ACCOUNT_ID,
    NOT_LOOKED_AT,
    TECHNICIAN_ID,
    LockState,
    Observed,
    Sessions,
)
from sync.ports.accounts import Created, NewUser
from sync.ports.lease import before_request

DEFAULT_ROLE = "default-roles-fake"
REALM_MANAGEMENT = "realm-management/"


@dataclass
class FakeUser:
    """A user of the fake realm. `tokens` maps each live refresh token to the client of an offline one, or None."""

    id: str
    username: str
    email: str
    given_name: str = ""
    family_name: str = ""
    enabled: bool = True
    email_verified: bool = False
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=lambda: {DEFAULT_ROLE})
    required_actions: set[str] = field(default_factory=set)
    lock: LockState = field(default_factory=LockState)
    password: str | None = field(default=None, repr=False)
    tokens: dict[str, str | None] = field(default_factory=dict)
    credentials: list[Credential] = field(default_factory=list)

    @property
    def account_id(self) -> str | None:
        values = self.attributes.get(ACCOUNT_ID, ())
        return values[0] if len(values) == 1 else None


class FakeAccounts:
    """`sync.ports.accounts.Accounts`. `users` and `groups` (path to the roles it carries) may be read and set by a
    test; `applied` lists the changes that were carried out, in order. While `always_fails` is set every call
    raises it; `unreadable` is what looking at one user raises, by its id; `asked` counts all calls. `demanded` are
    attributes without which no user is written, each with the value that is made up for it, None: there is
    none."""

    def __init__(self, policy: Policy) -> None:
        self.users: dict[str, FakeUser] = {}
        self.applied: list[tuple[str, Change]] = []
        self.expected = {
            path: {
                *carried.realm_roles,
                *(f"{vocabulary.FEATURES_CLIENT}/{role}" for role in carried.feature_roles),
            }
            for path, carried in roles_of_groups(policy).items()
        }
        self.demanded: dict[str, str | None] = {}
        self.declared = {ACCOUNT_ID, TECHNICIAN_ID, *policy.attributes}
        self.groups = {path: set(roles) for path, roles in self.expected.items()}
        self._failures: list[tuple[BaseException, bool]] = []
        self._apply_failures: list[tuple[BaseException, bool]] = []
        self.always_fails: Failure | None = None
        self.unreadable: dict[str, BaseException] = {}
        self.asked = 0

    def fail_next(self, failure: BaseException, *, after_the_work: bool = False) -> None:
        """The next call raises this; `after_the_work`: it was carried out and the answer was lost."""
        self._failures.append((failure, after_the_work))

    def create(self, users: Sequence[NewUser]) -> Mapping[str, Created | Failure]:
        outcomes: dict[str, Created | Failure] = {}
        with self._failing():
            for user in users:
                try:
                    before_request()
                except Failure as lost:
                    return {each.desired.account_id: lost for each in users} | outcomes
                outcomes[user.desired.account_id] = self._outcome(user)
        return outcomes

    def observe(self, idp_user_id: str, *, sessions: bool) -> Observed | None:
        with self._failing():
            if idp_user_id in self.unreadable:
                raise self.unreadable[idp_user_id]
            user = self.users.get(idp_user_id)
            return None if user is None else self._observed(user, sessions=sessions)

    def observe_many(self, idp_user_ids: Sequence[str]) -> Mapping[str, Observed | None]:
        with self._failing():
            found = {each: self.users.get(each) for each in idp_user_ids}
            seen = {each: user and self._observed(user, sessions=False) for each, user in found.items()}
            return {each: one and _among_many(one) for each, one in seen.items()}

    def fail_next_apply(self, failure: BaseException, *, after_the_work: bool = False) -> None:
        """The same for the next `apply`, whatever is asked before it."""
        self._apply_failures.append((failure, after_the_work))

    def apply(self, idp_user_id: str, change: Change) -> Change:
        if self._apply_failures:
            self._failures.insert(0, self._apply_failures.pop(0))
        with self._failing():
            user = self.admitted(idp_user_id)
            made = self._carry_out(user, change)
            self.applied.append((idp_user_id, made))
        return made

    def extra_roles(self, groups: Collection[str]) -> Mapping[str, frozenset[str]]:
        with self._failing():
            looked_at = {above for path in groups for above in _with_parents(path)}
            for path in sorted(looked_at):
                self._existing_group(path)
            extra = {path: frozenset(self.groups[path] - self.expected.get(path, set())) for path in looked_at}
            return {path: roles for path, roles in extra.items() if roles}

    @contextmanager
    def _failing(self) -> Iterator[None]:
        before_request()
        self.asked += 1
        if self.always_fails is not None:
            raise type(self.always_fails)(str(self.always_fails), system=self.always_fails.system)
        failure, after_the_work = self._failures.pop(0) if self._failures else (None, False)
        if failure is not None and not after_the_work:
            raise failure
        yield
        if failure is not None:
            raise failure

    def _outcome(self, new: NewUser) -> Created | Failure:
        try:
            return self._create(new)
        except Failure as failure:
            return failure

    def _create(self, new: NewUser) -> Created:
        wanted = new.desired
        self._refuse_undeclared(wanted.attributes)
        self._refuse_lacking(wanted.attributes)
        refused = refused_names(
            username=wanted.username,
            email=wanted.email,
            given_name=wanted.given_name,
            family_name=wanted.family_name,
        )
        if any(refused):
            raise NeedsPerson(
                f"Keycloak would refuse {wanted.username!r} or {wanted.email!r}", code=FailureCode.VALUE_REFUSED
            )
        for path in sorted(wanted.groups):
            self._joinable_group(path)
        for user in self.users.values():
            if user.account_id == wanted.account_id:
                return Created(user.id, existed=True)
        self._refuse_taken(wanted.username, wanted.email, self._holders(wanted.username, wanted.email))
        user = FakeUser(
            id=str(uuid.uuid4()),
            username=wanted.username.lower(),
            email=wanted.email.lower(),
            given_name=wanted.given_name,
            family_name=wanted.family_name,
            enabled=wanted.enabled,
            attributes={**wanted.attributes, **({"locale": (new.language,)} if new.language else {})},
            groups=set(wanted.groups),
            required_actions={"UPDATE_PASSWORD"},
            password=new.temporary_password,
        )
        if new.temporary_password is not None:
            user.credentials.append(Credential(str(uuid.uuid4()), PASSWORD, datetime(2026, 1, 1, tzinfo=UTC)))
        self.users[user.id] = user
        return Created(user.id, existed=False)

    def _holders(self, username: str, email: str) -> list[FakeUser]:
        names = {username.lower(), email.lower()} - {""}
        return [user for user in self.users.values() if names & {user.username, user.email}]

    def _refuse_taken(self, username: str, email: str, holders: Sequence[FakeUser]) -> None:
        if holders:
            named = ", ".join(f"{holder.username!r} with {holder.email!r}" for holder in holders)
            marks = {mark for holder in holders if (mark := holder.account_id) is not None}
            raise NameHeld(f"{username!r} or {email!r} is taken by {named}", marks)

    def admitted(self, idp_user_id: str) -> FakeUser:
        """The user, if it may be written to."""
        user = self.users.get(idp_user_id)
        if user is None:
            raise NeedsPerson(f"Keycloak has no user {idp_user_id}", code=FailureCode.USER_DELETED)
        if user.account_id is None or self.administers_realm(user):
            raise Unsafe(f"nothing is written to {user.username!r}", code=FailureCode.USER_NOT_OURS)
        return user

    def _carry_out(self, user: FakeUser, change: Change) -> Change:
        match change:
            case Disable():
                given = {name: self.demanded[name] for name in self._lacking(user.attributes)}
                if None in given.values():
                    self._refuse_lacking(user.attributes)
                user.attributes |= {name: (str(value),) for name, value in given.items()}
                user.enabled = False
                return Disable(tuple((name, str(value)) for name, value in sorted(given.items())))
            case TakeCredentials():
                user.credentials = [each for each in user.credentials if each.type == PASSWORD_HISTORY]
                user.password = None
            case Enable():
                self._refuse_lacking(user.attributes)
                user.enabled, user.lock = True, LockState()
            case EndSessions():
                user.tokens.clear()
            case TakeRole(role=role):
                if not vocabulary.owns_role(role):
                    raise Unsafe(f"the role {role} is not ours")
                user.roles.discard(role)
            case LeaveGroup(path=path):
                if not vocabulary.owns_group(path):
                    raise Unsafe(f"the group {path} is not ours")
                user.groups.discard(path)
            case JoinGroup(path=path):
                self._joinable_group(path)
                user.groups.add(path)
            case UpdateDetails(new=new):
                self._update(user, new)
        return change

    def _lacking(self, attributes: Collection[str]) -> list[str]:
        return sorted(self.demanded.keys() - set(attributes))

    def _refuse_lacking(self, attributes: Collection[str]) -> None:
        lacking = ", ".join(self._lacking(attributes))
        if lacking:
            raise Misconfigured(f"the realm demands {lacking}", code=FailureCode.ATTRIBUTE_DEMANDED, about=lacking)

    def _update(self, user: FakeUser, new: Mapping[str, str | None]) -> None:
        if ACCOUNT_ID in new:
            raise Unsafe("the account id is never changed")
        self._refuse_lacking({*user.attributes, *(name for name in new if new[name] is not None)})
        username, email = new.get("username") or "", new.get("email") or ""
        others = [holder for holder in self._holders(username, email) if holder is not user]
        self._refuse_taken(username, email, others)
        if email and email.lower() != user.email:
            user.email, user.email_verified = email.lower(), False
        user.username = username.lower() or user.username
        for name in {"given_name", "family_name"} & new.keys():
            setattr(user, name, new[name] or "")
        self._refuse_undeclared(name for name in new.keys() - set(DETAILS) if new[name] is not None)
        for name in new.keys() - set(DETAILS):
            value = new[name]
            if value is None:
                user.attributes.pop(name, None)
            else:
                user.attributes[name] = (value,)

    def _refuse_undeclared(self, names: Iterable[str]) -> None:
        missing = sorted(set(names) - self.declared)
        if missing:
            raise Misconfigured(
                f"the realm has not followed: it does not declare {', '.join(missing)}",
                code=FailureCode.REALM_BEHIND,
            )

    def _joinable_group(self, path: str) -> None:
        if path not in self.expected or path in PARENTS:
            raise Unsafe(f"the group {path} is not one that accounts are put into")
        self._existing_group(path)

    def _existing_group(self, path: str) -> None:
        if path not in self.groups:
            raise Misconfigured(f"the realm has no group {path}", code=FailureCode.GROUP_MISSING, about=path)

    def administers_realm(self, user: FakeUser) -> bool:
        inherited = {role for path in user.groups for above in _with_parents(path) for role in self.groups[above]}
        return any(role.startswith(REALM_MANAGEMENT) for role in user.roles | inherited)

    def _observed(self, user: FakeUser, *, sessions: bool) -> Observed:
        live = user.tokens.values()
        return Observed(
            idp_user_id=user.id,
            username=user.username,
            email=user.email,
            given_name=user.given_name,
            family_name=user.family_name,
            enabled=user.enabled,
            attributes=dict(user.attributes),
            groups=frozenset(user.groups),
            roles=frozenset(role for role in user.roles if "/" not in role),
            required_actions=frozenset(user.required_actions),
            lock=user.lock,
            administers_realm=self.administers_realm(user),
            sessions=Sessions(
                online=sum(client is None for client in live),
                offline_clients=frozenset(client for client in live if client is not None),
            )
            if sessions
            else NOT_LOOKED_AT,
        )


def _with_parents(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]


def _among_many(seen: Observed) -> Observed:
    """A look at many does not ask for a temporary lockout of an enabled user."""
    return replace(seen, lock=NOT_LOOKED_AT) if seen.enabled and seen.account_id is not None else seen
