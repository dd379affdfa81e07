"""Our clients and their service accounts; our client scopes, and who gets that of the claims."""

from __future__ import annotations

from collections.abc import Iterator

from sync.adapters.keycloak.connection import Connection, Json
from sync.adapters.keycloak.realm.client_ids import ClientIds
from sync.adapters.keycloak.realm.fields import flat, merged
from sync.adapters.keycloak.realm.roles import RoleList
from sync.adapters.keycloak.realm.section import Unremovable
from sync.domain.access import vocabulary
from sync.domain.errors import FailureCode, Misconfigured
from sync.domain.realm.claims import REALM_DEFAULT
from sync.domain.realm.difference import Update
from sync.domain.realm.item import Fields, Item, ItemKind, Secret
from sync.domain.realm.options import CONFIGURE_CLIENT, CONSOLE_CLIENT, IMPORT_CLIENT, WORKER_CLIENT

SERVICE_CLIENTS = (WORKER_CLIENT, IMPORT_CLIENT, CONFIGURE_CLIENT)
OUR_SCOPES = frozenset({vocabulary.CLAIMS_SCOPE, vocabulary.API_SCOPE})
OUR_CLIENTS = (vocabulary.FEATURES_CLIENT, CONSOLE_CLIENT, *SERVICE_CLIENTS)


class Clients(Unremovable):
    kinds = frozenset({ItemKind.CLIENT})

    def __init__(self, connection: Connection, clients: ClientIds) -> None:
        self._connection = connection
        self._clients = clients

    def read(self) -> Iterator[Item]:
        for client_id in OUR_CLIENTS:
            for client in self._connection.get("clients", clientId=client_id):
                fields = flat(client)
                fields["secret"] = Secret(client["secret"]) if client.get("secret") else None
                yield Item(ItemKind.CLIENT, client_id, fields)

    def create(self, item: Item) -> None:
        new = {"clientId": item.name, "name": item.name, "protocol": "openid-connect"}
        self._connection.post("clients", merged(new, item.fields))

    def update(self, update: Update) -> None:
        path = f"clients/{self._clients.present(update.name)}"
        self._connection.put(path, merged(self._connection.get(path), update.new))


class ServiceAccounts(Unremovable):
    """The roles of a service client, twice: what its account holds, and what its tokens may show. With
    `fullScopeAllowed` off Keycloak honours only what is in both (fact: scopes-hide-roles)."""

    kinds = frozenset({ItemKind.SERVICE_ACCOUNT})

    def __init__(self, connection: Connection, clients: ClientIds) -> None:
        self._connection = connection
        self._clients = clients

    def read(self) -> Iterator[Item]:
        for client_id in SERVICE_CLIENTS:
            client = self._clients.find(client_id)
            if client is not None and (account := self._account(client)) is not None:
                held, shown = self._lists(client, account)
                yield Item(ItemKind.SERVICE_ACCOUNT, client_id, {"roles": held.read(), "scope": shown.read()})

    def create(self, item: Item) -> None:
        self._write(item.name, item.fields)

    def update(self, update: Update) -> None:
        self._write(update.name, update.new)

    def _write(self, client_id: str, fields: Fields) -> None:
        client = self._clients.present(client_id)
        account = self._account(client)
        if account is None:
            raise Misconfigured(f"client {client_id} has no service account", code=FailureCode.REALM_BEHIND)
        held, shown = self._lists(client, account)
        if "roles" in fields:
            held.bring_to(fields["roles"])
        if "scope" in fields:
            shown.bring_to(fields["scope"])

    def _account(self, client: str) -> str | None:
        """The id of the user behind the client, None for a client that has none (yet)."""
        if not self._connection.get(f"clients/{client}")["serviceAccountsEnabled"]:
            return None
        return str(self._connection.get(f"clients/{client}/service-account-user")["id"])

    def _lists(self, client: str, account: str) -> tuple[RoleList, RoleList]:
        return (
            RoleList(self._connection, self._clients, f"users/{account}/role-mappings"),
            RoleList(self._connection, self._clients, f"clients/{client}/scope-mappings"),
        )


