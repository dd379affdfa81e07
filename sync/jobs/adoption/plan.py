"""Planning an adoption: users of Keycloak that were there before us, and which accounts of ours they may be (G4).

A door stores a run in the state `asked`; a worker of the lane `reconcile` reads Keycloak and writes its rows, and
from then on it can be reviewed. Nothing is adopted that a person has not seen in the plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from mappings.fingerprint import fingerprint
from sync.domain.accounts.account import login_key
from sync.domain.adoption.matching import Candidate, Proposal, propose
from sync.domain.drift.listed_user import ListedUser
from sync.domain.errors import Failure, Misconfigured, Transient
from sync.jobs.adoption.plan_lost import lost_rows
from sync.jobs.systems import Systems
from sync.jobs.work.job import KeepLease
from sync.store.accounts import accounts, pages
from sync.store.provisioning import work_state
from sync.store.runs import run_rows, runs
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run


def plan_asked(systems: Systems, keep: KeepLease, run: Run) -> None:
    """Read every user that is not ours and propose its account: by username and e-mail address exactly, and by the
    employee number if the attribute that holds it is named (that reads all attributes, slowly). Or, where it was
    asked for, every user whose account our database lost (`plan_lost`). Interrupted, the next worker begins
    anew. A failure that no other try mends ends the run, with its reason."""
    try:
        if run.options.get("lost_accounts"):
            rows, foreign = lost_rows(systems, keep, run), 0
        else:
            rows, foreign = _rows(systems, keep, run)
    except (Transient, Misconfigured):
        raise
    except Failure as failure:
        with systems.db.write() as tx:
            runs.not_planned(tx, keep.claimed(tx), run, str(failure), systems.clock.now())
        return
    counts = {
        "create": sum(row.verdict == "create" for row in rows),
        "update": sum(row.verdict == "update" for row in rows),
        "error": sum(row.verdict == "error" for row in rows),
        "foreign": foreign,
    }
    with systems.db.write() as tx:
        if runs.planned(tx, keep.claimed(tx), run.id, fingerprint(rows), counts):
            run_rows.add_rows(tx, run.id, rows)


def _rows(systems: Systems, keep: KeepLease, run: Run) -> tuple[tuple[RunRow, ...], int]:
    """With how many users match nobody and stay as they are."""
    found, foreign = _candidates(systems, keep, run)
    with systems.db.read() as tx:
        known = accounts.read_many(tx, {account_id for each in found for account_id in each.accounts})
        versions = work_state.wanted_versions(tx, known)
    looked = []
    for each in found:
        user = systems.accounts.observe(each.idp_user_id, sessions=False)
        looked.append(replace(each, user=user))
    looked = _with_lost(systems, looked)
    proposals = propose(looked, known)
    return tuple(_row(number, each, versions) for number, each in enumerate(proposals, start=1)), foreign


def _with_lost(systems: Systems, looked: Sequence[Candidate]) -> list[Candidate]:
    marks = {each.user.account_id for each in looked if each.user and each.user.account_id}
    with systems.db.read() as tx:
        unknown = marks - accounts.known_ids(tx, marks)
    return [replace(each, lost=each.user is not None and each.user.account_id in unknown) for each in looked]


def _candidates(systems: Systems, keep: KeepLease, run: Run) -> tuple[list[Candidate], int]:
    found: list[Candidate] = []
    foreign = read = 0
    for page in _pages(systems, run.options.get("employee_number_attribute")):
        read += len(page)
        with systems.db.write() as tx:
            runs.planning(tx, keep.claimed(tx), run.id, read)
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
            "does": "to adopt",
            "errors": list(proposal.problems),
        },
        account_id=proposal.account_id,
        base_version=versions.get(proposal.account_id or ""),
    )
