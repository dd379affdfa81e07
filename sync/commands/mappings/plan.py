"""What other mapping files would mean for every account there is (E7). Changes nothing.

`fsm-identity mappings plan` shows it; `adopt_mappings` walks over the accounts in the same way, and stores it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mappings import load
from mappings.fingerprint import fingerprint
from mappings.guard import ChangeKind
from mappings.loading import read_texts
from mappings.policy import Policy
from sync.desk import Desk
from sync.domain.accounts.account import Account
from sync.domain.accounts.attribute_values import NotUnderstood, canonical
from sync.domain.errors import Problem, Refused
from sync.domain.mappings import PolicyComparison, PolicyEffect, other_changes
from sync.domain.runs.guard import GuardVerdict, Impact, Windows, judge
from sync.store.accounts import accounts, attribute_values, listing
from sync.store.database.transactions import Tx
from sync.store.runs import pushes
from sync.views.mappings import InForce

SOURCE = "mapping files"
"""All who adopt files are one source to the mass-change guard: it is the same company that loses step by step."""

PAGE = 1000
"""Accounts in one read: enough to be quick, few enough for flat memory."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Other files, to come after those in force. `source` says where they are from, for people."""

    in_force: InForce
    policy: Policy
    files: Mapping[str, str]
    source: str


@dataclass(frozen=True, slots=True)
class Affected:
    account: Account
    effect: PolicyEffect


@dataclass(slots=True)
class MappingsPlan:
    """What the proposal means. `affected` accounts are different in any way; workers carry `for_workers` of them
    to Keycloak. `fingerprint` is over the files and everybody who is affected; `shown` are the first of them;
    `earlier` is what was adopted lately without an approval."""

    proposal: Proposal
    population: int
    earlier: Windows
    other: tuple[str, ...]
    affected: int = 0
    for_workers: int = 0
    counts: Counter[ChangeKind] = field(default_factory=Counter)
    shown: list[Affected] = field(default_factory=list)
    _so_far: str = field(default="", repr=False)

    def add(self, found: Affected) -> None:
        self.affected += 1
        self.for_workers += found.effect.for_workers
        self.counts.update(found.effect.kinds)
        self._so_far = fingerprint(self._so_far, found.account.id, found.effect.record())

    @property
    def fingerprint(self) -> str:
        before, after = self.proposal.in_force.policy, self.proposal.policy
        return fingerprint(self._so_far, before.fingerprint, after.fingerprint)

    @property
    def verdict(self) -> GuardVerdict:
        """By the limits in force: files cannot lift the limits that they exceed themselves."""
        rules = self.proposal.in_force.policy.guard
        return judge(Impact(self.counts), self.population, rules, "mappings", self.earlier)


def propose(in_force: InForce, folder: Path | None) -> Proposal:
    """The files of a folder, or (None) of this version. Raises MappingErrors; Refused if they mean the same as
    those in force."""
    policy, source = load(folder), "this version" if folder is None else str(folder)
    if policy.fingerprint == in_force.policy.fingerprint:
        raise Refused([Problem("mapping files", f"those of {source} mean what is in force already")])
    return Proposal(in_force, policy, read_texts(folder), source)


def plan(desk: Desk, proposal: Proposal, shown: int = 20) -> MappingsPlan:
    """Changes nothing. Raises Refused for keys that accounts use and the files lack (rule: keys-in-use-stay)."""
    made = new_plan(desk, proposal)
    for found in affected(desk, proposal):
        made.add(found)
        if len(made.shown) < shown:
            made.shown.append(found)
    return made


def new_plan(desk: Desk, proposal: Proposal) -> MappingsPlan:
    """Without anybody yet: `add` whom `affected` answers. Raises Refused like `plan`."""
    with desk.db.read() as tx:
        refuse_vanished(tx, proposal.policy)
        population = listing.population(tx)
        earlier = pushes.within(tx, SOURCE, desk.clock.now())
    other = other_changes(proposal.in_force.policy, proposal.policy)
    return MappingsPlan(proposal, population, earlier, other)


def affected(desk: Desk, proposal: Proposal) -> Iterator[Affected]:
    """In the order of ids, read page by page."""
    comparison = PolicyComparison(proposal.in_force.policy, proposal.policy)
    last = ""
    while True:
        with desk.db.read() as tx:
            page = listing.page_by_id(tx, last, PAGE)
        if not page:
            return
        for account in page:
            effect = comparison.of(account)
            if effect is not None:
                yield Affected(account, effect)
        last = page[-1].id


def refuse_vanished(tx: Tx, policy: Policy) -> None:
    """Raises Refused for keys and values that accounts use and the policy lacks (rule: keys-in-use-stay)."""
    missing = accounts.used_keys(tx).missing_from(policy)
    remedy = "put it back, or move these accounts first"
    problems = [Problem("mapping files", f"lack what accounts use: {each}", remedy) for each in missing]
    problems += _values_that_do_not_fit(tx, policy)
    if problems:
        raise Refused(problems)


def _values_that_do_not_fit(tx: Tx, policy: Policy) -> Iterator[Problem]:
    """Every value that an account has stays one that attributes.toml allows, in its one spelling."""
    for key, text, count in attribute_values.counted_values(tx, policy.attributes):
        try:
            fits = canonical(policy.attributes[key], text) == text
        except NotUnderstood:
            fits = False
        if not fits:
            what = f"do not allow {key} {text!r}, which {count} account{'s have' if count > 1 else ' has'}"
            yield Problem("mapping files", what, "allow it, or change these accounts first")
