"""Keycloak's own ids of clients, by which its admin API addresses them and their roles."""

from __future__ import annotations

from sync.adapters.keycloak.connection import Connection
from sync.domain.errors import FailureCode, Misconfigured


class ClientIds:
    """Each is asked for once: it stays as long as its client does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, str] = {}

    def forget(self) -> None:
        """The realm is read anew."""
        self._known.clear()

    def find(self, client_id: str) -> str | None:
        """None: there is no such client (yet)."""
        if client_id not in self._known:
            self._known |= {
                each["clientId"]: each["id"] for each in self._connection.get("clients", clientId=client_id)
            }
        return self._known.get(client_id)

    def present(self, client_id: str) -> str:
        """Raises Misconfigured if there is no such client."""
        found = self.find(client_id)
        if found is None:
            raise Misconfigured(
                f"client {client_id} does not exist in realm {self._connection.realm}",
                code=FailureCode.REALM_BEHIND,
            )
        return found
