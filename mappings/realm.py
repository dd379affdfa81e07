"""What the Keycloak realm must look like, as `realm.toml` says it (C4-C9, I7). Durations are whole seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from mappings.files.reading import Document, Table


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
    `reset_after_seconds`; lock for good after `permanent_after_lockouts` temporary ones (None: never). Two
    failures within `quick_milliseconds` lock for `quick_wait_seconds` at once."""

    max_failures: int
    wait_seconds: int
    max_wait_seconds: int
    reset_after_seconds: int
    permanent_after_lockouts: int | None
    quick_milliseconds: int
    quick_wait_seconds: int


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """C6: the TOTP parameters; who needs it is said in profiles.toml. `max_failures` wrong codes in a row lock for
    good (None: never)."""

    totp_digits: int
    totp_period_seconds: int
    totp_algorithm: str
    passkeys: bool
    max_failures: int | None


@dataclass(frozen=True, slots=True)
class Sessions:
    """C7. The cap per profile is in profiles.toml; `over_cap` is "deny" or "end-oldest"."""

    idle_seconds: int
    max_seconds: int
    offline_idle_seconds: int
    access_token_seconds: int
    over_cap: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the realm gives every new user by itself, and somebody here has looked at: groups by path, required
    actions by alias."""

    default_groups: frozenset[str] = frozenset()
    default_actions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RealmPolicy:
    password: PasswordPolicy
    lockout: Lockout
    second_factor: SecondFactor
    sessions: Sessions
    temporary_password_hours: int
    event_expiry_days: int
    welcome_days_before: int = 1
    """How long before the first day the welcome mail of a later joiner goes."""
    break_glass: frozenset[str] = frozenset()
    """Usernames of the realm without an account of ours that may everything."""
    company: str = ""
    """What people call the company they work for; empty: nobody has said so, and its pages stay as they are."""
    languages: tuple[str, ...] = ()
    """Of login pages and mails, the first for whoever has no other; empty: the realm's stay as they are."""
    known: Known = field(default_factory=Known)

    @property
    def first_language(self) -> str:
        """Of mails to somebody whose branch has none."""
        return self.languages[0] if self.languages else "en"


LANGUAGES = ("en", "de", "fr", "es")
"""There are mails in each of them, and Keycloak has its login pages in each."""

LONGEST_COMPANY = 80

OURS = "/fsm"
"""The groups below it carry our access."""

NEVER = "never"
"""Stands where a limit is not wanted; TOML has no null."""

TOTP_ALGORITHMS = ("HmacSHA1", "HmacSHA256", "HmacSHA512")
"""As Keycloak spells them (`otpPolicyAlgorithm`)."""

DAY = 24 * 60 * 60


def read(document: Document) -> RealmPolicy:
    """Ranges are what Keycloak takes and what can be meant: nobody wants to be asked every second."""
    root = document.root
    hours = root.integer("temporary_password_hours", 1, 30 * 24)
    return RealmPolicy(
        password=_password(root.table("password")),
        lockout=_lockout(root.table("lockout")),
        second_factor=_second_factor(root.table("second_factor")),
        sessions=_sessions(root.table("sessions")),
        temporary_password_hours=hours,
        event_expiry_days=root.integer("event_expiry_days", 1, 3650),
        welcome_days_before=_welcome_days_before(root, hours),
        break_glass=frozenset(root.texts("break_glass", optional=True)),
        company=_company(root),
        languages=_languages(root),
        known=_known(root.table("known")) if root.has("known") else Known(),
    )


