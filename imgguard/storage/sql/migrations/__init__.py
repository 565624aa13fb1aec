"""Alembic environment; run by `imgguard.storage.sql.migrate`, never by hand."""
