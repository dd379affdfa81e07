"""The reviewed import: for every row what would happen to whom, and a fingerprint of all of it (F2, F3).

Pure: rows, world and policy in, plan out. The review stores it, the confirmation makes it again and compares,
the workers carry out what it says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from mappings.guard import ChangeKind
from mappings.policy import Policy
from sync.domain.accounts.account import Account, Life
from sync.domain.accounts.change import AccountChange, NewAccount, changed_fields, with_attributes
from sync.domain.accounts.rules import check
from sync.domain.accounts.same_person import email_local, name_key
from sync.domain.errors import Problem
from sync.domain.imports.match import Index, World, describe, match, repeated
from sync.domain.imports.row import ImportRow
from sync.domain.imports.values import Finding, Reader, Stated, Value, stated_name
from sync.domain.imports.verdict import PlannedRow, RowVerdict, fingerprint_of
from sync.domain.runs.effects import access_of, effects
from sync.domain.runs.guard import Impact

_UNBORN = datetime(1970, 1, 1, tzinfo=UTC)
_FEWEST_OF_A_PERSON = 2
"""A row of which no more than this is there, of all that a joiner needs, is about nobody."""
ANOTHER_PERSON = "make sure that it is another person"


Refuses: TypeAlias = Callable[[Account | None, Account], Problem | None]
"""Why whoever imports may not make this of an account (None: a new one); None: they may."""


def nobody(_before: Account | None, _after: Account) -> None:
    """Refuses nobody."""


@dataclass(frozen=True, slots=True)
class ImportPlan:
    rows: tuple[PlannedRow, ...]
    fingerprint: str

    @property
    def counts(self) -> dict[str, int]:
        """Rows by verdict; a row with a warning is counted there and under `warning`."""
        by_verdict = Counter(row.verdict for row in self.rows)
        counted = {verdict.value: by_verdict[verdict] for verdict in RowVerdict}
        return counted | {"warning": sum(1 for row in self.rows if row.warnings)}

    @property
    def impact(self) -> Impact:
        """What the mass-change guard judges (E7)."""
        return Impact.of(row.effects for row in self.rows)


def plan_import(rows: Sequence[ImportRow], world: World, policy: Policy, refuses: Refuses = nobody) -> ImportPlan:
    """Decide every row; what the caller may not do is an error of its row.

    The order of columns does not matter; of two rows for one person the first counts.
    """
    ordered = sorted(rows, key=lambda row: row.number)
    errors: dict[int, list[Finding]] = {row.number: [] for row in ordered}
    warnings: dict[int, list[Finding]] = {row.number: [] for row in ordered}
    for repeat in repeated(ordered):
        errors[repeat.number].append(repeat.error)
        warnings[repeat.earlier].append(repeat.warning)
    planner = _Planner(policy, world, Index.of(world), Reader(policy, world.technicians), refuses)
    planned = tuple(planner.plan(row, tuple(errors[row.number]), tuple(warnings[row.number])) for row in ordered)
    return ImportPlan(planned, fingerprint_of(planned, policy.fingerprint))


@dataclass(slots=True)
class _Planner:
    """Remembers which accounts and names earlier rows have taken."""

    policy: Policy
    world: World
    index: Index
    reader: Reader
    refuses: Refuses
    taken: dict[str, int] = field(default_factory=dict)
    seen: dict[Hashable, int] = field(default_factory=dict)

    def plan(self, row: ImportRow, errors: tuple[Finding, ...], warnings: tuple[Finding, ...]) -> PlannedRow:
        found = match(row, stated_name(row), self.index)
        branch_now = found.account.branch if found.account else None
        stated = self.reader.read(row, branch_now)
        errors = (*errors, *found.errors, *stated.findings)
        warnings = (*warnings, *found.warnings, *stated.warnings)
        if found.account is None:
            return self._joiner(row, stated, errors, warnings, matched=not found.errors)
        return self._known(row, found.account, stated, errors, warnings)

    def _joiner(
        self,
        row: ImportRow,
        stated: Stated,
        errors: tuple[Finding, ...],
        warnings: tuple[Finding, ...],
        *,
        matched: bool,
    ) -> PlannedRow:
        new = NewAccount(**with_attributes(_complete(stated.values)))
        account = new.account("", _UNBORN)
        too_little = self._says_too_little(row, stated) if matched else None
        if too_little is not None:
            errors = (too_little,)
        elif matched:
            errors = (*errors, *self._missing(row, stated, errors))
            errors = (*errors, *self._rules(row, None, account, stated, errors), *self._technician(row, account))
        if not errors:
            errors = tuple(self._not_allowed(row, None, account))
        if not errors:
            warnings = (*warnings, *self._resembles(row, account), *_unlinked(row, account, self.policy))
        verdict = RowVerdict.ERROR if errors else RowVerdict.CREATE
        return PlannedRow(
            row.number,
            verdict,
            who=account.full_name or account.username or stated_name(row) or f"row {row.number}",
            new=None if errors else new,
            effects=frozenset() if errors else effects(None, access_of(account, self.policy)),
            errors=errors,
            warnings=warnings,
            login=account.username or None,
            employee_number=account.employee_number,
        )

    def _known(
        self,
        row: ImportRow,
        before: Account,
        stated: Stated,
        errors: tuple[Finding, ...],
        warnings: tuple[Finding, ...],
    ) -> PlannedRow:
        wanted = AccountChange(**with_attributes(_without_respelling(stated.values, before)))
        after = wanted.applied_to(before)
        errors = (*errors, *self._same_account(row, before), *self._rules(row, before, after, stated, errors))
        errors = (*errors, *self._technician(row, after))
        if not errors and after != before:
            errors = tuple(self._not_allowed(row, before, after))
        if before.life is Life.INACTIVE:
            reason = f"{describe(before)} is inactive and stays so"
            warnings = (*warnings, Finding(f"row {row.number}", "", reason, "reactivate the account by hand"))
        warnings = (*warnings, *_unlinked(row, after, self.policy))
        changed = {} if errors else changed_fields(before, after)
        verdict = RowVerdict.ERROR if errors else RowVerdict.UPDATE if changed else RowVerdict.UNCHANGED
        return PlannedRow(
            row.number,
            verdict,
            who=after.full_name,
            account_id=before.id,
            base_version=self.world.versions.get(before.id, 0),
            change=_change(changed) if changed else None,
            changed=changed,
            effects=self._effects(before, after) if changed else frozenset(),
            errors=errors,
            warnings=warnings,
            login=after.username,
            employee_number=after.employee_number,
        )

    def _effects(self, before: Account, after: Account) -> frozenset[ChangeKind]:
        return effects(access_of(before, self.policy), access_of(after, self.policy))

    def _not_allowed(self, row: ImportRow, before: Account | None, after: Account) -> Iterator[Finding]:
        problem = self.refuses(before, after)
        if problem is not None:
            known = problem.field in row.cells
            where = row.address(problem.field) if known else f"row {row.number}"
            reason = f"{problem.field.replace('_', ' ')} {problem.reason}"
            yield Finding(where, problem.field if known else "", reason, problem.remedy)

    def _same_account(self, row: ImportRow, account: Account) -> Iterator[Finding]:
        earlier = self.taken.setdefault(account.id, row.number)
        if earlier != row.number:
            reason = f"row {earlier} is about {describe(account)} already"
            yield Finding(f"row {row.number}", "", reason, "leave one of the two rows out")

    def _says_too_little(self, row: ImportRow, stated: Stated) -> Finding | None:
        """A sum, a remark, an empty form: one error for the row, not one for each thing that a joiner needs."""
        needed = [column.field for column in self.policy.import_columns if column.required]
        missing = [name for name in needed if not row.text(name)]
        missing += [name for name in ("given_name", "family_name") if not stated.values.get(name)]
        if len(needed) + 2 - len(missing) > _FEWEST_OF_A_PERSON:
            return None
        told = ", ".join(name.replace("_", " ").replace("email", "e-mail") for name in missing)
        reason = f"says too little of a person: no {told}"
        return Finding(f"row {row.number}", "", reason, "fill it in; leave the row out if it is a sum or a remark")

    def _missing(self, row: ImportRow, stated: Stated, errors: tuple[Finding, ...]) -> Iterator[Finding]:
        """A joiner needs what `import_columns.toml` requires."""
        for column in self.policy.import_columns:
            if column.required and column.field not in stated.values and not _about(errors, column.field):
                what = column.field.replace("_", " ").replace("email", "e-mail")
                yield Finding(row.address(column.field), column.field, f"the {what} is missing", "fill it in")

    def _rules(
        self,
        row: ImportRow,
        before: Account | None,
        account: Account,
        stated: Stated,
        errors: tuple[Finding, ...],
    ) -> Iterator[Finding]:
        """The rules of every account, except where the cell it came from is reported already."""
        for problem in check(account, self.policy, before):
            column = _column_of(row, stated, problem.field)
            if not _about(errors, problem.field) and not _about(errors, column):
                yield Finding(
                    row.address(column), problem.field, _worded(problem.field, problem.reason), problem.remedy
                )

    def _technician(self, row: ImportRow, account: Account) -> Iterator[Finding]:
        holder = self.index.by_technician.get(account.technician_id or "")
        if holder is not None and holder.id != account.id:
            yield Finding(
                row.address("technician_id"),
                "technician_id",
                f"technician {account.technician_id!r} is linked to {describe(holder)}",
                "unlink the technician there first",
            )

    def _resembles(self, row: ImportRow, account: Account) -> Iterator[Finding]:
        """A likely second account of one person: to be looked at, never merged (A2)."""
        name = (name_key(account.given_name, account.family_name), account.branch)
        local_part = email_local(account.email)
        for other in self.index.by_name.get(name, ()) if name[0] else ():
            reason = f"{describe(other)} has the same name in the same branch"
            yield Finding(f"row {row.number}", "", reason, ANOTHER_PERSON)
        for other in self.index.by_local_part.get(local_part, ()) if local_part else ():
            reason = f"{describe(other)} has the same e-mail address in another domain"
            yield Finding(row.address("email"), "email", reason, ANOTHER_PERSON)
        earlier = self._earlier(name, row) if name[0] else None
        if earlier is not None:
            reason = f"row {earlier} has the same name in the same branch"
            yield Finding(f"row {row.number}", "", reason, ANOTHER_PERSON)
        earlier = self._earlier(local_part, row) if local_part else None
        if earlier is not None:
            reason = f"row {earlier} has the same e-mail address in another domain"
            yield Finding(row.address("email"), "email", reason, ANOTHER_PERSON)

    def _earlier(self, key: Hashable, row: ImportRow) -> int | None:
        """The first row that had this key, if it was another one."""
        first = self.seen.setdefault(key, row.number)
        return first if first != row.number else None


def _change(changed: Mapping[str, tuple[object, object]]) -> AccountChange:
    return AccountChange(**with_attributes({name: pair[1] for name, pair in changed.items()}))


def _complete(values: Mapping[str, Value]) -> dict[str, Any]:
    """Every field a new account must have; what is missing is reported by the rules."""
    return {"email": "", "given_name": "", "family_name": "", "profile": ""} | dict(values)


def _without_respelling(values: Mapping[str, Value], account: Account) -> dict[str, Any]:
    """A full name that was only split otherwise (`Anna Maria|Muster`) is not a change."""
    given, family = values.get("given_name"), values.get("family_name")
    if f"{given} {family}" == account.full_name:
        return {name: value for name, value in values.items() if name not in {"given_name", "family_name"}}
    return dict(values)


def _unlinked(row: ImportRow, account: Account, policy: Policy) -> Iterator[Finding]:
    """B3: a field worker without a technician is flagged everywhere until linked."""
    profile = policy.profiles.get(account.profile)
    if profile is not None and profile.field_work and account.technician_id is None:
        reason = f"profile {profile.title} without a technician: no work order can be assigned"
        yield Finding(row.address("technician_id"), "technician_id", reason, "link a technician")


def _about(errors: tuple[Finding, ...], field: str) -> bool:
    return any(error.field == field for error in errors)


def _column_of(row: ImportRow, stated: Stated, field: str) -> str:
    """The column in which a field of the account is to be mended."""
    if field in {"given_name", "family_name"} and field not in row.cells and "full_name" in row.cells:
        return "full_name"
    return "email" if field == "username" and field not in stated.values else field


def _worded(field: str, reason: str) -> str:
    return f"{field.replace('_', ' ')} {reason}" if reason.startswith(("is ", "has ")) else reason
