"""Who had access to what at a moment, and why: what was wanted, and what Keycloak held (G2). Pure.

Keycloak is what lets people in: a leaver whom no worker has carried there yet has access, and so has whom somebody
switched on there; a joiner has none before. What a profile and a level mean is said by the mapping files that were
in force at that moment, never by those of today; without them it is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mappings.loading import AccessFiles
from sync.domain.access.data_access import effective_level
from sync.domain.accounts.account import Life
from sync.domain.provisioning.aspect import Aspect
from sync.domain.reports.in_keycloak import FilesThen, InKeycloak, User, in_keycloak
from sync.domain.reports.past import Given, Past, Wanted, Word, in_force


class Access(StrEnum):
    YES = "yes"
    NO = "no"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class WantedAccess:
    """`features` and `data_access` as the files of then say; None: not known. `given` is who gave it; `life_given`
    who wanted it active or not."""

    life: Life | None
    profile: str
    features: tuple[str, ...] | None
    branch: str | None
    team: str | None
    data_access: str | None
    technician_id: str | None
    given: Word
    life_given: Word | None


@dataclass(frozen=True, slots=True)
class KeycloakAccess:
    """What the user had there, `since` the last change of it. Several profiles, or none, are no access (A4): they
    give no feature. `drift` names what somebody else made different."""

    enabled: bool
    sessions_may_go_on: bool
    profiles: tuple[str, ...]
    features: tuple[str, ...] | None
    branches: tuple[str, ...]
    teams: tuple[str, ...]
    data_access: tuple[str, ...]
    technician_id: str | None
    roles: tuple[str, ...]
    since: datetime
    drift: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccessRow:
    """`wanted` None: nothing is known of what was wanted then. `keycloak` None: there was no user, or, where
    `keycloak_known` is false, nobody can say."""

    account_id: str
    username: str
    full_name: str
    access: Access
    wanted: WantedAccess | None
    keycloak_known: bool
    keycloak: KeycloakAccess | None

    @property
    def concerns(self) -> bool:
        """False of whom neither side gave anything, such as people who left before."""
        active = self.wanted is not None and self.wanted.life is Life.ACTIVE
        return active or self.access is not Access.NO

    def has_profile(self, key: str) -> bool:
        """On either side."""
        return (self.wanted is not None and self.wanted.profile == key) or (
            self.keycloak is not None and key in self.keycloak.profiles
        )

    def has_branch(self, key: str) -> bool:
        return (self.wanted is not None and self.wanted.branch == key) or (
            self.keycloak is not None and key in self.keycloak.branches
        )


def access_at(past: Past, at: datetime, files_then: FilesThen) -> AccessRow:
    given, wanted = in_force(past.given, at), in_force(past.wanted, at)
    there, files = in_keycloak(past, at, files_then), files_then(at)
    return AccessRow(
        account_id=past.account_id,
        username=past.username,
        full_name=past.full_name,
        access=_access(there),
        wanted=None if given is None else _wanted(given, wanted, files),
        keycloak_known=there.known,
        keycloak=None if there.user is None else _had(there.user, files),
    )


def _access(there: InKeycloak) -> Access:
    if not there.known:
        return Access.NOT_KNOWN
    return Access.YES if there.user is not None and there.user.lets_in else Access.NO


def _wanted(given: Given, wanted: Wanted | None, files: AccessFiles | None) -> WantedAccess:
    level = files and effective_level(given.profile, given.data_access, files.profiles, files.levels)
    return WantedAccess(
        life=None if wanted is None else wanted.life,
        profile=given.profile,
        features=_features(given.profile, files),
        branch=given.branch,
        team=given.team,
        data_access=None if not level else level.effective.key,
        technician_id=given.technician_id,
        given=given.word,
        life_given=None if wanted is None else wanted.word,
    )


def _had(user: User, files: AccessFiles | None) -> KeycloakAccess:
    profiles = user.named(Aspect.PROFILE)
    return KeycloakAccess(
        enabled=user.enabled,
        sessions_may_go_on=user.sessions_may_go_on,
        profiles=profiles,
        features=_features(profiles[0], files) if len(profiles) == 1 else (),
        branches=user.named(Aspect.BRANCH),
        teams=user.named(Aspect.TEAM),
        data_access=user.named(Aspect.DATA_ACCESS),
        technician_id=user.technician_id,
        roles=user.roles,
        since=user.since,
        drift=user.drift,
    )


def _features(profile: str, files: AccessFiles | None) -> tuple[str, ...] | None:
    found = None if files is None else files.profiles.get(profile)
    return None if found is None else tuple(sorted(found.features))
