"""Alembic runs this file. The connection, with its open transaction, comes from `sync.store.database.schema`."""

from alembic import context

from sync.store.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
