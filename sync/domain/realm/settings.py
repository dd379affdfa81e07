"""The settings of the realm and of its user profile, from the realm policy (C4-C7, C9, I7).

Every field is one of Keycloak's realm representation. Settings that are not named here stay as somebody set
them.
"""

from __future__ import annotations

from collections.abc import Iterator

from mappings.attributes import BUILT_IN
from mappings.drift import ACCEPT
from mappings.policy import Policy
from mappings.realm import PasswordPolicy, RealmPolicy
from sync.domain.access.group_roles import BRANCH_CLAIM, DATA_ACCESS_CLAIM, PROFILE_CLAIM, TEAM_CLAIM
from sync.domain.errors import Problem, Refused
from sync.domain.provisioning.observed import ACCOUNT_ID
from sync.domain.realm.difference import Create, RealmDifference
from sync.domain.realm.item import AtLeast, Item, ItemKind, Secret, Value, WherePresent, listed
from sync.domain.realm.options import MailServer

EVENT_TYPES = frozenset(
    {
        "LOGIN",
        "LOGIN_ERROR",
        "LOGOUT",
        "REFRESH_TOKEN",
        "UPDATE_CREDENTIAL",
        "UPDATE_CREDENTIAL_ERROR",
        "REMOVE_CREDENTIAL",
        "UPDATE_EMAIL",
        "UPDATE_EMAIL_ERROR",
        "UPDATE_PROFILE",
        "SEND_RESET_PASSWORD",
        "SEND_RESET_PASSWORD_ERROR",
        "RESET_PASSWORD",
        "RESET_PASSWORD_ERROR",
        "USER_DISABLED_BY_PERMANENT_LOCKOUT",
        "USER_DISABLED_BY_TEMPORARY_LOCKOUT",
        "FEDERATED_IDENTITY_LINK",
        "IMPERSONATE",
    }
)
"""REFRESH_TOKEN is not stored by default (fact: refreshes-are-not-kept-by-default); without it a mobile user who
only refreshes looks unused (D8), and without IMPERSONATE an administrator who acts as somebody makes that person
look used (fact: impersonation-begins-a-session). UPDATE_EMAIL and UPDATE_PROFILE say that people changed their own
details, and that a difference is no stranger's doing (G4)."""

SETTINGS = "settings"
"""The name of the one item that is the realm itself."""

INSTALLATION = "attributes:fsm.installation"
"""Whose realm it is (`sync.realm.installation`)."""

SECONDS_A_DAY = 86_400
SECONDS_AN_HOUR = 3_600


