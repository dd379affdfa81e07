"""Whether all came out as wanted: Keycloak read back by its plain admin API, our database, and the mails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func, select

from sync.devstack.services.mailbox import mails as caught_in
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Account
from sync.domain.provisioning.desired import desired_state
from sync.domain.work.circuit import CircuitState
from sync.jobs.acts.carry_out import SUPERSEDED
from sync.jobs.systems import Systems
from sync.store import acts, schedule
from sync.store.accounts.listing import list_accounts
from sync.store.accounts.query import AccountQuery
from sync.store.audit.timeline import read_timeline
from sync.store.database.batches import batches
from sync.store.database.tables import mail
from sync.store.drift import findings
from sync.store.mail import outbox
from sync.store.operations import figures
from sync.store.work import circuits
from tests.chaos.story.acts import mails_of_resets, unfinished, untold, wrong_password
from tests.chaos.story.people import Meanwhile
from tests.chaos.story.places import Places
from tests.realms import ConfiguredRealm

PAGE = 500


def unsettled(systems: Systems) -> list[str]:
    """What a worker still has to do."""
    found = []
    with systems.db.read() as tx:
        for lane, (due, leased, *_) in figures.lanes_of_accounts(tx, systems.clock.now()).items():
            if due or leased:
                found.append(f"{lane}: {due} due, {leased} being worked on")
        found += [
            f"the circuit {each.name} is {each.state}"
            for each in circuits.every(tx)
            if each.state is not CircuitState.CLOSED
        ]
        listed = _listed(tx)
        waiting = sum(1 for each in listed if each.work is None or not each.work.applied)
        for some in batches([each.account.id for each in listed]):
            found += unfinished(tx, some, systems.clock.now())
        unsent = outbox.any_due(tx, systems.clock.now())
    if waiting:
        found.append(f"{waiting} accounts are not in Keycloak as wanted")
    if unsent:
        found.append("mails are due")
    return found


def differences(places: Places, systems: Systems, meanwhile: Meanwhile, people: int) -> list[str]:
    """Everything that is not as it must be, one line each."""
    found = list(_keycloak(places.realm, systems))
    allowed = Counter[str]()
    with systems.db.read() as tx:
        listed = _listed(tx)
        if len(listed) != people:
            found.append(f"{len(listed)} accounts for {people} people")
        done = {each.account: acts.of_account(tx, each.account.id) for each in listed}
        for each in listed:
            found += [*_one(tx, each, meanwhile), *untold(tx, each.account.id)]
            allowed[each.account.email] = 1 + mails_of_resets(tx, each.account.id)
        states = _mail_states(tx)
    for account, all_of in done.items():
        found += wrong_password(places.realm, str(account.idp_user_id), all_of)
    caught = Counter(str(each["Message-ID"]) for each in caught_in(places.mails))
    to = Counter(str(each["X-Envelope-To"]) for each in caught_in(places.mails))
    found += [f"mail {name} came {n} times" for name, n in caught.items() if n > 1]
    found += [f"{name} got {n} mails" for name, n in to.items() if n > allowed[name]]
    if sum(caught.values()) < states["sent"]:
        found.append(f"{states['sent']} mails are told as sent, {sum(caught.values())} came")
    doubtful = places.kills + 1
    if states["failed"] > doubtful:
        found.append(f"{states['failed']} mails failed; {doubtful} ends of workers explain no more than that")
    return found


def told_of(systems: Systems, wrong: Sequence[str]) -> Iterator[str]:
    """All that our database says of the accounts that something is wrong with, of drift and of the jobs: it may be
    gone when somebody reads it."""
    with systems.db.read() as tx:
        for each in _listed(tx):
            if any(each.account.username in line or each.account.id in line for line in wrong):
                yield f"{each.account}\n{each.work}"
                yield from map(str, read_timeline(tx, each.account.id))
        yield from map(str, findings.listed(tx, states=["open"]))
        yield from map(str, schedule.all_jobs(tx))


def _listed(tx: Any) -> list[Any]:
    page = list_accounts(tx, Scope.all(), AccountQuery(limit=1000))
    found = list(page.items)
    while page.next is not None:
        page = list_accounts(tx, Scope.all(), AccountQuery(limit=1000, after=page.next))
        found += page.items
    return found


def _mail_states(tx: Any) -> Counter[str]:
    """How many mails are in which state, without those that a newer password gave up."""
    rows = tx.connection.execute(
        select(mail.c.state, func.count().label("number"))
        .where(func.coalesce(mail.c.error, "") != SUPERSEDED)
        .group_by(mail.c.state)
    )
    return Counter({row.state: row.number for row in rows})


def _one(tx: Any, listed: Any, meanwhile: Meanwhile) -> Iterator[str]:
    account, work = listed.account, listed.work
    who = account.username
    if work is None or work.quarantine is not None:
        yield f"{who} is in quarantine: {work and work.quarantine}"
        return
    timeline = read_timeline(tx, account.id)
    asked = Counter(entry.reason for entry in timeline if entry.kind == "asked")
    yield from (f"{who}: {n} entries for {reason!r}" for reason, n in asked.items() if n > 1)
    yield from (
        f"{who}: no entry for {reason!r}" for reason in meanwhile.asked.get(account.id, ()) if not asked[reason]
    )
    applied = Counter(entry.title for entry in timeline if entry.title.startswith("applied"))
    if not applied[f"applied (version {work.applied_version})"]:
        yield f"{who}: no entry says that version {work.applied_version} was applied"
    if account.id not in meanwhile.touched | meanwhile.console and sum(applied.values()) != 1:
        yield f"{who}: applied {sum(applied.values())} times"


def _keycloak(realm: ConfiguredRealm, systems: Systems) -> Iterator[str]:
    users = {user["id"]: user for user in _pages(realm, "users", briefRepresentation="false")}
    groups: dict[str, set[str]] = {}
    for path, group_id in _groups(realm):
        for user in _pages(realm, f"groups/{group_id}/members", briefRepresentation="true"):
            groups.setdefault(user["id"], set()).add(path)
    owned = [(user.get("attributes") or {}).get("fsm_account_id", ["nobody"])[0] for user in users.values()]
    owners = Counter(owned)
    yield from (f"{n} users carry the account id {owner}" for owner, n in owners.items() if n > 1)
    with systems.db.read() as tx:
        accounts: list[Account] = [listed.account for listed in _listed(tx)]
    if len(users) != len(accounts):
        yield f"Keycloak has {len(users)} users for {len(accounts)} accounts"
    for account in accounts:
        wanted, user = desired_state(account, systems.policy), users.get(str(account.idp_user_id))
        if user is None:
            yield f"{account.username} is not in Keycloak"
            continue
        is_there = (user["username"], user["email"], user["firstName"], user["lastName"], user["enabled"])
        should = (wanted.username, wanted.email, wanted.given_name, wanted.family_name, wanted.enabled)
        if is_there != should:
            yield f"{account.username} is {is_there}, wanted {should}"
        if groups.get(user["id"], set()) != set(wanted.groups):
            yield f"{account.username} is in {sorted(groups.get(user['id'], ()))}, wanted {sorted(wanted.groups)}"


def _groups(realm: ConfiguredRealm) -> Iterator[tuple[str, str]]:
    root = realm.get("group-by-path/fsm")
    for group in realm.get(f"groups/{root['id']}/children", max=1000):
        yield group["path"], group["id"]
        for child in realm.get(f"groups/{group['id']}/children", max=1000):
            yield child["path"], child["id"]


def _pages(realm: ConfiguredRealm, path: str, **query: str) -> Iterator[Any]:
    first = 0
    while page := realm.get(path, first=first, max=PAGE, **query):
        yield from page
        first += len(page)
