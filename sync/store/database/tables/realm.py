"""Which installation this database is."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from sync.store.database.tables.metadata import metadata

installation = Table("installation", metadata, Column("id", Text, primary_key=True))
"""One row, made by a migration. The realm carries the same id: nobody with another writes there."""
