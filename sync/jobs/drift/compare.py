"""The full comparison of Keycloak with what is wanted (H4, G4): by pages, on a schedule or because somebody asks.

It reads, looks at the accounts that differ one by one, and writes findings. It writes nothing to Keycloak: what
is to be repaired is handed to the workers. Interrupted, it is begun anew; nothing it noted before is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import structlog

from sync.commands.waking import wake
from sync.domain.access import vocabulary
from sync.domain.access.group_roles import roles_of_groups
from sync.domain.drift.anomaly import Anomaly, Irregularity, surplus
from sync.domain.drift.kinds import ENDED_BY_COMPARISON, LOOKED_AT_AGAIN, Kind
from sync.domain.drift.listed_user import ListedUser
from sync.domain.drift.shrunken import refuse_shrunken
from sync.domain.drift.sums import Sums, details
from sync.domain.errors import Transient, Unsafe
from sync.domain.provisioning.desired import desired_state
from sync.domain.work.claimed import ClaimedJob
from sync.domain.work.lane import Lane
from sync.jobs.drift.accept_by_file import accept_by_file
from sync.jobs.drift.hand_over import hand_over
from sync.jobs.drift.judge import Judged, judge
from sync.jobs.drift.readable_users import ReadableUsers, Unreadable
from sync.jobs.systems import Systems
from sync.jobs.work.job import KeepLease
from sync.jobs.work.unforeseen import kind_of, message_of
from sync.ports.listing import HoldersPage, MembersPage, OurGroups
from sync.store.accounts import accounts, pages
from sync.store.database.tables import ComparisonKind
from sync.store.database.transactions import Tx
from sync.store.drift import comparisons, findings, foreign_users, touches
from sync.store.drift.comparisons import Comparison, Counts
from sync.store.drift.findings import Subject
from sync.store.provisioning import observations
from sync.store.runs import runs

MOST_LOOKED_AT = 5_000
"""Accounts that one comparison looks at one by one; what is beyond comes next time. Five requests each."""

MOST_FOREIGN = 1_000
"""Strangers in groups of ours, or with roles of ours, that one comparison notes."""

PAGES_BETWEEN = 10
"""Pages between two notes of how far it is."""

log = structlog.get_logger()


@dataclass
class Comparing:
    """A comparison under way: what it has counted, and its row."""

    systems: Systems
    row: Comparison
    keep: KeepLease
    counts: Counts = field(default_factory=Counts)

    def note(self, **changed: int) -> None:
        """Count, keep the lease, and say how far it is. Raises Transient if it was lost."""
        self.counts = replace(self.counts, **changed)
        self.keep()
        with self.systems.db.write() as tx:
            comparisons.progress(tx, self.keep.claimed(tx), self.row.id, self.counts, self.systems.clock.now())

    def lock_accounts(
        self, tx: Tx, ended: Collection[Kind], judged: Judged, more: Iterable[str | None] = ()
    ) -> None:
        """Everybody whose findings are written in this transaction (rule: account-before-finding)."""
        repaired = (finding.subject.account_id for finding in judged.to_repair)
        known = {account_id for account_id in (*repaired, *more) if account_id is not None}
        accounts.lock_all(tx, known | findings.accounts_unseen(tx, ended, self.row.started_at))

    def hand_over(self, tx: Tx, judged: Judged) -> None:
        """What is to be repaired goes to the workers as one run, once everything has been compared
        (rule: judge-the-whole-run)."""
        repairs = hand_over(tx, self.systems.policy, judged.to_repair, self.systems.clock.now(), self.row.kind)
        self.counts = replace(self.counts, repairs=repairs)

    def finish(self, tx: Tx, claimed: ClaimedJob) -> None:
        """It is whole, in the commit of what it found."""
        comparisons.finish(tx, claimed, self.row.id, self.counts, self.systems.clock.now())


@dataclass
class Pages:
    """What the pages showed beside the sums of our own users."""

    listed: int = 0
    memberships: int = 0
    foreign: int = 0
    strangers: dict[str, str] = field(default_factory=dict)
    in_groups: dict[str, set[str]] = field(default_factory=dict)
    with_roles: dict[str, set[str]] = field(default_factory=dict)
    with_features: dict[str, set[str]] = field(default_factory=dict)


def compare(systems: Systems, keep: KeepLease) -> Comparison:
    """Compare everything once. Raises Transient while changed mapping files are being carried out, Unsafe if so
    many users are missing that the listing cannot be believed."""
    with systems.db.read() as tx:
        if runs.being_applied(tx, "mappings"):
            raise Transient("changed mapping files are being carried out; the comparison comes after that")
    return under_a_row(systems, "comparison", keep, _compare)


def under_a_row(
    systems: Systems, kind: ComparisonKind, keep: KeepLease, work: Callable[[Comparing], None]
) -> Comparison:
    """Run `work` under a row of its own, and write down how it ended."""
    with systems.db.write() as tx:
        row = comparisons.begin(tx, keep.claimed(tx), kind, systems.clock.now())
    comparing = Comparing(systems, row, keep)
    try:
        work(comparing)
    except Exception as error:
        with systems.db.write() as tx:
            failed = kind_of(error), message_of(error), systems.clock.now()
            if still := keep.still_claimed(tx):
                comparisons.fail(tx, still, row.id, *failed)
        raise
    with systems.db.read() as tx:
        return comparisons.get(tx, row.id)


def _compare(comparing: Comparing) -> None:
    systems = comparing.systems
    groups = systems.listing.groups()
    sums = _expected(systems, groups)
    comparing.note(accounts=len(sums))
    shown = _read(comparing, groups, sums)
    _refuse_another_realm(comparing, sums, shown)
    _note_groups(comparing, groups)
    judged = _judge_suspects(comparing, sums, shown)
    accept_by_file(systems, judged.to_accept, comparing.keep)
    foreign = _foreign(comparing, shown)
    with systems.db.write() as tx:
        now, claimed = systems.clock.now(), comparing.keep.claimed(tx)
        comparing.lock_accounts(tx, ENDED_BY_COMPARISON, judged, [subject.account_id for subject, _ in foreign])
        for subject, each in foreign:
            findings.found(tx, claimed, subject, each, "report", now)
        _tell_lost_apart(tx, comparing, claimed, foreign)
        findings.close_unseen(tx, claimed, ENDED_BY_COMPARISON, comparing.row.started_at, judged.unjudged, now)
        foreign_users.forget_unseen(tx, claimed, comparing.row.started_at)
        touches.forget(tx, claimed, comparing.row.started_at, None, but=judged.unjudged)
        comparing.hand_over(tx, judged)
        comparing.finish(tx, claimed)
    wake(systems, Lane.BULK)


def _refuse_another_realm(comparing: Comparing, sums: Sums, shown: Pages) -> None:
    """Raises Unsafe. The people of a realm that is not ours are none of our business: their names go again."""
    systems = comparing.systems
    try:
        refuse_shrunken(len(sums), shown.listed, systems.policy.drift.most_missing_percent)
    except Unsafe:
        with systems.db.write() as tx:
            if still := comparing.keep.still_claimed(tx):
                foreign_users.forget_new(tx, still, comparing.row.started_at)
        raise


def _expected(systems: Systems, groups: OurGroups) -> Sums:
    """A group that is missing is one finding, not one for each of its members: nobody is expected in it, nor in a
    profile group that is missing with any details."""
    sums = Sums()
    for page in pages.in_keycloak(systems.db):
        for account in page:
            desired = desired_state(account, systems.policy)
            shown = vocabulary.profile_group(account.profile) in groups.paths
            listed = details(desired) if shown else None
            sums.expect(str(account.idp_user_id), listed, desired.groups & groups.paths)
    sums.seal()
    return sums


def _read(comparing: Comparing, groups: OurGroups, sums: Sums) -> Pages:
    """Every account is in one profile group, so its members tell the details of all of ours. The users as a whole
    are listed only where somebody is left to be found: a stranger, or one of ours who is not as wanted."""
    systems, shown = comparing.systems, Pages()
    for number, page in enumerate(systems.listing.pages(groups.paths, groups.roles), start=1):
        match page:
            case MembersPage(group, members):
                shown.memberships += len(members)
                detailed = vocabulary.is_profile_group(group)
                for user in members:
                    if not sums.saw_member(user.idp_user_id, group):
                        _stranger(shown, shown.in_groups, user.idp_user_id, user.username, group)
                    elif detailed:
                        sums.saw_details(user.idp_user_id, details(user))
            case HoldersPage(role, holders):
                kept = (
                    shown.with_features if role.startswith(f"{vocabulary.FEATURES_CLIENT}/") else shown.with_roles
                )
                for idp_user_id, username in holders.items():
                    _stranger(shown, kept, idp_user_id, username, role)
        if number % PAGES_BETWEEN == 0:
            comparing.note(memberships=shown.memberships)
    shown.listed = sums.settled()
    if systems.listing.count() != shown.listed:
        _list_users(comparing, sums, shown)
    comparing.note(users=shown.listed + shown.foreign, memberships=shown.memberships, foreign_users=shown.foreign)
    return shown


def _list_users(comparing: Comparing, sums: Sums, shown: Pages) -> None:
    shown.listed = 0
    for number, users in enumerate(comparing.systems.listing.users(), start=1):
        unknown = [user for user in users if not sums.knows(user.idp_user_id)]
        shown.listed += len(users) - len(unknown)
        shown.foreign += _note_foreign(comparing, unknown)
        if number % PAGES_BETWEEN == 0:
            comparing.note(users=shown.listed + shown.foreign, memberships=shown.memberships)


def _stranger(shown: Pages, kept: dict[str, set[str]], user: str, username: str, what: str) -> None:
    if user in shown.strangers or len(shown.strangers) < MOST_FOREIGN:
        shown.strangers[user] = username
        kept.setdefault(user, set()).add(what)


def _note_foreign(comparing: Comparing, unknown: Collection[ListedUser]) -> int:
    """Those who became ours since the comparison began are not foreign."""
    if not unknown:
        return 0
    with comparing.systems.db.write() as tx:
        ours = pages.of_users(tx, [user.idp_user_id for user in unknown])
        foreign = [user for user in unknown if user.idp_user_id not in ours]
        foreign_users.seen(tx, comparing.keep.claimed(tx), foreign, comparing.systems.clock.now())
    return len(foreign)


def _note_groups(comparing: Comparing, groups: OurGroups) -> None:
    """Groups that are missing, and roles that somebody put on one: once a group, for a person."""
    systems = comparing.systems
    wanted = roles_of_groups(systems.policy).keys()
    missing = [(path, Irregularity(Anomaly.GROUP_MISSING, path, None)) for path in wanted - groups.paths]
    carrying = [(path, surplus(Anomaly.GROUP_ROLES, roles)) for path, roles in groups.extra_roles.items()]
    with systems.db.write() as tx:
        claimed = comparing.keep.claimed(tx)
        for path, each in sorted(missing + carrying, key=lambda found: found[0]):
            findings.found(tx, claimed, Subject.of_group(path), each, "report", systems.clock.now())


def _judge_suspects(comparing: Comparing, sums: Sums, shown: Pages) -> Judged:
    """Look at each account that differs, or holds a role of ours directly, as it is now."""
    judged = Judged()
    for some in _suspects(comparing, sums, shown.with_roles):
        room = max(0, MOST_LOOKED_AT - judged.looked_at)
        judged += judge(comparing.systems, comparing.keep, some[:room], comparing.note)
        judged += Judged(left_out=frozenset(some[room:]))
        comparing.note(
            looked_at=judged.looked_at,
            left_out=len(judged.left_out),
            differing=judged.differing,
        )
    if judged.left_out:
        log.info("accounts were not judged; the next comparison looks at them", accounts=len(judged.left_out))
    return judged


def _suspects(
    comparing: Comparing, sums: Sums, with_roles: Mapping[str, Collection[str]]
) -> Iterator[tuple[str, ...]]:
    """Whoever differs; of the others it is known now that Keycloak has what it was sent."""
    systems = comparing.systems
    with systems.db.read() as tx:
        open_before = findings.accounts_with(tx, LOOKED_AT_AGAIN)
        as_sent = observations.any_as_sent(tx)
    for page in pages.ids_in_keycloak(systems.db):
        found = tuple(
            account_id
            for account_id, user in page
            if sums.differs(user) or user in with_roles or account_id in open_before
        )
        if as_sent:
            _confirm(comparing, {account_id for account_id, _ in page} - set(found))
        for start in range(0, len(found), 50):
            yield found[start : start + 50]


def _confirm(comparing: Comparing, account_ids: Collection[str]) -> None:
    with comparing.systems.db.write() as tx:
        observations.confirm(tx, comparing.keep.claimed(tx), account_ids, comparing.row.started_at)


def _tell_lost_apart(
    tx: Tx, comparing: Comparing, claimed: ClaimedJob, found: Collection[tuple[Subject, Irregularity]]
) -> None:
    """Whoever carries a mark of ours is not counted among those who are not ours."""
    lost = [str(subject.idp_user_id) for subject, each in found if each.attribute is Anomaly.LOST_ACCOUNT]
    listed = foreign_users.not_foreign(tx, claimed, lost)
    comparing.counts = replace(comparing.counts, foreign_users=comparing.counts.foreign_users - listed)


def _foreign(comparing: Comparing, shown: Pages) -> list[tuple[Subject, Irregularity]]:
    """Strangers in groups of ours or with roles of ours, and feature roles of our own users, each user looked at
    as it is now. One that carries the id of an account is being created just now, or is the attribute pass's; one
    whose account our database does not have, as after it was restored, is a finding whatever else it has. Whoever
    was found so before is looked at again."""
    systems = comparing.systems
    with systems.db.read() as tx:
        strangers = {**findings.users_with(tx, Anomaly.LOST_ACCOUNT), **shown.strangers}
        ours = pages.of_users(tx, strangers)
    found: list[tuple[Subject, Irregularity]] = []
    users = ReadableUsers(systems)
    for user, username in sorted(strangers.items()):
        account_id = ours.get(user)
        if account_id is not None:
            if user in shown.with_features:
                subject = Subject(account_id, username, account_id, user)
                found.append((subject, surplus(Anomaly.FEATURE_ROLE, shown.with_features[user])))
            continue
        subject = Subject.of_user(user, username)
        try:
            observed = users.at(user)
        except Unreadable as reason:
            found.append((subject, Irregularity(Anomaly.UNREADABLE, None, str(reason))))
            continue
        if observed is None:
            continue
        if observed.account_id is not None:
            found += _lost(systems, subject, observed.account_id)
            continue
        groups = shown.in_groups.get(user, set()) & observed.groups
        roles = shown.with_roles.get(user, set()) & observed.roles | shown.with_features.get(user, set())
        if groups:
            found.append((subject, surplus(Anomaly.FOREIGN_MEMBER, groups)))
        if roles:
            found.append((subject, surplus(Anomaly.FOREIGN_ROLE, roles)))
    return found


def _lost(systems: Systems, subject: Subject, mark: str) -> list[tuple[Subject, Irregularity]]:
    with systems.db.read() as tx:
        known = accounts.known_ids(tx, [mark])
    return [] if known else [(subject, Irregularity(Anomaly.LOST_ACCOUNT, None, mark))]
