"""What the Keycloak realm must look like, as `realm.toml` says it (C4-C9). Durations are whole seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """C4. `expire_days` None: passwords do not expire."""

    min_length: int
    max_length: int
    upper_case: int
    lower_case: int
    digits: int
    special_characters: int
    not_username: bool
    not_email: bool
    not_contains_username: bool
    history: int
    expire_days: int | None


@dataclass(frozen=True, slots=True)
class Lockout:
    """C5. Lock for `wait_seconds` (rising to `max_wait_seconds`) after `max_failures`; forget failures after
    `reset_after_seconds`; lock for good after `permanent_after_lockouts` temporary ones (None: never)."""

    max_failures: int
    wait_seconds: int
    max_wait_seconds: int
    reset_after_seconds: int
    permanent_after_lockouts: int | None


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """C6: the TOTP parameters; who needs it is said in profiles.toml."""

    totp_digits: int
    totp_period_seconds: int
    totp_algorithm: str
    passkeys: bool


@dataclass(frozen=True, slots=True)
class Sessions:
    """C7. The cap per profile is in profiles.toml; `over_cap` is "deny" or "end-oldest"."""

    idle_seconds: int
    max_seconds: int
    offline_idle_seconds: int
    access_token_seconds: int
    over_cap: str


@dataclass(frozen=True, slots=True)
class RealmPolicy:
    password: PasswordPolicy
    lockout: Lockout
    second_factor: SecondFactor
    sessions: Sessions
    temporary_password_hours: int
    event_expiry_days: int
    users_change_own_email: bool
    """C9: with verification, by Keycloak's UPDATE_EMAIL action; never the username."""
