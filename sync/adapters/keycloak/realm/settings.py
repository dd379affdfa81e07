"""The realm's own settings, its user profile and its required actions."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from sync.adapters.keycloak.connection import Connection, Json, segment
from sync.adapters.keycloak.realm.fields import flat, merged
from sync.adapters.keycloak.realm.section import Unremovable
from sync.domain.errors import FailureCode, Transient
from sync.domain.realm.difference import Update
from sync.domain.realm.flow import Binding
from sync.domain.realm.item import Item, ItemKind, SealedSecret, Secret, Value

SMTP_PASSWORD = "smtpServer:password"  # noqa: S105 - the name of a field
SEAL = "fsm.smtp-password"
"""The realm attribute that keeps a salted hash of the mail server's password: Keycloak never tells it
(fact: mail-passwords-are-not-told)."""


class RealmSettings(Unremovable):
    """The realm representation, one item. It is written whole, as read: Keycloak takes some settings (the
    WebAuthn policy) only together with their neighbours (fact: passkeys-need-their-neighbours)."""

    kinds = frozenset({ItemKind.REALM})

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self) -> Iterator[Item]:
        realm = self._connection.get("")
        fields: dict[str, Value] = {"webAuthnPolicyPasswordlessPasskeysEnabled": False} | flat(realm)
        fields.pop(SMTP_PASSWORD, None)
        salt, _, digest = realm.get("attributes", {}).get(SEAL, "").partition("$")
        if digest:
            fields[SMTP_PASSWORD] = SealedSecret(salt, digest)
        yield Item(ItemKind.REALM, "settings", fields)

    def create(self, item: Item) -> None:
        raise TypeError(f"a realm has its {item.name} from the beginning")

    def update(self, update: Update) -> None:
        fields = dict(update.new)
        password = fields.get(SMTP_PASSWORD)
        if isinstance(password, Secret):
            sealed = SealedSecret.of(password.value, secrets.token_hex(16))
            fields[f"attributes:{SEAL}"] = f"{sealed.salt}${sealed.digest}"
        self._connection.put("", merged(self._connection.get(""), fields))


class Bindings(Unremovable):
    """Which login flow the realm uses where."""

    kinds = frozenset({ItemKind.BINDING})

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self) -> Iterator[Item]:
        realm = self._connection.get("")
        for binding in Binding:
            if binding in realm:
                yield Item(ItemKind.BINDING, binding, {"alias": realm[binding]})

    def create(self, item: Item) -> None:
        raise TypeError(f"a realm has a {item.name} from the beginning")

    def update(self, update: Update) -> None:
        self._connection.put("", {update.name: update.new["alias"]})


class UserProfile(Unremovable):
    """The declared attributes of users. The document is written as a whole, so it is read, amended, written and
    read back; attributes of others stay."""

    kinds = frozenset({ItemKind.PROFILE_ATTRIBUTE})

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self) -> Iterator[Item]:
        for attribute in self._connection.get("users/profile")["attributes"]:
            fields = {"multivalued": False} | flat(attribute)
            yield Item(ItemKind.PROFILE_ATTRIBUTE, attribute["name"], fields)

    def create(self, item: Item) -> None:
        profile = self._connection.get("users/profile")
        profile["attributes"] = [each for each in profile["attributes"] if each["name"] != item.name]
        profile["attributes"].append(merged({"name": item.name, "displayName": item.name}, item.fields))
        self._write(profile)

    def update(self, update: Update) -> None:
        profile = self._connection.get("users/profile")
        profile["attributes"] = [
            merged(each, update.new) if each["name"] == update.name else each for each in profile["attributes"]
        ]
        self._write(profile)

    def _write(self, profile: Json) -> None:
        self._connection.put("users/profile", profile)
        written = self._connection.get("users/profile")
        names = {each["name"] for each in profile["attributes"]}
        missing = names - {each["name"] for each in written["attributes"]}
        if missing:
            raise Transient(
                f"the user profile lacks {', '.join(sorted(missing))} after it was written; "
                "somebody may be changing it at the same time",
                code=FailureCode.NO_EFFECT,
            )


class RequiredActions(Unremovable):
    """What a login may make somebody do."""

    kinds = frozenset({ItemKind.REQUIRED_ACTION})

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self) -> Iterator[Item]:
        for action in self._connection.get("authentication/required-actions"):
            yield Item(ItemKind.REQUIRED_ACTION, action["alias"], flat(action))

    def create(self, item: Item) -> None:
        raise TypeError(f"{item} comes with Keycloak, it cannot be made")

    def update(self, update: Update) -> None:
        path = f"authentication/required-actions/{segment(update.name)}"
        self._connection.put(path, merged(self._connection.get(path), update.new))
