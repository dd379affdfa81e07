"""Whose account a row belongs to, and what speaks against it: by employee number first, then by login (F2).

Nobody's account is taken over by a matching e-mail address or a mistyped number: whatever contradicts itself
is an error for a person to mend (rule: match-by-id).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sync.domain.accounts.account import Account, login_key
from sync.domain.accounts.same_person import email_local, name_key
from sync.domain.imports.row import ImportRow
from sync.domain.imports.values import Finding, identity, stated_name


@dataclass(frozen=True, slots=True)
class Keys:
    """What the rows know people by: the accounts that have one of these are the world of their plan."""

    logins: frozenset[str]
    employee_numbers: frozenset[str]
    technicians: frozenset[str]
    names: frozenset[str]
    local_parts: frozenset[str]

    @classmethod
    def of(cls, rows: Sequence[ImportRow]) -> Keys:
        known = [identity(row) for row in rows]
        return cls(
            logins=frozenset(each[name] for each in known for name in ("username", "email") if name in each),
            employee_numbers=frozenset(each["employee_number"] for each in known if "employee_number" in each),
            technicians=frozenset(each["technician_id"] for each in known if "technician_id" in each),
            names=frozenset(name_key(stated_name(row), "") for row in rows) - {""},
            local_parts=frozenset(email_local(each["email"]) for each in known if "email" in each) - {""},
        )


@dataclass(frozen=True, slots=True)
class World:
    """What exists at the moment of the plan: every account a row may belong to or resemble, with its wanted
    version, and the technician ids of the FSM system (None: the file does not speak of technicians)."""

    accounts: Mapping[str, Account]
    versions: Mapping[str, int]
    technicians: Collection[str] | None = None


@dataclass(slots=True)
class Index:
    """The accounts of the world by everything a row may know them by."""

    by_login: dict[str, Account] = field(default_factory=dict)
    by_number: dict[str, Account] = field(default_factory=dict)
    by_technician: dict[str, Account] = field(default_factory=dict)
    by_name: dict[tuple[str, str | None], list[Account]] = field(default_factory=dict)
    by_local_part: dict[str, list[Account]] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World) -> Index:
        index = cls()
        for _, account in sorted(world.accounts.items()):
            index.by_login[login_key(account.username)] = account
            index.by_login[login_key(account.email)] = account
            if account.employee_number is not None:
                index.by_number[account.employee_number] = account
            if account.technician_id is not None:
                index.by_technician[account.technician_id] = account
            name = (name_key(account.given_name, account.family_name), account.branch)
            index.by_name.setdefault(name, []).append(account)
            index.by_local_part.setdefault(email_local(account.email), []).append(account)
        return index


@dataclass(frozen=True, slots=True)
class Match:
    """`account` None and no error: the row is a joiner."""

    account: Account | None
    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def match(row: ImportRow, full_name: str, index: Index) -> Match:
    """The account the row belongs to. `full_name` is what the row says, empty if nothing."""
    known = identity(row)
    number = known.get("employee_number")
    by_number = index.by_number.get(number) if number is not None else None
    by_login = {
        login: index.by_login[known[login]]
        for login in ("email", "username")
        if known.get(login) in index.by_login
    }
    for login, other in by_login.items():
        first = by_number or next(iter(by_login.values()))
        if other.id != first.id:
            against = "employee_number" if by_number else "email"
            return Match(None, (_contradiction(row, login, other, against, first),))
    if by_number is not None:
        return _by_number(row, full_name, by_number, seen_login=bool(by_login))
    if by_login:
        login, account = next(iter(by_login.items()))
        return _by_login(row, login, full_name, account, number)
    return Match(None)


def _by_number(row: ImportRow, full_name: str, account: Account, *, seen_login: bool) -> Match:
    if seen_login or not full_name or _same_name(full_name, account):
        return Match(account)
    stated = identity(row)
    if "email" not in stated and "username" not in stated:
        return Match(account)
    finding = Finding(
        row.address("employee_number"),
        "employee_number",
        f"employee number {stated['employee_number']!r} belongs to {describe(account)}, "
        "but name and login are somebody else's",
        "correct the number; if it is the same person, change name and e-mail one after the other",
    )
    return Match(None, (finding,))


def _by_login(row: ImportRow, login: str, full_name: str, account: Account, number: str | None) -> Match:
    address, shown = row.address(login), identity(row)[login]
    if number is not None and account.employee_number is not None:
        finding = Finding(
            address,
            login,
            f"{shown} belongs to {describe(account)} with employee number {account.employee_number!r}, "
            f"{row.address('employee_number')} says {number!r}",
            "correct one of the two",
        )
        return Match(None, (finding,))
    warnings = []
    if number is not None:
        reason = f"recognised by {shown} alone; employee number {number!r} will be written to that account"
        warnings.append(Finding(address, login, reason))
    if full_name and not _same_name(full_name, account):
        reason = f"{shown} belongs to {describe(account)}, the row says {full_name!r}"
        warnings.append(Finding(address, login, reason, "make sure that it is the same person"))
    return Match(account, (), tuple(warnings))


def _contradiction(row: ImportRow, login: str, other: Account, against: str, first: Account) -> Finding:
    return Finding(
        row.address(login),
        login,
        f"{identity(row)[login]} belongs to {describe(other)}, {row.address(against)} to {describe(first)}",
        "correct one of the two",
    )


def _same_name(full_name: str, account: Account) -> bool:
    return name_key(full_name, "") == name_key(account.given_name, account.family_name)


def describe(account: Account) -> str:
    return f"{account.full_name} ({account.username})"


@dataclass(frozen=True, slots=True)
class Repeated:
    """A row says of a person what an earlier row said of one; the earlier row counts."""

    number: int
    earlier: int
    error: Finding
    warning: Finding


def repeated(rows: Sequence[ImportRow]) -> Iterator[Repeated]:
    """Rows that share a username or e-mail address, an employee number or a technician with an earlier row.

    The first one counts and is warned about, the later one is an error: to refuse both would lose a person
    over a line pasted twice, to take the later would let the end of a file overrule what was read before.
    """
    seen: dict[tuple[str, str], tuple[ImportRow, str]] = {}
    for row in rows:
        for name, value in identity(row).items():
            key = ("login" if name in {"username", "email"} else name, value)
            earlier, earlier_field = seen.setdefault(key, (row, name))
            if earlier.number == row.number:
                continue
            what = name.replace("_", " ").replace("email", "e-mail")
            yield Repeated(
                row.number,
                earlier.number,
                Finding(
                    row.address(name),
                    name,
                    f"{what} {value!r} is also in {earlier.address(earlier_field)}",
                    "leave one of the two rows out, or correct it",
                ),
                Finding(
                    earlier.address(earlier_field),
                    earlier_field,
                    f"{what} {value!r} is in {row.address(name)} again; that row is left out",
                ),
            )
