"""Adopting users of Keycloak that were there before us: propose, review, apply, and let go again (G4).

A plan is a run of kind `adoption`; applying it marks each user and links it with its account, and from then on the
workers bring it to what is wanted like any other. Nothing is adopted that a person has not seen in the plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from sync.commands.accounts.change import existing, require_reason
from sync.commands.accounts.initial_password import mail_new
from sync.commands.waking import wake
from sync.domain.access import vocabulary
from sync.domain.accounts.account import login_key
from sync.domain.accounts.change import Actor
from sync.domain.adoption import Candidate, Proposal, propose
from sync.domain.drift.listed_user import ListedUser
from sync.domain.errors import Failure, Misconfigured, NotFound, Problem, Refused, Transient
from sync.domain.provisioning.change import Change, LeaveGroup, TakeRole
from sync.domain.runs.fingerprint import SHORTEST, is_named
from sync.domain.runs.fingerprint import fingerprint as fingerprint_of
from sync.domain.work.lane import Lane
from sync.jobs.systems import Systems
from sync.store import audit
from sync.store.accounts import accounts, pages
from sync.store.database.ids import new_id
from sync.store.database.transactions import Tx
from sync.store.provisioning import due, work_state
from sync.store.provisioning.work_state import WorkState
from sync.store.runs import runs
from sync.store.runs.runs import RowOutcome, Run, RunRow


@dataclass(frozen=True, slots=True)
class AdoptionPlan:
    """`foreign` is how many users match nobody and stay as they are."""

    run: Run
    rows: tuple[RunRow, ...]
    foreign: int


def plan(systems: Systems, by: Actor, employee_number_attribute: str | None = None) -> AdoptionPlan:
    """Read every user that is not ours and propose its account: by username and e-mail address exactly, and by the
    employee number if the attribute that holds it is named (that reads all attributes, slowly). Stores a run."""
    require_reason(by)
    found, foreign = _candidates(systems, employee_number_attribute)
    with systems.db.read() as tx:
        known = accounts.read_many(tx, {account_id for each in found for account_id in each.accounts})
        versions = work_state.wanted_versions(tx, known)
    looked = [replace(each, user=systems.accounts.observe(each.idp_user_id, sessions=False)) for each in found]
    proposals = propose(looked, known)
    rows = tuple(_row(number, each, versions) for number, each in enumerate(proposals, start=1))
    digest = fingerprint_of(
        [[row.number, row.verdict, row.account_id, row.base_version, row.changes, row.messages] for row in rows]
    )
    now = systems.clock.now()
    run = Run(
        id=new_id(now),
        kind="adoption",
        state="reviewed",
        source="Keycloak",
        source_digest=digest,
        fingerprint=digest,
        created_at=now,
        by=by.name,
        door=by.door.value,
        counts={
            "update": sum(row.verdict == "update" for row in rows),
            "error": sum(row.verdict == "error" for row in rows),
        },
        options={"reason": by.reason},
    )
    with systems.db.write() as tx:
        runs.insert(tx, run, rows)
    return AdoptionPlan(run, rows, foreign)


def apply(systems: Systems, run_id: str, fingerprint: str, by: Actor) -> tuple[RunRow, ...]:
    """Mark and link every match of the reviewed plan; conflicts are left alone. Answers all rows with results.

    Interrupted, it is called again and goes on. Raises Refused if the plan is another one or has ended; a failure
    of Keycloak itself, or a worker that may have seen a mark, ends this call and leaves the rest.
    """
    require_reason(by)
    with systems.db.write() as tx:
        run = _confirmed(systems, tx, run_id, fingerprint, by)
    while True:
        with systems.db.read() as tx:
            some = runs.pending(tx, run.id, 50)
        if not some:
            break
        for row in some:
            _adopt(systems, run, row, by)
        with systems.db.write() as tx:
            runs.applying(tx, run.id, systems.clock.now())
    with systems.db.write() as tx:
        runs.applying(tx, run.id, systems.clock.now())
        rows = runs.rows(tx, run.id)
    wake(systems, Lane.BULK)
    return rows


def release(systems: Systems, account_id: str, by: Actor) -> str:
    """The wrong user was adopted: take it out of the groups of ours, which give access, then the mark and the
    technician off, and forget the link; answers the user's id. Its names and whether it is enabled stay as workers
    made them, told in the account's timeline. The workers then make a user of its own for the account, with a new
    password by mail if it is active; they meet a conflict while the released user has its name or e-mail address.

    Interrupted, it is called again. Raises Refused if the account was not adopted or a worker is at it."""
    require_reason(by)
    with systems.db.read() as tx:
        account, state = existing(tx, account_id), work_state.of_account(tx, account_id)
        adopted = audit.was_done(tx, account_id, ADOPT)
    user = account.idp_user_id
    if user is None or not adopted:
        raise Refused([Problem("account", f"{account.username} was not adopted", "nothing is to be released")])
    if _leased(systems, state):
        raise Refused([Problem("account", f"a worker is looking at {account.username}", "try again in a minute")])
    groups = _withdrawn(systems, user)
    systems.adoption.release(user, account_id)
    with systems.db.write() as tx:
        accounts.forget_idp_user_id(tx, account_id, user)
        left = {"groups": (", ".join(groups), None)} if groups else {}
        _audit(tx, account_id, "release Keycloak user", (user, None), by, systems, left)
        mail_new(tx, systems.policy, account, systems.clock.now())
        due.mark_due(tx, account_id, Lane.BULK, systems.clock.now())
    wake(systems, Lane.BULK)
    return user


def _withdrawn(systems: Systems, idp_user_id: str) -> list[str]:
    """Take from the user what of ours gives access, while it still carries the mark; answers the groups."""
    observed = systems.accounts.observe(idp_user_id, sessions=False)
    if observed is None:
        return []
    groups = sorted(path for path in observed.groups if vocabulary.owns_group(path))
    roles = sorted(role for role in observed.roles if vocabulary.owns_role(role))
    changes: list[Change] = [*map(LeaveGroup, groups), *map(TakeRole, roles)]
    for change in changes:
        systems.accounts.apply(idp_user_id, change)
    return groups


ADOPT = "adopt Keycloak user"


def _candidates(systems: Systems, attribute: str | None) -> tuple[list[Candidate], int]:
    found: list[Candidate] = []
    foreign = 0
    for page in _pages(systems, attribute):
        with systems.db.read() as tx:
            ours = pages.of_users(tx, [user.idp_user_id for user, _ in page])
            strangers = [(user, number) for user, number in page if user.idp_user_id not in ours]
            keys = {login_key(name) for user, _ in strangers for name in (user.username, user.email) if name}
            by_login = accounts.who_has_login(tx, keys)
            by_number = accounts.by_employee_numbers(tx, [number for _, number in strangers if number])
        for user, number in strangers:
            matches: dict[str, set[str]] = {}
            for what, account_id in (
                ("username", by_login.get(login_key(user.username))),
                ("email", by_login.get(login_key(user.email)) if user.email else None),
                ("employee number", by_number[number].id if number in by_number else None),
            ):
                if account_id is not None:
                    matches.setdefault(account_id, set()).add(what)
            foreign += not matches
            if matches:
                named = {account_id: frozenset(whats) for account_id, whats in matches.items()}
                found.append(Candidate(user.idp_user_id, user.username, named, None))
    return found, foreign


def _pages(systems: Systems, attribute: str | None) -> Iterator[list[tuple[ListedUser, str]]]:
    """Each user with the employee number it carries, empty if none was asked for."""
    if attribute is None:
        for users in systems.listing.users():
            yield [(user, "") for user in users]
        return
    for page in systems.listing.attributes():
        yield [
            (
                ListedUser(user.idp_user_id, user.username, user.email, "", "", enabled=True),
                "".join(user.attributes.get(attribute, ())[:1]),
            )
            for user in page
        ]


def _row(number: int, proposal: Proposal, versions: Mapping[str, int]) -> RunRow:
    user = proposal.candidate.user
    return RunRow(
        number=number,
        original={
            "id": proposal.candidate.idp_user_id,
            "username": proposal.candidate.username,
            "email": user.email if user else "",
        },
        parsed=None,
        verdict="error" if proposal.problems else "update",
        changes={"change": {"idp_user_id": [None, proposal.candidate.idp_user_id]}},
        messages={
            "who": proposal.candidate.username,
            "matched_by": list(proposal.matched_by),
            "errors": list(proposal.problems),
        },
        account_id=proposal.account_id,
        base_version=versions.get(proposal.account_id or ""),
    )


def _confirmed(systems: Systems, tx: Tx, run_id: str, fingerprint: str, by: Actor) -> Run:
    run = runs.get(tx, run_id)
    if run is None or run.kind != "adoption":
        raise NotFound([Problem("run", f"{run_id} is no adoption", "see fsm-identity runs list --kind adoption")])
    if not is_named(run.fingerprint, fingerprint, SHORTEST):
        raise Refused(
            [Problem("plan", f"is not {fingerprint!r}, it is {run.fingerprint[:16]}", "look at it again")]
        )
    if run.state == "reviewed":
        runs.confirm(tx, run.id, by.name, systems.clock.now())
    elif run.state not in {"confirmed", "applying"}:
        raise Refused([Problem("run", f"is {run.state}", "plan the adoption anew")])
    return run


def _adopt(systems: Systems, run: Run, row: RunRow, by: Actor) -> None:
    """The mark first: should we die before the link is stored, the next call, or a worker that looks at the
    account, finds the mark. Until then the run stands still, which is told."""
    account_id, user = str(row.account_id), row.original["id"]
    try:
        with systems.db.read() as tx:
            linked = _linked(systems, tx, row)
        if not linked:
            systems.adoption.take(user, account_id, username=row.original["username"], email=row.original["email"])
        with systems.db.write() as tx:
            _linked(systems, tx, row)
            accounts.remember_idp_user_ids(tx, {account_id: user})
            _audit(tx, account_id, ADOPT, (None, user), by, systems)
            due.mark_due(tx, account_id, Lane.BULK, systems.clock.now())
            runs.write_outcomes(tx, run.id, [RowOutcome(row.number, "applied", None, account_id)])
    except (Transient, Misconfigured):
        raise
    except (Refused, Failure) as reason:
        left = _take_off(systems, user, account_id)
        with systems.db.write() as tx:
            runs.write_outcomes(tx, run.id, [RowOutcome(row.number, "refused", f"{reason}{left}", account_id)])


def _linked(systems: Systems, tx: Tx, row: RunRow) -> bool:
    """Whether a worker has found our mark and linked the user already. Raises Refused if the account is not as
    reviewed; a user that a worker has made meanwhile, or is making now, changes no wanted version."""
    account_id = str(row.account_id)
    account, state = existing(tx, account_id), work_state.of_account(tx, account_id)
    if account.idp_user_id == row.original["id"]:
        return True
    if account.idp_user_id is not None:
        what = f"has Keycloak user {account.idp_user_id} by now"
        raise Refused([Problem("account", what, "plan the adoption anew")])
    if state is None or state.wanted_version != row.base_version:
        raise Refused([Problem("account", "was changed since the review", "plan the adoption anew")])
    if _leased(systems, state):
        raise Refused([Problem("account", "is being looked at by a worker", "plan the adoption anew")])
    return False


def _leased(systems: Systems, state: WorkState | None) -> bool:
    return state is not None and state.leased_until is not None and state.leased_until > systems.clock.now()


def _take_off(systems: Systems, user: str, account_id: str) -> str:
    """What is refused carries no mark of ours, or the next look at the account would link it. Answers what is to
    be told beside the reason, if the mark cannot be taken off. Raises Transient, and leaves it, if a worker is at
    the account or has linked the user: the same `adopt apply` then goes on."""
    observed = systems.accounts.observe(user, sessions=False)
    if observed is None or observed.account_id != account_id:
        return ""
    with systems.db.read() as tx:
        account, state = existing(tx, account_id), work_state.of_account(tx, account_id)
    if _leased(systems, state) or account.idp_user_id == user:
        raise Transient(f"a worker is looking at {account.username}: call `adopt apply` again in a minute")
    try:
        _withdrawn(systems, user)
        systems.adoption.release(user, account_id)
    except (Transient, Misconfigured):
        raise
    except Failure as reason:
        return f"; the user keeps our mark: {reason}"
    return ""


def _audit(
    tx: Tx,
    account_id: str,
    action: str,
    user: tuple[str | None, str | None],
    by: Actor,
    systems: Systems,
    beside: Mapping[str, tuple[str | None, str | None]] = MappingProxyType({}),
) -> None:
    audit.audit(
        tx,
        account_id=account_id,
        action=action,
        changed={"idp_user_id": user, **beside},
        by=by,
        now=systems.clock.now(),
    )
