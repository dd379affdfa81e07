"""What a person sees of the own account, and why it is so (I5): pure, from the account and its history.

Titles come from the mapping files; a key they no longer have is shown as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo

from mappings.policy import Policy
from sync.domain.access.callers import MACHINE
from sync.domain.access.data_access import DataAccess, data_access_of
from sync.domain.accounts.account import Account
from sync.entrypoints.web.console.visit import Visit
from sync.store.audit.trail import Assignment
from sync.views.accounts.account import assignment_of

NONE = "None"


@dataclass(frozen=True, slots=True)
class Why:
    """Who gave it, when (as text in the time zone of the branch, and for machines), through which door and why.
    The login of a machine is no name to anybody: for it stands who runs the system."""

    by: str
    at: str
    at_iso: str
    door: str
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """One thing the account has. `note` says what follows from it; `why` None: no history is kept of it."""

    label: str
    value: str
    note: str = ""
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """`not_yet` is true when the token still says something else than what is wanted."""

    person: tuple[Line, ...]
    access: tuple[Line, ...]
    features: tuple[str, ...]
    not_yet: bool

    @property
    def reasons(self) -> tuple[tuple[str, Why], ...]:
        """What was given together, and its reason once; in the order of the lines."""
        given: dict[Why, list[str]] = {}
        for line in self.access:
            if line.why is not None:
                given.setdefault(line.why, []).append(line.label)
        return tuple((_listed(labels), why) for why, labels in given.items())


def own_account(account: Account, history: Sequence[Assignment], visit: Visit, policy: Policy) -> OwnAccount:
    """Shape the page. `history` is the oldest first; `visit` is what the token says at this moment."""
    titles = _Titles(policy)
    profile = policy.profiles.get(account.profile)
    data_access = data_access_of(account, policy)
    level = data_access.effective.key if data_access else account.data_access or ""
    branch = policy.branches.get(account.branch or "")
    zone = ZoneInfo(branch.time_zone) if branch else ZoneInfo("UTC")

    def line(label: str, value: str, given: Callable[[Assignment], str | None], note: str = "") -> Line:
        return Line(label, value, note, _why(history, given, zone, policy.realm.company))

    access = (
        line("Profile", titles.profile(account.profile), lambda each: each.profile),
        line(
            "Data access",
            titles.data_access(level),
            lambda each: each.data_access or each.profile,
            _about_level(account, data_access),
        ),
        line("Branch", titles.branch(account.branch), lambda each: each.branch),
        line("Team", titles.team(account.team), lambda each: each.team),
        line(
            "Technician record",
            account.technician_id or NONE,
            lambda each: each.technician_id,
            "" if account.technician_id else "Without one you cannot be given work orders.",
        ),
    )
    person = (
        Line("Name", account.full_name),
        Line("Username", account.username),
        Line("E-mail", account.email),
        Line("Employee number", account.employee_number or NONE),
    )
    wanted = (account.profile, level, account.branch or "", account.team or "", account.technician_id or "")
    said = (visit.profile, visit.data_access, visit.branch, visit.team, visit.technician_id)
    features = sorted(profile.features) if profile else []
    return OwnAccount(person, access, tuple(feature_title(each) for each in features), wanted != said)


def _about_level(account: Account, access: DataAccess | None) -> str:
    if access is not None and access.is_lowered:
        return f"You were given {access.asked.title}, which is more than your profile may have now."
    return "" if account.data_access else "The usual level of your profile."


def feature_title(key: str) -> str:
    """`work-orders` as people read it."""
    return key.replace("-", " ").capitalize()


def _listed(labels: Sequence[str]) -> str:
    """`Profile, branch and team`."""
    first, *others = [labels[0], *(label[0].lower() + label[1:] for label in labels[1:])]
    return f"{', '.join([first, *others[:-1]])} and {others[-1]}" if others else first


def _name(by: Assignment, company: str) -> str:
    if by.caller.kind != MACHINE:
        return by.by
    return f"an administrator of {company}" if company else "an administrator"


def _why(
    history: Sequence[Assignment], given: Callable[[Assignment], str | None], zone: tzinfo, company: str
) -> Why | None:
    gave = assignment_of(history, given)
    if gave is None:
        return None
    return Why(
        by=_name(gave, company),
        at=gave.at.astimezone(zone).strftime("%-d %B %Y, %H:%M"),
        at_iso=gave.at.isoformat(),
        door=gave.door,
        reason=gave.reason,
    )


@dataclass(frozen=True, slots=True)
class _Titles:
    policy: Policy

    def profile(self, key: str) -> str:
        found = self.policy.profiles.get(key)
        return found.title if found else key

    def data_access(self, key: str) -> str:
        found = self.policy.data_access.get(key)
        return found.title if found else key

    def branch(self, key: str | None) -> str:
        found = self.policy.branches.get(key or "")
        return found.title if found else key or NONE

    def team(self, key: str | None) -> str:
        found = self.policy.teams.get(key or "")
        return found.title if found else key or NONE