def realm_settings(policy: RealmPolicy, mail: MailServer, installation: str | None) -> Item:
    lockout, sessions, totp = policy.lockout, policy.sessions, policy.second_factor
    expiry = policy.event_expiry_days * SECONDS_A_DAY
    fields: dict[str, Value] = {
        "registrationAllowed": False,
        "registrationEmailAsUsername": False,
        "resetPasswordAllowed": True,
        "loginWithEmailAllowed": True,
        "duplicateEmailsAllowed": False,
        "editUsernameAllowed": True,
        "passwordPolicy": password_policy(policy.password),
        "bruteForceProtected": True,
        "bruteForceStrategy": "LINEAR",
        "failureFactor": lockout.max_failures,
        "waitIncrementSeconds": lockout.wait_seconds,
        "maxFailureWaitSeconds": lockout.max_wait_seconds,
        "maxDeltaTimeSeconds": lockout.reset_after_seconds,
        "quickLoginCheckMilliSeconds": lockout.quick_milliseconds,
        "minimumQuickLoginWaitSeconds": lockout.quick_wait_seconds,
        "permanentLockout": lockout.permanent_after_lockouts is not None,
        "maxTemporaryLockouts": lockout.permanent_after_lockouts or 0,
        "otpPolicyType": "totp",
        "otpPolicyAlgorithm": totp.totp_algorithm,
        "otpPolicyDigits": totp.totp_digits,
        "otpPolicyPeriod": totp.totp_period_seconds,
        "otpPolicyCodeReusable": False,
        "maxSecondaryAuthFailures": WherePresent(0 if totp.max_failures is None else totp.max_failures - 1),
        "scimApiEnabled": WherePresent(value=False),
        "webAuthnPolicyPasswordlessPasskeysEnabled": totp.passkeys,
        "webAuthnPolicyPasswordlessUserVerificationRequirement": "required",
        "ssoSessionIdleTimeout": sessions.idle_seconds,
        "ssoSessionMaxLifespan": sessions.max_seconds,
        "ssoSessionIdleTimeoutRememberMe": 0,
        "ssoSessionMaxLifespanRememberMe": 0,
        "offlineSessionIdleTimeout": sessions.offline_idle_seconds,
        "accessTokenLifespan": sessions.access_token_seconds,
        "actionTokenGeneratedByAdminLifespan": policy.temporary_password_hours * SECONDS_AN_HOUR,
        "eventsEnabled": True,
        "eventsExpiration": expiry,
        "enabledEventTypes": AtLeast(EVENT_TYPES),
        "adminEventsEnabled": True,
        "attributes:adminEventsExpiration": str(expiry),
    }
    if installation is not None:
        fields[INSTALLATION] = installation
    return Item(ItemKind.REALM, SETTINGS, fields | _company_and_languages(policy) | _mail_server(mail))


def _company_and_languages(policy: RealmPolicy) -> dict[str, Value]:
    """What realm.toml does not say stays as somebody set it. Which of the languages a login page has is for
    Keycloak to find: by the user, a cookie, the browser, and then the first of ours."""
    fields: dict[str, Value] = {"displayName": policy.company} if policy.company else {}
    if policy.languages:
        fields |= {
            "internationalizationEnabled": True,
            "supportedLocales": listed(policy.languages),
            "defaultLocale": policy.first_language,
        }
    return fields


def password_policy(policy: PasswordPolicy) -> str:
    """C4 in Keycloak's spelling; it reads back identically (fact: the-password-policy-reads-back)."""
    parts = [f"length({policy.min_length})", f"maxLength({policy.max_length})"]
    for name, count in (
        ("upperCase", policy.upper_case),
        ("lowerCase", policy.lower_case),
        ("digits", policy.digits),
        ("specialChars", policy.special_characters),
    ):
        parts += [f"{name}({count})"] if count else []
    for name, wanted in (
        ("notUsername", policy.not_username),
        ("notEmail", policy.not_email),
        ("notContainsUsername", policy.not_contains_username),
    ):
        parts += [f"{name}(undefined)"] if wanted else []
    parts += [f"passwordHistory({policy.history})"] if policy.history else []
    parts += [f"forceExpiredPasswordChange({policy.expire_days})"] if policy.expire_days else []
    return " and ".join(parts)


def _mail_server(mail: MailServer) -> dict[str, Value]:
    fields: dict[str, Value] = {
        "smtpServer:host": mail.host,
        "smtpServer:port": str(mail.port),
        "smtpServer:from": mail.sender,
        "smtpServer:starttls": str(mail.starttls).lower(),
        "smtpServer:auth": str(mail.username is not None).lower(),
    }
    if mail.username is not None:
        fields["smtpServer:user"] = mail.username
    if mail.password is not None:
        fields["smtpServer:password"] = Secret(mail.password)
    return fields


