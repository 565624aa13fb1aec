"""Alembic runs this file. The connection, inside its transaction, comes from `imgguard.storage.sql.migrate`."""

from alembic import context

from imgguard.storage.sql.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    transactional_ddl=True,
)
context.run_migrations()