def _welcome_days_before(root: Table, hours: int) -> int:
    """The password counts from the mail and has to outlive the night before the first day."""
    if not root.has("welcome_days_before"):
        return min(1, (hours - 1) // 24)
    days = root.integer("welcome_days_before", 0, 30)
    if days * 24 >= hours and not root.has_problem("temporary_password_hours"):
        root.report(
            "welcome_days_before",
            f"a password of {hours} hours (temporary_password_hours) would lapse before the first day",
        )
    return days


def _known(table: Table) -> Known:
    groups = table.texts("default_groups", optional=True)
    for path in groups:
        if not path.startswith("/"):
            table.report("default_groups", f"{path} is no path of a group", near=f"/{path}")
        elif path == OURS or path.startswith(f"{OURS}/"):
            table.report("default_groups", f"{path} gives access and cannot be a group of every new user")
    return Known(frozenset(groups), frozenset(table.texts("default_actions", optional=True)))


def _company(root: Table) -> str:
    if not root.has("company"):
        return ""
    company = root.text("company", "name of the company")
    if len(company) > LONGEST_COMPANY:
        root.report("company", f"has {len(company)} characters, the most are {LONGEST_COMPANY}")
    return company


def _languages(root: Table) -> tuple[str, ...]:
    if not root.has("languages"):
        return ()
    languages = root.choices("languages", LANGUAGES, "language there are mails in")
    if not languages:
        root.report("languages", "must name at least one")
    return languages


def _password(table: Table) -> PasswordPolicy:
    policy = PasswordPolicy(
        min_length=table.integer("min_length", 8, 64),
        max_length=table.integer("max_length", 16, 256),
        upper_case=table.integer("upper_case", 0, 10),
        lower_case=table.integer("lower_case", 0, 10),
        digits=table.integer("digits", 0, 10),
        special_characters=table.integer("special_characters", 0, 10),
        not_username=table.boolean("not_username"),
        not_email=table.boolean("not_email"),
        not_contains_username=table.boolean("not_contains_username"),
        history=table.integer("history", 0, 24),
        expire_days=table.integer_or("expire_days", NEVER, 1, 3650),
    )
    classes = policy.upper_case + policy.lower_case + policy.digits + policy.special_characters
    if policy.max_length < policy.min_length:
        table.report("max_length", f"{policy.max_length} is below min_length {policy.min_length}")
    elif policy.max_length < classes:
        table.report("max_length", f"{policy.max_length} has no room for the {classes} characters asked for")
    return policy


def _lockout(table: Table) -> Lockout:
    lockout = Lockout(
        max_failures=table.integer("max_failures", 1, 100),
        wait_seconds=table.integer("wait_seconds", 1, DAY),
        max_wait_seconds=table.integer("max_wait_seconds", 1, 7 * DAY),
        reset_after_seconds=table.integer("reset_after_seconds", 60, 30 * DAY),
        permanent_after_lockouts=table.integer_or("permanent_after_lockouts", NEVER, 1, 100),
        quick_milliseconds=table.integer("quick_milliseconds", 0, 60_000),
        quick_wait_seconds=table.integer("quick_wait_seconds", 1, DAY),
    )
    if lockout.max_wait_seconds < lockout.wait_seconds:
        table.report(
            "max_wait_seconds", f"{lockout.max_wait_seconds} is below wait_seconds {lockout.wait_seconds}"
        )
    return lockout


def _second_factor(table: Table) -> SecondFactor:
    factor = SecondFactor(
        totp_digits=table.integer("totp_digits", 6, 8),
        totp_period_seconds=table.integer("totp_period_seconds", 15, 120),
        totp_algorithm=table.choice("totp_algorithm", TOTP_ALGORITHMS, "TOTP algorithm of Keycloak"),
        passkeys=table.boolean("passkeys"),
        max_failures=table.integer_or("max_failures", NEVER, 3, 100),
    )
    if factor.totp_digits == 7:
        table.report("totp_digits", "7 is not possible: Keycloak knows 6 and 8", near=None)
    return factor


def _sessions(table: Table) -> Sessions:
    sessions = Sessions(
        idle_seconds=table.integer("idle_seconds", 60, 30 * DAY),
        max_seconds=table.integer("max_seconds", 60, 90 * DAY),
        offline_idle_seconds=table.integer("offline_idle_seconds", 60, 365 * DAY),
        access_token_seconds=table.integer("access_token_seconds", 30, 60 * 60),
        over_cap=table.choice("over_cap", ("deny", "end-oldest"), "way to treat a session too many"),
    )
    if sessions.max_seconds < sessions.idle_seconds:
        table.report("max_seconds", f"{sessions.max_seconds} is below idle_seconds {sessions.idle_seconds}")
    if sessions.access_token_seconds > sessions.idle_seconds:
        table.report(
            "access_token_seconds",
            f"{sessions.access_token_seconds} is above idle_seconds {sessions.idle_seconds}",
        )
    return sessions