def user_profile(policy: Policy) -> Iterator[Item]:
    """Our attributes, and who may change what (C9). The realm lets usernames be edited
    (fact: usernames-are-closed-to-all), this lets administrators alone do it.

    An attribute that is not declared is silently dropped (fact: undeclared-attributes-are-dropped). The attributes
    our groups carry are declared with nobody to edit them: a user who had one of them would otherwise bring a
    claim of the own choosing.
    """
    yield _attribute(ACCOUNT_ID, view=("admin",), edit=("admin",))
    for each in BUILT_IN:
        if each.in_keycloak:
            yield _attribute(each.key, view=("admin", "user") if each.own else ("admin",), edit=("admin",))
    yield from company_attributes(policy)
    for name in (PROFILE_CLAIM, BRANCH_CLAIM, TEAM_CLAIM, DATA_ACCESS_CLAIM):
        yield _attribute(name, view=("admin",), edit=())
    yield Item(ItemKind.PROFILE_ATTRIBUTE, "username", {"permissions:edit": ("admin",)})
    for name, attribute in OWN_NAMES.items():
        people = ("admin", "user") if policy.drift.reaction(attribute) == ACCEPT else ("admin",)
        yield Item(ItemKind.PROFILE_ATTRIBUTE, name, {"permissions:edit": people})


OWN_NAMES = {"email": "email", "firstName": "given-name", "lastName": "family-name"}
"""What people may change of themselves where drift.toml accepts it, and never otherwise: what they wrote would be
undone behind their back."""


def company_attributes(policy: Policy) -> Iterator[Item]:
    """Those of attributes.toml: an account that has one waits until the realm declares it. Nothing takes a
    declaration away: Keycloak would hide the values that are still to be removed."""
    for key in policy.attributes:
        yield _attribute(key, view=("admin",), edit=("admin",))


def _attribute(name: str, *, view: tuple[str, ...], edit: tuple[str, ...]) -> Item:
    return Item(
        ItemKind.PROFILE_ATTRIBUTE,
        name,
        {"permissions:view": view, "permissions:edit": edit, "multivalued": False},
    )


def required_actions(policy: Policy) -> Iterator[Item]:
    """What a login may make somebody do. Without CONFIGURE_TOTP the second factor could never be set up;
    UPDATE_EMAIL is the only way to change the own address, and it verifies the new one first (C9,
    fact: addresses-change-by-an-action); nobody deletes the own account (D6)."""
    yield _action("UPDATE_PASSWORD", enabled=True)
    yield _action("CONFIGURE_TOTP", enabled=True)
    yield _action("delete_account", enabled=False)
    if policy.realm.second_factor.passkeys:
        yield _action("webauthn-register-passwordless", enabled=True)
    own_address = policy.drift.reaction("email") == ACCEPT
    update_email: dict[str, Value] = {"enabled": own_address}
    if own_address:
        update_email["config:verifyEmail"] = "true"
    yield Item(ItemKind.REQUIRED_ACTION, "UPDATE_EMAIL", update_email)


def _action(name: str, *, enabled: bool) -> Item:
    return Item(ItemKind.REQUIRED_ACTION, name, {"enabled": enabled})


def refuse_unknown_actions(found: tuple[RealmDifference, ...]) -> tuple[RealmDifference, ...]:
    """Required actions come with Keycloak, none is ever made. One that is missing and shall be off is left out;
    raises Refused for one that shall be on."""
    missing = [
        each.item for each in found if isinstance(each, Create) and each.item.kind is ItemKind.REQUIRED_ACTION
    ]
    wanted = [item.name for item in missing if item.fields["enabled"]]
    if wanted:
        raise Refused(
            [
                Problem(
                    f"required action {name}",
                    "this Keycloak does not have it",
                    _ACTION_REMEDIES.get(name, "register it in the realm, under Authentication"),
                )
                for name in wanted
            ]
        )
    return tuple(each for each in found if not (isinstance(each, Create) and each.item in missing))


_ACTION_REMEDIES = {
    "UPDATE_EMAIL": 'start Keycloak with its feature update-email, or set email = "repair" in '
    "drift.toml: without it people could change their address unverified",
    "webauthn-register-passwordless": "start Keycloak with its feature passkeys, or set passkeys = false in "
    "realm.toml",
}
