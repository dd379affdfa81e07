"""Accounts in the database: written together with their login names, read singly or by many keys.

In a write transaction an account that is read stays as it is until the transaction ends (`Tx.locking`), bulk
look-ups by other keys excepted. Lists for people are in `listing`, the work on accounts in `provisioning`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, bindparam, delete, func, or_, select
from sqlalchemy import update as sql_update
from sqlalchemy.exc import IntegrityError

from mappings.policy import Policy
from sync.domain.access.granted import GrantedAccount
from sync.domain.accounts.account import Account, Life, login_key
from sync.domain.accounts.same_person import email_local, name_key
from sync.domain.accounts.spelling import one_form
from sync.domain.errors import TAKEN, Conflict, FailureCode, NotFound, Problem, Refused
from sync.domain.work.claimed import ClaimedAccount
from sync.store.accounts import attribute_values
from sync.store.accounts.rows import COLUMNS, OBSERVED, from_row, login_keys, to_row
from sync.store.database.batches import batches
from sync.store.database.tables import account as accounts
from sync.store.database.tables import login_name
from sync.store.database.transactions import Tx


def insert(tx: Tx, granted: GrantedAccount) -> None:
    """Raises Refused naming whose account has the login name, employee number or technician already (A2, B2)."""
    insert_all(tx, [granted])


def insert_all(tx: Tx, granted: Sequence[GrantedAccount]) -> None:
    """All or none. Raises Refused like `insert`, for the first that cannot be stored; IntegrityError if it is two
    of these that have something in common."""
    new = [each.after for each in granted]
    if not new:
        return

    def write() -> None:
        tx.connection.execute(accounts.insert(), [to_row(account) for account in new])
        attribute_values.insert_all(tx, new)
        _add_login_names(tx, {key: account.id for account in new for key in login_keys(account)})

    _uniquely(tx, new, write)


def update(tx: Tx, granted: GrantedAccount) -> None:
    """Store what is wanted; what was observed (Keycloak's id) and the creation time stay as they are.

    Raises NotFound, or Refused like `insert`.
    """
    account = granted.after

    def write() -> None:
        values = {name: value for name, value in to_row(account).items() if name not in OBSERVED | {"id"}}
        changed = tx.connection.execute(sql_update(accounts).where(accounts.c.id == account.id).values(values))
        if changed.rowcount == 0:
            raise NotFound([Problem("account", f"{account.id} does not exist")])
        attribute_values.replace(tx, account)
        wanted = login_keys(account)
        present = _login_names_of(tx, account.id)
        gone = present - wanted
        if gone:
            tx.connection.execute(delete(login_name).where(login_name.c.key.in_(sorted(gone))))
        _add_login_names(tx, dict.fromkeys(wanted - present, account.id))

    _uniquely(tx, [account], write)


def remember_idp_user_ids(tx: Tx, users: Mapping[ClaimedAccount, str]) -> None:
    """Keep for each account the id Keycloak knows its user by. Raises Conflict if another account has that
    user, or if the account has another one: two users for one person need a person's decision."""
    found = {claimed.row: idp_user_id for claimed, idp_user_id in users.items()}
    known: dict[str, str | None] = {}
    for some in batches(found):
        ids = select(accounts.c.id, accounts.c.idp_user_id).where(accounts.c.id.in_(some))
        known.update((row.id, row.idp_user_id) for row in tx.connection.execute(tx.locking(ids)))
    new = {account_id: wanted for account_id, wanted in found.items() if known.get(account_id) != wanted}
    for account_id, wanted in new.items():
        if known.get(account_id) is not None:
            raise Conflict(
                f"the account has Keycloak user {known[account_id]} already, not {wanted}",
                code=FailureCode.ID_TAKEN,
            )
    if not new:
        return
    statement = sql_update(accounts).where(accounts.c.id == bindparam("of_account"))
    try:
        with tx.connection.begin_nested():
            tx.connection.execute(
                statement.values(idp_user_id=bindparam("known_as")),
                [{"of_account": account_id, "known_as": wanted} for account_id, wanted in sorted(new.items())],
            )
    except IntegrityError:
        raise Conflict(
            f"Keycloak user {', '.join(sorted(new.values()))} belongs to another account",
            code=FailureCode.ID_TAKEN,
        ) from None


def forget_idp_user_id(tx: Tx, claimed: ClaimedAccount, idp_user_id: str) -> bool:
    """The account has no user in Keycloak any more. False: it has another one, or none."""
    changed = tx.connection.execute(
        sql_update(accounts)
        .where(accounts.c.id == claimed.row, accounts.c.idp_user_id == idp_user_id)
        .values(idp_user_id=None)
    )
    return changed.rowcount == 1


def lock_all(tx: Tx, account_ids: Collection[str]) -> None:
    """Keep everybody else from changing the accounts until the transaction ends.

    Whoever locks an account and its work takes the account first, and of many in the order of their ids: two
    orders would be a deadlock.
    """
    for some in batches(sorted(account_ids)):
        tx.connection.execute(
            tx.locking(select(accounts.c.id).where(accounts.c.id.in_(some)).order_by(accounts.c.id))
        )


def get(tx: Tx, account_id: str) -> Account | None:
    return _one(tx, accounts.c.id == account_id)


def peek(tx: Tx, account_id: str) -> Account | None:
    """`get` without the lock, where nothing is decided about this account itself."""
    row = tx.connection.execute(select(*COLUMNS).where(accounts.c.id == account_id)).mappings().one_or_none()
    return None if row is None else from_row(row)


def by_login(tx: Tx, name: str) -> Account | None:
    """By username or e-mail address, ignoring case."""
    owner = select(login_name.c.account_id).where(login_name.c.key == login_key(name))
    return _one(tx, accounts.c.id == owner.scalar_subquery())


def by_technician(tx: Tx, technician_id: str) -> Account | None:
    return _one(tx, accounts.c.technician_id == technician_id)


def by_idp_user_id(tx: Tx, idp_user_id: str) -> Account | None:
    """By the id Keycloak knows the user by: the subject of a token (I5)."""
    return _one(tx, accounts.c.idp_user_id == idp_user_id)


def of_idp_users(tx: Tx, idp_user_ids: Collection[str]) -> tuple[str, ...]:
    """The ids of the accounts that have these users in Keycloak, in order; other users are nobody's."""
    found: list[str] = []
    for some in batches(idp_user_ids):
        found += tx.connection.scalars(select(accounts.c.id).where(accounts.c.idp_user_id.in_(some)))
    return tuple(sorted(found))


def find(tx: Tx, text: str) -> tuple[Account, ...]:
    """What an administrator types: an id, a username, an e-mail address, an employee number or a technician
    id, in full. More than one may be found (someone's number may be another's technician id)."""
    wanted = one_form(text)
    owner = select(login_name.c.account_id).where(login_name.c.key == login_key(wanted))
    return _many(
        tx,
        or_(
            accounts.c.id == wanted.lower(),
            accounts.c.id == owner.scalar_subquery(),
            accounts.c.employee_number == wanted,
            accounts.c.technician_id == wanted,
        ),
    )


def read_many(tx: Tx, account_ids: Collection[str]) -> Mapping[str, Account]:
    """By id; an id that does not exist is left out."""
    found = (
        account
        for some in batches(account_ids)
        for account in _many(tx, accounts.c.id.in_(some), order=accounts.c.id)
    )
    return {account.id: account for account in found}


def known_ids(tx: Tx, account_ids: Collection[str]) -> frozenset[str]:
    """Those of them that are accounts of ours; not locked."""
    found: set[str] = set()
    for some in batches(account_ids):
        found.update(tx.connection.scalars(select(accounts.c.id).where(accounts.c.id.in_(some))))
    return frozenset(found)


def by_technicians(tx: Tx, technician_ids: Collection[str]) -> Mapping[str, Account]:
    """Technician id to account; not locked."""
    return _by_keys(tx, accounts.c.technician_id, technician_ids)


def of_technicians(tx: Tx, technician_ids: Collection[str]) -> Mapping[str, Account]:
    """`by_technicians` for a few, locked in the order of their ids like everything that locks several accounts."""
    known = _many(tx, accounts.c.technician_id.in_(technician_ids), order=accounts.c.id)
    return {str(account.technician_id): account for account in known}


def by_employee_numbers(tx: Tx, numbers: Collection[str]) -> Mapping[str, Account]:
    """Employee number to account; not locked."""
    return _by_keys(tx, accounts.c.employee_number, numbers)


def who_has_login(tx: Tx, keys: Collection[str]) -> Mapping[str, str]:
    """Login key (see `login_key`) to the id of the account that has it as username or e-mail; not locked."""
    owners: dict[str, str] = {}
    for some in batches(keys):
        rows = tx.connection.execute(
            select(login_name.c.key, login_name.c.account_id).where(login_name.c.key.in_(some))
        )
        owners.update((row.key, row.account_id) for row in rows)
    return owners


def likely_duplicates(tx: Tx, account: Account) -> tuple[Account, ...]:
    """Other accounts that may be the same person (A2): the same full name in the same branch, whatever the
    order of the words, or the same e-mail local part in another domain. A warning, never a merge."""
    same_name = and_(
        accounts.c.name_key == name_key(account.given_name, account.family_name),
        accounts.c.branch.is_not_distinct_from(account.branch),
    )
    same_local_part = accounts.c.email_local == email_local(account.email)
    found = tx.connection.execute(
        select(*COLUMNS)
        .where(or_(same_name, same_local_part), accounts.c.id != account.id)
        .order_by(accounts.c.username_key)
    )
    return tuple(from_row(row) for row in found.mappings())


def active_of(tx: Tx, profiles: Collection[str]) -> frozenset[str]:
    """The ids of the accounts of these profiles that are wanted active; not locked."""
    query = select(accounts.c.id).where(
        accounts.c.profile.in_(sorted(profiles)), accounts.c.life == Life.ACTIVE.value
    )
    return frozenset(tx.connection.scalars(query))


@dataclass(frozen=True, slots=True)
class UsedKeys:
    """Keys of the mapping files that accounts use, with the number of accounts (rule: keys-in-use-stay)."""

    profiles: Mapping[str, int]
    branches: Mapping[str, int]
    teams: Mapping[str, int]
    data_access: Mapping[str, int]

    def missing_from(self, policy: Policy) -> tuple[str, ...]:
        """Each used key that the policy does not have, as `profile 'clerk' (12 accounts)`."""
        kinds: tuple[tuple[str, Mapping[str, int], Collection[str]], ...] = (
            ("profile", self.profiles, policy.profiles),
            ("branch", self.branches, policy.branches),
            ("team", self.teams, policy.teams),
            ("data access level", self.data_access, policy.data_access),
        )
        return tuple(
            f"{kind} {key!r} ({count} account{'' if count == 1 else 's'})"
            for kind, used, known in kinds
            for key, count in sorted(used.items())
            if key not in known
        )


def used_keys(tx: Tx) -> UsedKeys:
    def counted(column: Column[Any]) -> Mapping[str, int]:
        rows = tx.connection.execute(
            select(column, func.count()).where(column.is_not(None)).group_by(column).order_by(column)
        )
        return {row[0]: row[1] for row in rows}

    return UsedKeys(
        counted(accounts.c.profile),
        counted(accounts.c.branch),
        counted(accounts.c.team),
        counted(accounts.c.data_access),
    )


def _one(tx: Tx, condition: ColumnElement[bool]) -> Account | None:
    row = tx.connection.execute(tx.locking(select(*COLUMNS).where(condition))).mappings().one_or_none()
    return None if row is None else from_row(row)


def _many(
    tx: Tx, condition: ColumnElement[bool], *, order: ColumnElement[Any] = accounts.c.username_key
) -> tuple[Account, ...]:
    rows = tx.connection.execute(tx.locking(select(*COLUMNS).where(condition).order_by(order)))
    return tuple(from_row(row) for row in rows.mappings())


def _by_keys(tx: Tx, column: Column[Any], keys: Collection[str]) -> Mapping[str, Account]:
    found: dict[str, Account] = {}
    for some in batches(keys):
        for row in tx.connection.execute(select(*COLUMNS).where(column.in_(some))).mappings():
            found[row[column.name]] = from_row(row)
    return found


def _login_names_of(tx: Tx, account_id: str) -> frozenset[str]:
    return frozenset(tx.connection.scalars(select(login_name.c.key).where(login_name.c.account_id == account_id)))


def _add_login_names(tx: Tx, owners: Mapping[str, str]) -> None:
    """Key to account id. In alphabetical order, so that two transactions that want the same names never wait for
    each other."""
    if owners:
        rows = [{"key": key, "account_id": account_id} for key, account_id in sorted(owners.items())]
        tx.connection.execute(login_name.insert(), rows)


def _uniquely(tx: Tx, written: Sequence[Account], write: Callable[[], None]) -> None:
    """Write, and if something of it is taken, say by whom; the transaction stays usable."""
    try:
        with tx.connection.begin_nested():
            write()
    except IntegrityError:
        for account in written:
            problems = taken(tx, account)
            if problems:
                raise Refused(problems) from None
        raise


def taken(tx: Tx, account: Account) -> list[Problem]:
    """What of the account is another one's already, and whose; empty: it may be stored."""
    problems: list[Problem] = []
    for field, name in (("username", account.username), ("email", account.email)):
        owner_id = who_has_login(tx, [login_key(name)]).get(login_key(name))
        if owner_id is not None and owner_id != account.id:
            holder = read_many(tx, [owner_id])[owner_id]
            problems.append(_problem(field, name, holder, "choose another one, or change that account"))
    if login_key(account.username) == login_key(account.email):
        problems = problems[:1]
    others = (
        ("employee_number", account.employee_number, "a person has one account; change that one"),
        ("technician_id", account.technician_id, "unlink the technician there first"),
        ("idp_user_id", account.idp_user_id, "one Keycloak user has one account"),
    )
    for field, value, remedy in others:
        owner = None if value is None else _by_keys(tx, accounts.c[field], [value]).get(value)
        if owner is not None and owner.id != account.id:
            problems.append(_problem(field, value or "", owner, remedy))
    return problems


def _problem(field: str, value: str, owner: Account, remedy: str) -> Problem:
    reason = f"{value!r} belongs to the account of {owner.full_name} ({owner.username})"
    return Problem(field, reason, remedy, TAKEN)