class ClientScopes:
    """The client scopes of ours with their claims, the roles that `fsm` lets through, and the clients that get it.
    A claim stands in the scope that its name begins with."""

    kinds = frozenset({ItemKind.SCOPE, ItemKind.MAPPER, ItemKind.SCOPE_ROLES, ItemKind.DEFAULT_SCOPE})

    def __init__(self, connection: Connection, clients: ClientIds) -> None:
        self._connection = connection
        self._clients = clients

    def read(self) -> Iterator[Item]:
        for scope in self._connection.get("client-scopes"):
            if scope["name"] in OUR_SCOPES:
                yield Item(ItemKind.SCOPE, scope["name"], flat(scope))
                for mapper in scope.get("protocolMappers", []):
                    yield Item(ItemKind.MAPPER, mapper["name"], flat(mapper))
            if scope["name"] == vocabulary.CLAIMS_SCOPE:
                yield Item(ItemKind.SCOPE_ROLES, scope["name"], {"roles": self._roles(scope).read()})
        defaults = self._connection.get("default-default-client-scopes")
        yield Item(ItemKind.DEFAULT_SCOPE, REALM_DEFAULT, {each["name"]: True for each in defaults})
        for console in self._connection.get("clients", clientId=CONSOLE_CLIENT):
            yield Item(
                ItemKind.DEFAULT_SCOPE, CONSOLE_CLIENT, dict.fromkeys(console.get("defaultClientScopes", []), True)
            )

    def create(self, item: Item) -> None:
        match item.kind:
            case ItemKind.SCOPE:
                self._connection.post("client-scopes", merged({"name": item.name}, item.fields))
            case ItemKind.MAPPER:
                self._connection.post(self._mappers(item.name), merged({"name": item.name}, item.fields))
            case _:
                self._write(item.kind, item.name, item.fields)

    def update(self, update: Update) -> None:
        self._write(update.kind, update.name, update.new)

    def remove(self, item: Item) -> None:
        self._connection.delete(f"{self._mappers(item.name)}/{self._mapper(item.name)['id']}")

    def _write(self, kind: ItemKind, name: str, fields: Fields) -> None:
        match kind:
            case ItemKind.SCOPE:
                scope = self._scope(name)
                self._connection.put(f"client-scopes/{scope['id']}", merged(scope, fields))
            case ItemKind.MAPPER:
                mapper = self._mapper(name)
                self._connection.put(f"{self._mappers(name)}/{mapper['id']}", merged(mapper, fields))
            case ItemKind.SCOPE_ROLES:
                self._roles(self._scope(name)).bring_to(fields["roles"])
            case _:
                owner = "" if name == REALM_DEFAULT else f"clients/{self._clients.present(name)}/"
                place = "default-default-client-scopes" if name == REALM_DEFAULT else "default-client-scopes"
                self._connection.put(f"{owner}{place}/{self._scope(vocabulary.CLAIMS_SCOPE)['id']}")

    def _scope(self, name: str) -> Json:
        for scope in self._connection.get("client-scopes"):
            if scope["name"] == name:
                return scope
        raise Misconfigured(f"client scope {name} does not exist", code=FailureCode.REALM_BEHIND)

    def _scope_of(self, mapper: str) -> Json:
        return self._scope(mapper.partition(".")[0])

    def _mappers(self, mapper: str) -> str:
        return f"client-scopes/{self._scope_of(mapper)['id']}/protocol-mappers/models"

    def _mapper(self, name: str) -> Json:
        return next(each for each in self._scope_of(name)["protocolMappers"] if each["name"] == name)

    def _roles(self, scope: Json) -> RoleList:
        return RoleList(self._connection, self._clients, f"client-scopes/{scope['id']}/scope-mappings")
