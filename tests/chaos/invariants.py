"""What must be true once a world has settled, whatever ended in the middle, and of every state on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from sync.domain.access import vocabulary
from sync.domain.access.scope import Scope
from sync.domain.accounts.account import Life
from sync.domain.provisioning.desired import desired_state, does_field_work
from sync.domain.provisioning.plan import diff
from sync.store.accounts import passwords
from sync.store.accounts.listing import list_accounts
from sync.store.accounts.query import AccountQuery
from sync.store.audit.timeline import read_timeline
from sync.store.deactivation import assignment_stops
from sync.store.provisioning import work_state
from sync.store.work.account_claims import due_lanes
from tests.chaos.crash_place import POLICY, Place, State, told_by


def violations(
    place: Place, *, settled: bool = True, late_writes: bool = False, late_passwords: int = 0
) -> list[str]:
    """Everything that is not as it must be, one line each.

    `settled` False: something is held, so Keycloak is not yet as wanted and is looked at again. `late_writes`:
    what a frozen process still sent may have widened access until the next look, which undoes and tells it.
    `late_passwords`: so many passwords it may have given once more.
    """
    found = [*_accounts(place, settled=settled), *_told(place, undone=late_writes), *_mails(place)]
    found += _technicians(place) if settled else []
    if settled and (lanes := place.read(lambda tx: due_lanes(tx, place.now()))):
        found.append(f"still due after everything settled: {lanes}")
    if not late_writes:
        for account_id, states in place.states.items():
            found += [f"{account_id}: {line}" for line in widened(states)]
    given = place.foreign.credentials.given
    if len(given) > len(set(given)) + late_passwords:
        found.append(f"{len(set(given))} passwords were given {len(given)} times")
    owners = Counter(user.account_id for user in place.foreign.keycloak.users.values())
    found += [f"{number} users carry the account id {owner}" for owner, number in owners.items() if number > 1]
    return found


def _accounts(place: Place, *, settled: bool) -> list[str]:
    found = []
    with place.systems.db.read() as tx:
        for listed in list_accounts(tx, Scope.all(), AccountQuery(limit=100)).items:
            account, who = listed.account, listed.account.username
            work = work_state.of_account(tx, account.id)
            assert work is not None
            if work.quarantine is not None:
                found.append(f"{who} is in quarantine: {work.quarantine}")
            if work.leased_until is not None:
                found.append(f"{who} is still leased")
            if settled and not work.applied:
                found.append(f"{who} was not applied: {work}")
            if account.idp_user_id is None:
                found.append(f"{who} has no user in Keycloak")
                continue
            desired = desired_state(account, POLICY)
            observed = place.foreign.keycloak.observe(account.idp_user_id, sessions=not desired.enabled)
            if observed is None:
                found.append(f"{who} is gone from Keycloak")
            elif settled and (changes := diff(desired, observed).changes):
                found.append(f"{who} is not as wanted: {'; '.join(map(str, changes))}")
    return found


def _told(place: Place, *, undone: bool) -> list[str]:
    """Entries that say the same twice since the world began, and the missing entry of what was applied last."""
    with place.systems.db.read() as tx:
        now = told_by(tx)
        versions = {
            listed.account.id: listed.work.applied_version
            for listed in list_accounts(tx, Scope.all(), AccountQuery(limit=100)).items
            if listed.work is not None
        }
    new = now - place.told
    found = [
        f"{n} entries of {who} say {title!r} {details}" for (who, _, title, details), n in new.items() if n > 1
    ]
    for account_id, version in versions.items():
        applied = f"applied (version {version})"
        times = sum(n for (who, _, title, _), n in now.items() if (who, title) == (account_id, applied))
        if version is not None and (times == 0 or (times > 1 and not undone)):
            found.append(f"{times} entries of {account_id} say {applied!r}")
    return found


def _technicians(place: Place) -> list[str]:
    """Nobody is given work that cannot do it, and nobody who can is kept from it by a stop of ours."""
    with place.systems.db.read() as tx:
        listed = [each.account for each in list_accounts(tx, Scope.all(), AccountQuery(limit=100)).items]
        working = {account.technician_id for account in listed if does_field_work(account, POLICY)}
        records = place.foreign.fsm.technicians()
        stopped = {*assignment_stops.ours(tx, [each.id for each in records])}
        stopped |= {account.technician_id for account in listed if account.life is Life.INACTIVE}
    found = [
        f"technician {each.id} is kept from work" for each in records if each.id in working and not each.assignable
    ]
    found += [
        f"technician {each.id} is given work and cannot do it"
        for each in records
        if each.id in stopped - working and each.assignable
    ]
    return found


def _mails(place: Place) -> list[str]:
    """Each at most once; once it is told as sent, exactly once, and its password is gone."""
    found = []
    sent = Counter(message.message_id for message in place.foreign.mailer.sent)
    each_kind = Counter((message.to, message.subject) for message in place.foreign.mailer.sent)
    recipients = {message.to for message in place.foreign.mailer.sent}
    found += [f"mail {name} was sent {number} times" for name, number in sent.items() if number > 1]
    found += [f"{who} got {number} mails {what!r}" for (who, what), number in each_kind.items() if number > 1]
    with place.systems.db.read() as tx:
        for listed in list_accounts(tx, Scope.all(), AccountQuery(limit=100)).items:
            account = listed.account
            titles = [entry.title for entry in read_timeline(tx, account.id) if entry.kind == "mail"]
            told = [title for title in titles if title.endswith(" sent")]
            kept = passwords.kept(tx, account.id, place.now())
            if told and kept is not None:
                found.append(f"the password of {account.username} is kept although its mail was sent")
            if told and not recipients & {account.email, *_addresses(titles)}:
                found.append(f"the mail to {account.email} is told as sent and was not")
    return found


def _addresses(titles: Sequence[str]) -> list[str]:
    return [title.split(" to ")[1].split(" ")[0] for title in titles if " to " in title]


def widened(states: Sequence[State]) -> list[str]:
    """Moments at which a user had more than before or after, was switched back and forth, or kept a session that
    was opened before a second factor was asked for."""
    if not states:
        return []
    before, after = states[0], states[-1]
    found = []
    for state in states:
        if not (state.access <= before.access or state.access <= after.access):
            found.append(f"had {sorted(state.access)} on the way to {sorted(after.access)}")
        if len([path for path in state.groups if path.startswith(vocabulary.PROFILES)]) > 1:
            found.append(f"had two profiles: {sorted(state.groups)}")
        gained = state.access - before.access
        if vocabulary.SECOND_FACTOR in after.groups - before.groups and gained and state.tokens & before.tokens:
            found.append(f"had {sorted(gained)} with sessions opened without the second factor")
    switched = [a.enabled for a, b in pairwise(states) if a.enabled != b.enabled]
    if len(switched) > (before.enabled != after.enabled):
        found.append(f"was switched {len(switched)} times")
    return found
