"""A user as Keycloak takes it at creation: the body of `POST users`, and most of a row of `partialImport`."""

from __future__ import annotations

from sync.adapters.keycloak.creation.defaults import Defaults
from sync.adapters.keycloak.creation.password_hash import temporary_credential
from sync.domain.accounts.user_names import refused_names
from sync.domain.errors import FailureCode, NeedsPerson
from sync.domain.provisioning.observed import UPDATE_PASSWORD
from sync.ports.accounts import NewUser

LOCALE = "locale"
"""Keycloak's name for the language of a user; it declares the attribute itself where a realm has languages
(fact: locale-is-keycloaks-own)."""


def representation(user: NewUser, defaults: Defaults) -> dict[str, object]:
    """With what the realm gives everybody. Raises NeedsPerson for names that Keycloak's user profile would refuse,
    Unsafe for a password that is not a generated one.

    The e-mail address counts as not verified; the password has to be changed at the first login (B1).
    """
    wanted = user.desired
    spoken = {} if user.language is None else {LOCALE: (user.language,)}
    wrong = refused_names(
        username=wanted.username,
        email=wanted.email,
        given_name=wanted.given_name,
        family_name=wanted.family_name,
    )
    if wrong:
        raise NeedsPerson(
            f"Keycloak would refuse {wanted.username!r}: {'; '.join(map(str, wrong))}",
            code=FailureCode.VALUE_REFUSED,
        )
    body: dict[str, object] = {
        "username": wanted.username,
        "email": wanted.email,
        "firstName": wanted.given_name,
        "lastName": wanted.family_name,
        "enabled": wanted.enabled,
        "emailVerified": False,
        "attributes": {name: list(values) for name, values in sorted((spoken | {**wanted.attributes}).items())},
        "groups": sorted(wanted.groups | defaults.groups),
        "requiredActions": sorted({UPDATE_PASSWORD} | defaults.actions),
    }
    if user.temporary_password is not None:
        body["credentials"] = [temporary_credential(user.temporary_password)]
    return body
