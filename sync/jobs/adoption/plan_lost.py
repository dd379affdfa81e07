"""Planning what becomes of users whose accounts our database lost: each that carries the mark of an account which
is not there gets it again, or joins the one that was created anew under its name (G4). `plan` calls it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sync.domain.accounts.account import Account, Life, login_key
from sync.domain.adoption.lost import GivenBack, LostUser, give_back, record_again, refuse_unknown_marks
from sync.domain.provisioning.observed import ACCOUNT_ID
from sync.jobs.systems import Systems
from sync.jobs.work.job import KeepLease
from sync.ports.listing import UserAttributes
from sync.store.accounts import accounts, pages
from sync.store.database.tables import RowVerdict
from sync.store.provisioning import work_state
from sync.store.runs import runs
from sync.store.runs.run_rows import RunRow
from sync.store.runs.runs import Run


def lost_rows(systems: Systems, keep: KeepLease, run: Run) -> tuple[RunRow, ...]:
    """Reads every user with its attributes, slowly, and each that is lost by itself. Raises Unsafe if too many of
    the marks are unknown (`refuse_unknown_marks`): nobody is looked at then."""
    marks, found, read = 0, list[LostUser](), 0
    for page in systems.listing.attributes():
        read += len(page)
        with systems.db.write() as tx:
            runs.planning(tx, keep.claimed(tx), run.id, read)
        carrying = {user.idp_user_id: _mark(user) for user in page if _mark(user)}
        marks += len(carrying)
        with systems.db.read() as tx:
            known = accounts.known_ids(tx, carrying.values())
            ours = pages.of_users(tx, carrying)
        found += [
            LostUser(user.idp_user_id, user.username, mark, None)
            for user in page
            if (mark := carrying.get(user.idp_user_id)) and mark not in known and user.idp_user_id not in ours
        ]
    refuse_unknown_marks(marks, len(found), systems.policy.drift.most_missing_percent)
    lost = [_looked_at(systems, each) for each in found]
    given = give_back(lost, systems.policy, systems.clock.now())
    with systems.db.read() as tx:
        versions = work_state.wanted_versions(tx, [each.joins.id for each in given if each.joins])
        taken = {each.again.id: accounts.taken(tx, each.again) for each in given if each.again}
    checked = [
        replace(each, problems=(*each.problems, *map(str, taken.get(each.again.id, ())))) if each.again else each
        for each in given
    ]
    return tuple(_row(number, each, versions) for number, each in enumerate(checked, start=1))


def _mark(user: UserAttributes) -> str:
    """Empty where it has none, or more than one."""
    values = user.attributes.get(ACCOUNT_ID, ())
    return values[0] if len(values) == 1 else ""


def _looked_at(systems: Systems, lost: LostUser) -> LostUser:
    user = systems.accounts.observe(lost.idp_user_id, sessions=False)
    keys = {login_key(name) for name in ((user.username, user.email) if user else (lost.username,)) if name}
    with systems.db.read() as tx:
        holders = set(accounts.who_has_login(tx, keys).values())
        namesakes: Sequence[Account] = tuple(accounts.read_many(tx, holders).values())
    return replace(lost, user=user, namesakes=tuple(namesakes))


def _row(number: int, given: GivenBack, versions: Mapping[str, int]) -> RunRow:
    lost, again = given.lost, given.again
    does = f"to create again: {_in_words(again)}" if again else "to adopt"
    changes = {"new": record_again(again)} if again else {"change": {"idp_user_id": [None, lost.idp_user_id]}}
    verdict: RowVerdict = "update" if given.joins else "create"
    return RunRow(
        number=number,
        original={
            "id": lost.idp_user_id,
            "username": lost.user.username if lost.user else lost.username,
            "email": lost.user.email if lost.user else "",
            "mark": lost.mark,
        },
        parsed=None,
        verdict="error" if given.problems else verdict,
        changes=changes,
        messages={
            "who": lost.username,
            "matched_by": ["name"] if given.joins else ["mark"],
            "does": does,
            "errors": list(given.problems),
        },
        account_id=given.joins.id if given.joins else lost.mark,
        base_version=versions.get(given.joins.id) if given.joins else None,
    )


def _in_words(account: Account) -> str:
    """What it may do, for whoever reviews it."""
    technician = f"technician {account.technician_id}" if account.technician_id else None
    access = account.profile, account.branch, account.team, account.data_access, technician
    return ", ".join([each for each in access if each] + ([] if account.life is Life.ACTIVE else ["inactive"]))
